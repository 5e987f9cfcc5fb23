#include <gtest/gtest.h>

#include <vector>

#include "layout/strand_layout.h"
#include "ring/record_cursor.h"
#include "ring/strand_view.h"
#include "ring/strand_writer.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::holdsRecord;
using test::TestStrand;
using test::tryWrite;

constexpr std::uint64_t kLimit = std::uint64_t{1} << 53;

Fault attachFault(const TestStrand& strand) {
  StrandView view;
  Fault fault;
  (void)StrandView::attach(strand.region, view, fault);
  return fault;
}

// "positions breaking at 2^31 records or 4 GiB of heap"
class PositionsNear : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(PositionsNear, recordsAndHeapPassOverTheEdge) {
  for (std::uint64_t before = 0; before < 40; before += 3) {
    const std::uint64_t start = GetParam() - before;
    const TestStrand strand(8, 100);
    strand.startAt(start, start);
    StrandWriter writer = strand.writer();
    StrandView view = strand.view();
    ConsumerToken token;
    if (before % 2 == 0) {
      ASSERT_EQ(view.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
    }
    for (std::uint64_t seq = start; seq < start + 60; ++seq) {
      while (tryWrite(writer, seq, seq % 40) == Status::kWouldBlock) {
        const std::uint64_t next = view.effectiveReadCursor() + 1;
        ASSERT_EQ(before % 2 == 0 ? view.acknowledge(next, token) : view.acknowledge(next), Status::kOk);
      }
      for (std::uint64_t unread = view.effectiveReadCursor(); unread <= seq; ++unread) {
        ASSERT_TRUE(holdsRecord(view, unread, unread % 40));
      }
      ASSERT_EQ(view.wait(seq, {}).committed, seq + 1);
    }
    ASSERT_EQ(writer.finalize(), Status::kOk);
    ASSERT_EQ(view.wait(start + 60, {}).progress, Progress::kEnded);
    std::int64_t found = 0;
    ASSERT_EQ(view.findFirst(0, std::uint64_t{start}, found), Status::kBadField);
  }
}

TEST_P(PositionsNear, streamsStartedThereCountFromZero) {
  const std::uint64_t base = GetParam();
  const TestStrand strand(8, 100);
  strand.startAt(base, base + 13, base);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  EXPECT_EQ(view.committed(), 0U);
  for (std::uint64_t seq = 0; seq < 30; ++seq) {
    ASSERT_EQ(tryWrite(writer, seq, 30), Status::kOk);
    ASSERT_TRUE(holdsRecord(view, seq, 30));
    ASSERT_EQ(view.acknowledge(seq + 1), Status::kOk);
  }
  ASSERT_EQ(writer.reset(), Status::kOk);
  ASSERT_EQ(tryWrite(writer, 0, 30), Status::kOk);
  view.enter();
  EXPECT_TRUE(holdsRecord(view, 0, 30));
}

INSTANTIATE_TEST_SUITE_P(Edges, PositionsNear,
                         ::testing::Values(std::uint64_t{1} << 31, std::uint64_t{1} << 32, std::uint64_t{1} << 33,
                                           std::uint64_t{1} << 40, std::uint64_t{1} << 52));

TEST(PositionLimit, writingEndsAt2To53Cleanly) {
  for (const bool single : {true, false}) {
    const TestStrand strand(8, 100);
    strand.startAt(kLimit - 3, 0);
    StrandWriter writer = strand.writer();
    StrandView view = strand.view();
    if (single) {
      for (std::uint64_t seq = kLimit - 3; seq < kLimit; ++seq) ASSERT_EQ(tryWrite(writer, seq, 5), Status::kOk);
    } else {
      std::uint64_t first = 0;
      EXPECT_EQ(writer.claimSlots(4, first), Status::kPositionLimit);
      StrandWriter::Run run;
      EXPECT_EQ(writer.reserve({4, {}, 0}, run), Status::kPositionLimit);
      EXPECT_EQ(writer.claimSlots(2, first), Status::kOk);
      EXPECT_EQ(writer.claimSlots(2, first), Status::kPositionLimit);
      EXPECT_EQ(writer.claimSlots(1, first), Status::kOk);
      EXPECT_EQ(writer.commitSlots(kLimit - 3, 3), Status::kOk);
    }
    EXPECT_EQ(view.committed(), kLimit);
    EXPECT_EQ(tryWrite(writer, kLimit, 5), Status::kPositionLimit);
    std::uint64_t first = 0;
    EXPECT_EQ(writer.claimSlots(1, first), Status::kPositionLimit);
    StrandWriter::Run run;
    EXPECT_EQ(writer.reserve({1, {}, 0}, run), Status::kPositionLimit);
    EXPECT_EQ(writer.reset(), Status::kPositionLimit);
    // What is there can still be read to its end.
    EXPECT_EQ(view.wait(kLimit - 1, {}).committed, kLimit);
    EXPECT_EQ(view.acknowledge(kLimit), Status::kOk);
    EXPECT_EQ(writer.finalize(), Status::kOk);
    EXPECT_EQ(view.wait(kLimit, {}).progress, Progress::kEnded);
    EXPECT_TRUE(attachFault(strand).ok());
  }
}

TEST(PositionLimit, theHeapEndsAt2To53CleanlyToo) {
  const TestStrand strand(8, 100);
  strand.startAt(0, kLimit - 1000);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  std::uint64_t seq = 0;
  Status status = Status::kOk;
  while ((status = tryWrite(writer, seq, 60)) == Status::kOk) {
    ASSERT_TRUE(holdsRecord(view, seq, 60));
    ++seq;
    ASSERT_EQ(view.acknowledge(seq), Status::kOk);
    ASSERT_LT(seq, 100U);
  }
  EXPECT_EQ(status, Status::kPositionLimit);
  EXPECT_GE(seq, 7U);
  std::uint64_t offset = 0;
  EXPECT_EQ(writer.claimHeap(1, 1, offset), Status::kPositionLimit);
  StrandWriter::Run run;
  EXPECT_EQ(writer.reserve({1, {1, 1}, 0}, run), Status::kPositionLimit);
  EXPECT_TRUE(attachFault(strand).ok()) << "what is there can still be read";
  EXPECT_EQ(writer.finalize(), Status::kOk);
}

TEST(PositionLimit, aHeaderPastItIsRefused) {
  for (const bool heap : {false, true}) {
    const TestStrand strand;
    strand.startAt(heap ? 0 : kLimit + 1, heap ? kLimit + 1 : 0);
    const Fault fault = attachFault(strand);
    EXPECT_EQ(fault.code, FaultCode::kHeader);
    EXPECT_NE(fault.message.find("2^53"), std::string::npos) << fault.message;
    strand.startAt(heap ? 0 : kLimit, heap ? kLimit : 0);
    EXPECT_TRUE(attachFault(strand).ok());
  }
}

}  // namespace
}  // namespace strand
