#include <gtest/gtest.h>

#include <atomic>
#include <thread>
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

class Reset : public ::testing::Test {
 protected:
  void write(std::uint64_t count, std::size_t size = 20) {
    for (std::uint64_t i = 0; i < count; ++i) {
      ASSERT_EQ(tryWrite(writer, writer.committed(), size), Status::kOk);
    }
  }

  TestStrand strand;
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
};

TEST_F(Reset, everyPositionIsZeroAgain) {
  for (std::uint64_t count = 0; count < 8; ++count) {
    write(count);
    ASSERT_EQ(view.acknowledge(count / 2), Status::kOk);
    ASSERT_EQ(writer.reset(), Status::kOk);
    EXPECT_EQ(writer.committed(), 0U);
    EXPECT_EQ(view.committed(), 0U);
    EXPECT_EQ(view.effectiveReadCursor(), 0U);
    ASSERT_EQ(view.wait(0, {}).progress, Progress::kPending);
    EXPECT_EQ(view.window().start, 0U);
    EXPECT_EQ(view.window().safeFrom, 0U);
    EXPECT_EQ(view.stats().queueDepth, 0U);
    EXPECT_EQ(writer.stats().queueDepth, 0U);
    EXPECT_EQ(strand.view().committed(), 0U);
  }
}

TEST_F(Reset, theWholeRingAndHeapAreFreeAgain) {
  for (int round = 0; round < 20; ++round) {
    write(8, 32);
    ASSERT_EQ(tryWrite(writer, 8, 0), Status::kWouldBlock);
    ASSERT_EQ(writer.reset(), Status::kOk);
    view.enter();
    ASSERT_EQ(tryWrite(writer, 0, 256), Status::kOk);
    ASSERT_TRUE(holdsRecord(view, 0, 256));
    ASSERT_EQ(writer.reset(), Status::kOk);
    view.enter();
  }
}

TEST_F(Reset, aViewOfTheOldStreamSaysSoUntilItEntersTheNewOne) {
  write(3);
  ASSERT_EQ(view.wait(0, {}).committed, 3U);
  RecordCursor cursor(view);
  ASSERT_EQ(cursor.seek(1), Status::kOk);
  ASSERT_EQ(writer.reset(), Status::kOk);
  write(2);
  EXPECT_TRUE(view.wasReset());
  EXPECT_EQ(view.wait(1, {}).progress, Progress::kReset);
  EXPECT_EQ(view.check(3).progress, Progress::kReset);
  EXPECT_EQ(cursor.seek(0), Status::kReset);
  EXPECT_EQ(view.acknowledge(1), Status::kReset);
  EXPECT_EQ(view.acknowledge(3), Status::kReset);
  std::int64_t found = 0;
  EXPECT_EQ(view.findFirst(0, std::int64_t{0}, found), Status::kReset);
  EXPECT_EQ(view.committed(), 2U) << "the count shows the new stream";
  EXPECT_EQ(view.effectiveReadCursor(), 0U);
  const WaitResult entered = view.wait(0, {});
  EXPECT_EQ(entered.progress, Progress::kReady);
  EXPECT_EQ(entered.committed, 2U);
  EXPECT_FALSE(view.wasReset());
  for (std::uint64_t seq = 0; seq < 2; ++seq) EXPECT_TRUE(holdsRecord(view, seq, 20));
  EXPECT_EQ(view.acknowledge(2), Status::kOk);
}

TEST_F(Reset, acknowledgementsFromBeforeChangeNothing) {
  ConsumerToken token;
  write(3);
  ASSERT_EQ(view.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
  ASSERT_EQ(writer.reset(), Status::kOk);
  write(3);
  const auto before = strand.bytes();
  EXPECT_EQ(view.acknowledge(2, token), Status::kReset);
  EXPECT_EQ(view.acknowledge(2), Status::kReset);
  EXPECT_EQ(view.releaseConsumer(token), Status::kReset);
  ConsumerToken another;
  EXPECT_EQ(view.registerConsumer(StartAt::kOldest, 0, another), Status::kReset);
  EXPECT_EQ(strand.bytes(), before);
  view.enter();
  EXPECT_EQ(view.acknowledge(2, token), Status::kBadToken);
  EXPECT_EQ(view.releaseConsumer(token), Status::kBadToken);
  EXPECT_EQ(view.effectiveReadCursor(), 0U);
}

// An acknowledgement may be on its way while the stream is reset: here it arrives last of all.
TEST_F(Reset, anAcknowledgementThatArrivesLateHoldsNobodyUp) {
  ConsumerToken token;
  write(3);
  ASSERT_EQ(view.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
  ASSERT_EQ(writer.reset(), Status::kOk);
  StrandView next = strand.view();
  ConsumerToken its;
  ASSERT_EQ(next.registerConsumer(StartAt::kOldest, 0, its), Status::kOk);
  ASSERT_EQ(its.slot, token.slot);
  for (std::uint64_t seq = 0; seq < 50; ++seq) {
    // What acknowledge(3, token) does behind its checks.
    ConsumerSlots(strand.words()).advance(token, 3);
    ASSERT_EQ(tryWrite(writer, seq, 20), Status::kOk) << "the consumer has read everything";
    ASSERT_TRUE(holdsRecord(next, seq, 20));
    ASSERT_EQ(next.acknowledge(seq + 1, its), Status::kOk);
  }
}

TEST_F(Reset, everyTokenIsVoidAndEverySlotVacant) {
  std::vector<ConsumerToken> tokens(8);
  for (ConsumerToken& token : tokens) ASSERT_EQ(view.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
  ASSERT_EQ(writer.reset(), Status::kOk);
  view.enter();
  for (const ConsumerToken& token : tokens) {
    EXPECT_EQ(view.acknowledge(0, token), Status::kBadToken);
    EXPECT_EQ(view.releaseConsumer(token), Status::kBadToken);
  }
  for (ConsumerToken& token : tokens) ASSERT_EQ(view.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
}

TEST_F(Reset, anErrorAndAnAbortAreCleared) {
  view.signalAbort("too slow");
  ASSERT_EQ(tryWrite(writer, 0, 1), Status::kAborted);
  ASSERT_EQ(writer.abort("gave up"), Status::kOk);
  ASSERT_EQ(view.producerStatus(), StreamState::kError);
  ASSERT_EQ(tryWrite(writer, 0, 1), Status::kEnded);
  ASSERT_EQ(writer.reset(), Status::kOk);
  EXPECT_EQ(writer.state(), Status::kOk);
  EXPECT_EQ(writer.abortReason(), "");
  EXPECT_EQ(view.errorReason(), "");
  EXPECT_EQ(view.producerStatus(), StreamState::kInitializing);
  view.enter();
  EXPECT_EQ(tryWrite(writer, 0, 1), Status::kOk);
  view.signalAbort("again");
  EXPECT_EQ(tryWrite(writer, 1, 1), Status::kAborted);
  EXPECT_EQ(writer.abortReason(), "again");
}

TEST_F(Reset, anEndedStreamStartsAfresh) {
  write(2);
  ASSERT_EQ(writer.finalize(), Status::kOk);
  ASSERT_EQ(view.wait(0, {}).progress, Progress::kEnded);
  ASSERT_EQ(view.status(), StreamState::kEos);
  ASSERT_EQ(writer.reset(), Status::kOk);
  ASSERT_EQ(writer.begin(), Status::kOk);
  write(1);
  EXPECT_EQ(view.status(), StreamState::kStreaming);
  EXPECT_EQ(view.wait(0, {}).progress, Progress::kReady);
  ASSERT_EQ(writer.finalize(), Status::kOk);
  EXPECT_EQ(view.status(), StreamState::kStreaming) << "the end of the new stream has not been delivered";
  EXPECT_EQ(view.wait(1, {}).progress, Progress::kEnded);
  EXPECT_EQ(view.status(), StreamState::kEos);
}

// The end that the loop sees must be of the stream that it reads.
TEST_F(Reset, theEndOfTheNewStreamIsNoEndForAViewOfTheOldOne) {
  write(2);
  ASSERT_EQ(view.wait(0, {}).committed, 2U);
  ASSERT_EQ(view.acknowledge(2), Status::kOk);
  ASSERT_EQ(writer.reset(), Status::kOk);
  write(2);
  ASSERT_EQ(writer.finalize(), Status::kOk);
  EXPECT_NE(view.status(), StreamState::kEos);
  EXPECT_EQ(view.producerStatus(), StreamState::kEos);
  EXPECT_EQ(view.wait(2, {}).progress, Progress::kReset);
}

TEST_F(Reset, claimsAndBatchesThatWereOpenAreGone) {
  StrandWriter::Run run;
  ASSERT_EQ(writer.reserve({2, {}, 0}, run), Status::kOk);
  writer.advance(1);
  ASSERT_EQ(writer.reset(), Status::kOk);
  EXPECT_EQ(writer.publish(), Status::kOk);
  EXPECT_EQ(view.committed(), 0U);
  std::uint64_t first = 9;
  std::uint64_t offset = 9;
  ASSERT_EQ(writer.claimSlots(2, first), Status::kOk);
  EXPECT_EQ(first, 0U);
  ASSERT_EQ(writer.claimHeap(2, 1, offset), Status::kOk);
  ASSERT_EQ(writer.reset(), Status::kOk);
  EXPECT_EQ(writer.commitSlots(0, 1), Status::kOutOfOrder);
  EXPECT_EQ(tryWrite(writer, 0, 5), Status::kOk);
}

TEST_F(Reset, statisticsGoOn) {
  write(3);
  ASSERT_EQ(writer.reset(), Status::kOk);
  write(2);
  EXPECT_EQ(writer.stats().records, 5U);
  EXPECT_EQ(writer.stats().bytes, 5U * (strand.geometry.recordStride + 20));
  EXPECT_EQ(strand.view().stats().recordsProduced, 5U);
}

TEST_F(Reset, wakesEverybodyWhoWaits) {
  std::atomic<int> ready = 0;
  std::atomic<int> reset = 0;
  std::vector<std::thread> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([&] {
      StrandView own = strand.view();
      ++ready;
      if (test::sleepUntilNews(own, 5).progress == Progress::kReset) ++reset;
    });
  }
  while (ready < 3) std::this_thread::yield();
  test::awaitSleeper(strand, layout::kOffsetDataEvent);
  ASSERT_EQ(writer.reset(), Status::kOk);
  for (std::thread& thread : waiting) thread.join();
  EXPECT_EQ(reset, 3);
}

TEST_F(Reset, aRecordOfTheOldStreamIsNeverTakenForOneOfTheNew) {
  write(5);
  ASSERT_EQ(writer.reset(), Status::kOk);
  view.enter();
  RecordCursor cursor(view);
  EXPECT_EQ(cursor.seek(0), Status::kNotCommitted);
  write(1, 7);
  EXPECT_TRUE(holdsRecord(view, 0, 7));
  EXPECT_EQ(cursor.seek(1), Status::kNotCommitted);
}

}  // namespace
}  // namespace strand
