#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "ring/strand_view.h"
#include "ring/strand_writer.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::TestStrand;
using test::tryWrite;

TEST(Spin, ofAViewGivesWhatIsThereAlready) {
  const TestStrand strand;
  StrandView view = strand.view();
  StrandWriter writer = strand.writer();
  ASSERT_EQ(tryWrite(writer, 0, 1), Status::kOk);
  EXPECT_EQ(view.spin(0).progress, Progress::kReady);
  ASSERT_EQ(writer.finalize(), Status::kOk);
  EXPECT_EQ(view.spin(1).progress, Progress::kEnded);
  EXPECT_EQ(view.stats().consumerWaits, 0U) << "nothing had to be waited for";
}

TEST(Spin, ofAViewEndsByItselfWhereNothingComes) {
  const TestStrand strand;
  StrandView view = strand.view();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(view.spin(0).progress, Progress::kPending);
}

TEST(Spin, ofAViewFindsWhatAnotherThreadWrites) {
  const TestStrand strand;
  StrandView view = strand.view();
  std::thread producer([&] {
    StrandWriter writer = strand.writer();
    ASSERT_EQ(tryWrite(writer, 0, 1), Status::kOk);
    ASSERT_EQ(writer.finalize(), Status::kOk);
  });
  while (view.spin(0).progress == Progress::kPending) {
  }
  producer.join();
  EXPECT_EQ(view.spin(1).committed, 1U);
}

TEST(Spin, ofAWriterFindsTheRoomThatAReaderMakes) {
  const TestStrand strand;
  StrandView view = strand.view();
  StrandWriter writer = strand.writer();
  std::uint64_t written = 0;
  while (tryWrite(writer, written, 1) == Status::kOk) ++written;
  ASSERT_GT(written, 0U);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(writer.spinForSpace());
  std::thread consumer([&] { ASSERT_EQ(view.acknowledge(1), Status::kOk); });
  while (!writer.spinForSpace()) {
  }
  consumer.join();
  EXPECT_EQ(tryWrite(writer, written, 1), Status::kOk);
  EXPECT_EQ(writer.stats().stalls, 1U) << "however often it spun, it stood still once";
}

}  // namespace
}  // namespace strand
