#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "layout/strand_layout.h"
#include "ring/strand_view.h"
#include "ring/strand_writer.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::holdsRecord;
using test::TestStrand;
using test::tryWrite;

TEST(StreamEnd, statusGoesFromInitializingToStreamingToEos) {
  const TestStrand strand;
  StrandView view = strand.view();
  EXPECT_EQ(view.status(), StreamState::kInitializing);
  StrandWriter writer = strand.writer();
  EXPECT_EQ(view.status(), StreamState::kInitializing);
  ASSERT_EQ(writer.begin(), Status::kOk);
  EXPECT_EQ(view.status(), StreamState::kStreaming);
  ASSERT_EQ(writer.finalize(), Status::kOk);
  EXPECT_EQ(view.producerStatus(), StreamState::kEos);
  EXPECT_EQ(writer.begin(), Status::kEnded);
  EXPECT_EQ(tryWrite(writer, 0, 1), Status::kEnded);
  EXPECT_EQ(writer.finalize(), Status::kOk) << "ending twice is no error";
}

// "the documented drain loop losing the tail"
TEST(StreamEnd, theEndIsShownOnlyOnceTheFinalCountWasDelivered) {
  const TestStrand strand;
  StrandView view = strand.view();
  StrandWriter writer = strand.writer();
  ASSERT_EQ(tryWrite(writer, 0, 1), Status::kOk);
  ASSERT_EQ(view.wait(0, {}).committed, 1U);
  ASSERT_EQ(view.acknowledge(1), Status::kOk);
  ASSERT_EQ(tryWrite(writer, 1, 1), Status::kOk);
  ASSERT_EQ(writer.finalize(), Status::kOk);
  EXPECT_EQ(view.status(), StreamState::kStreaming);
  EXPECT_EQ(view.producerStatus(), StreamState::kEos);
  const WaitResult result = view.wait(1, {});
  EXPECT_EQ(result.progress, Progress::kEnded);
  EXPECT_EQ(result.committed, 2U);
  EXPECT_EQ(view.status(), StreamState::kEos);
}

TEST(StreamEnd, acknowledgingTheFinalCountShowsTheEndToo) {
  for (const bool registered : {false, true}) {
    const TestStrand strand;
    StrandView view = strand.view();
    StrandWriter writer = strand.writer();
    ASSERT_EQ(tryWrite(writer, 0, 1), Status::kOk);
    ASSERT_EQ(writer.finalize(), Status::kOk);
    EXPECT_EQ(view.status(), StreamState::kStreaming);
    ConsumerToken token;
    if (registered) {
      ASSERT_EQ(view.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
      ASSERT_EQ(view.acknowledge(1, token), Status::kOk);
    } else {
      ASSERT_EQ(view.acknowledge(1), Status::kOk);
    }
    EXPECT_EQ(view.status(), StreamState::kEos);
  }
}

TEST(StreamEnd, aFinalCountOfZeroIsGivenAtOnce) {
  const TestStrand strand;
  StrandView view = strand.view();
  StrandWriter writer = strand.writer();
  ASSERT_EQ(writer.finalize(), Status::kOk);
  EXPECT_EQ(view.status(), StreamState::kEos);
  EXPECT_EQ(view.wait(0, wait::kForever).progress, Progress::kEnded);
}

TEST(StreamEnd, anEndDeliveredBeforeASecondProducerIsNotItsEnd) {
  const TestStrand strand;
  StrandView view = strand.view();
  {
    StrandWriter first = strand.writer();
    ASSERT_EQ(tryWrite(first, 0, 1), Status::kOk);
    ASSERT_EQ(first.finalize(), Status::kOk);
  }
  ASSERT_EQ(view.wait(0, {}).progress, Progress::kEnded);
  ASSERT_EQ(view.acknowledge(1), Status::kOk);
  ASSERT_EQ(view.status(), StreamState::kEos);
  StrandWriter second = strand.writer();
  ASSERT_EQ(tryWrite(second, 1, 1), Status::kOk);
  ASSERT_EQ(view.wait(1, {}).committed, 2U);
  ASSERT_EQ(tryWrite(second, 2, 1), Status::kOk);
  ASSERT_EQ(second.finalize(), Status::kOk);
  EXPECT_EQ(view.status(), StreamState::kStreaming) << "the loop would break off before record 2";
  EXPECT_EQ(view.wait(2, {}).committed, 3U);
  EXPECT_EQ(view.status(), StreamState::kEos);
}

// "a producer that throws leaving consumers waiting"
TEST(StreamEnd, aWriterThatEndsWithoutFinalizeLeavesAnErrorAndWakesEveryWaiter) {
  for (const bool begun : {false, true}) {
    const TestStrand strand;
    std::atomic<int> ready = 0;
    std::atomic<int> ended = 0;
    std::vector<std::thread> waiting;
    {
      StrandWriter writer = strand.writer();
      if (begun) {
        ASSERT_EQ(writer.begin(), Status::kOk);
      }
      for (int i = 0; i < 3; ++i) {
        waiting.emplace_back([&] {
          StrandView view = strand.view();
          ++ready;
          EXPECT_EQ(test::sleepUntilNews(view, 0).progress, Progress::kEnded);
          EXPECT_EQ(view.status(), StreamState::kError);
          EXPECT_EQ(view.errorReason(), "the writer was closed before the end of the stream");
          ++ended;
        });
      }
      while (ready < 3) std::this_thread::yield();
      test::awaitSleeper(strand, layout::kOffsetDataEvent);
    }
    for (std::thread& thread : waiting) thread.join();
    EXPECT_EQ(ended, 3);
  }
}

TEST(StreamEnd, closingAfterFinalizeIsNoError) {
  const TestStrand strand;
  {
    StrandWriter writer = strand.writer();
    ASSERT_EQ(writer.finalize(), Status::kOk);
  }
  EXPECT_EQ(strand.view().producerStatus(), StreamState::kEos);
}

TEST(StreamEnd, detachingLeavesTheStreamAsItIs) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  ASSERT_EQ(writer.begin(), Status::kOk);
  ASSERT_EQ(tryWrite(writer, 0, 1), Status::kOk);
  writer.detach();
  EXPECT_EQ(strand.view().producerStatus(), StreamState::kStreaming);
  EXPECT_EQ(strand.view().committed(), 1U);
  EXPECT_EQ(writer.state(), Status::kClosed);
}

TEST(StreamEnd, anErrorIsNeverTurnedIntoACleanEnd) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  ASSERT_EQ(writer.abort("broken"), Status::kOk);
  EXPECT_EQ(writer.finalize(), Status::kOk);
  EXPECT_EQ(strand.view().status(), StreamState::kError);
  EXPECT_EQ(strand.view().errorReason(), "broken");
}

TEST(StreamEnd, anAbortedStreamHasNoCleanEnd) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  ASSERT_EQ(tryWrite(writer, 0, 8), Status::kOk);
  view.signalAbort("seen enough");
  ASSERT_EQ(writer.finalize(), Status::kOk);
  EXPECT_EQ(view.producerStatus(), StreamState::kError);
  EXPECT_EQ(view.errorReason(), "seen enough");
}

TEST(StreamEnd, abortAfterFinalizeMakesItAnError) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  ASSERT_EQ(tryWrite(writer, 0, 1), Status::kOk);
  ASSERT_EQ(writer.finalize(), Status::kOk);
  ASSERT_EQ(writer.abort("the sum is wrong"), Status::kOk);
  StrandView view = strand.view();
  EXPECT_EQ(view.status(), StreamState::kError);
  EXPECT_EQ(view.errorReason(), "the sum is wrong");
  EXPECT_EQ(view.wait(0, {}).committed, 1U) << "what was committed before an error is there";
  EXPECT_TRUE(holdsRecord(view, 0, 1));
}

TEST(StreamEnd, theFirstReasonStays) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  ASSERT_EQ(writer.abort("first"), Status::kOk);
  ASSERT_EQ(writer.abort("second"), Status::kOk);
  writer.close("third");
  EXPECT_EQ(strand.view().errorReason(), "first");
}

// --- aborts ---

// "aborts seen only while stalled"
TEST(Abort, isSeenByAProducerThatIsNotStalled) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  ASSERT_EQ(tryWrite(writer, 0, 1), Status::kOk);
  view.signalAbort("no more");
  EXPECT_EQ(writer.state(), Status::kAborted);
  EXPECT_EQ(writer.abortReason(), "no more");
  EXPECT_EQ(tryWrite(writer, 1, 1), Status::kAborted);
  std::uint64_t number = 0;
  EncodeFault fault;
  StrandWriter::Run run;
  const Value row[] = {std::uint64_t{1}, Value()};
  EXPECT_EQ(writer.write(row, fault), Status::kAborted);
  EXPECT_EQ(writer.writeBatch(row, number, fault), Status::kAborted);
  EXPECT_EQ(writer.reserve({1, {}, 0}, run), Status::kAborted);
  writer.abandon();
  EXPECT_EQ(writer.claimSlots(1, number), Status::kAborted);
  EXPECT_EQ(writer.claimHeap(1, 1, number), Status::kAborted);
  EXPECT_EQ(view.committed(), 1U);
  EXPECT_EQ(writer.finalize(), Status::kOk);
}

TEST(Abort, isSeenInTheMiddleOfABatchLargerThanTheRing) {
  const TestStrand strand(4, 0, std::vector<FieldSpec>{{"n", FieldType::kU64}});
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  view.signalAbort("");
  const std::vector<Value> rows(100, Value(std::uint64_t{1}));
  std::uint64_t written = 9;
  EncodeFault fault;
  EXPECT_EQ(writer.writeBatch(rows, written, fault), Status::kAborted);
  EXPECT_EQ(written, view.committed());
}

TEST(Abort, wakesAProducerThatWaitsForRoom) {
  const TestStrand strand(1, 100);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  ASSERT_EQ(tryWrite(writer, 0, 1), Status::kOk);
  std::thread producer([&] {
    ASSERT_EQ(tryWrite(writer, 1, 1), Status::kWouldBlock);
    EXPECT_TRUE(writer.awaitSpace(wait::kForever));
    EXPECT_EQ(tryWrite(writer, 1, 1), Status::kAborted);
  });
  test::awaitSleeper(strand, layout::kOffsetSpaceEvent);
  view.signalAbort("stop");
  producer.join();
}

TEST(Abort, staysForWritersThatComeLater) {
  const TestStrand strand;
  StrandView view = strand.view();
  view.signalAbort("stop");
  StrandWriter writer = strand.writer();
  EXPECT_EQ(writer.state(), Status::kAborted);
  EXPECT_EQ(tryWrite(writer, 0, 1), Status::kAborted);
}

TEST(Abort, theFirstReasonStays) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  view.signalAbort("first");
  view.signalAbort("second");
  EXPECT_EQ(writer.abortReason(), "first");
}

// "wake-ups lost when several wait"
TEST(Waiters, allThreeWake) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  for (std::uint64_t round = 0; round < 50; ++round) {
    std::atomic<int> woken = 0;
    std::atomic<int> ready = 0;
    std::vector<std::thread> waiting;
    for (int i = 0; i < 3; ++i) {
      waiting.emplace_back([&] {
        StrandView view = strand.view();
        ++ready;
        const WaitResult result = test::sleepUntilNews(view, round);
        EXPECT_EQ(result.progress, Progress::kReady);
        EXPECT_EQ(result.committed, round + 1);
        ++woken;
      });
    }
    while (ready < 3) std::this_thread::yield();
    test::awaitSleeper(strand, layout::kOffsetDataEvent);
    ASSERT_EQ(tryWrite(writer, round, 1), Status::kOk);
    for (std::thread& thread : waiting) thread.join();
    ASSERT_EQ(woken, 3);
    ASSERT_EQ(strand.view().acknowledge(round + 1), Status::kOk);
  }
}

TEST(Waiters, aWaitWithoutNewsEndsAfterItsTime) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  ASSERT_EQ(tryWrite(writer, 0, 1), Status::kOk);
  const auto start = std::chrono::steady_clock::now();
  const WaitResult result = view.wait(1, std::chrono::milliseconds(25));
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(25));
  EXPECT_EQ(result.progress, Progress::kPending);
  EXPECT_EQ(result.committed, 1U);
}

TEST(Waiters, aClosedViewWaitsForNothing) {
  const TestStrand strand;
  StrandView view = strand.view();
  view.close();
  EXPECT_EQ(view.wait(0, wait::kForever).progress, Progress::kClosed);
  EXPECT_EQ(view.check(0).progress, Progress::kClosed);
  EXPECT_EQ(view.acknowledge(0), Status::kClosed);
  ConsumerToken token;
  EXPECT_EQ(view.acknowledge(0, token), Status::kClosed);
  EXPECT_EQ(view.registerConsumer(StartAt::kOldest, 0, token), Status::kClosed);
  EXPECT_EQ(view.releaseConsumer(token), Status::kClosed);
  std::int64_t found = 0;
  EXPECT_EQ(view.findFirst(0, std::int64_t{0}, found), Status::kClosed);
}

// --- readers that leave ---

TEST(Abandon, stopsTheProducerOfTheOnlyReader) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  ASSERT_EQ(tryWrite(writer, 0, 1), Status::kOk);
  StrandView view = strand.view();
  view.abandon("seen enough");
  EXPECT_EQ(writer.state(), Status::kAborted);
  EXPECT_EQ(writer.abortReason(), "seen enough");
}

TEST(Abandon, stopsTheProducerOfTheLastRegisteredReader) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  StrandView first = strand.view();
  StrandView last = strand.view();
  ConsumerToken token;
  ASSERT_EQ(first.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
  ASSERT_EQ(last.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
  first.abandon("first");
  EXPECT_EQ(writer.state(), Status::kOk) << "another one is registered";
  last.abandon("last");
  EXPECT_EQ(writer.state(), Status::kAborted);
  EXPECT_EQ(writer.abortReason(), "last");
}

TEST(Abandon, changesNothingOfAStreamThatIsOver) {
  for (const bool fails : {false, true}) {
    const TestStrand strand;
    StrandWriter writer = strand.writer();
    ASSERT_EQ(fails ? writer.abort("broken") : writer.finalize(), Status::kOk);
    StrandView view = strand.view();
    view.abandon("seen enough");
    EXPECT_NE(writer.state(), Status::kAborted);
    EXPECT_EQ(writer.abortReason(), "");
  }
}

TEST(Abandon, leavesTheStreamAloneThatAResetHasBegun) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  ASSERT_EQ(tryWrite(writer, 0, 1), Status::kOk);
  ASSERT_EQ(writer.reset(), Status::kOk);
  view.abandon("seen enough");
  EXPECT_EQ(writer.state(), Status::kOk);
}

TEST(Abandon, ofAClosedViewIsNothing) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  view.close();
  view.abandon("seen enough");
  EXPECT_EQ(writer.state(), Status::kOk);
}

// --- writers that watch ---

/// Whether somebody has announced an asynchronous wait that nothing has ended yet.
bool awaitsSpace(const TestStrand& strand) {
  return (strand.word32(layout::kOffsetSpaceEvent + 4).loadAcquire() & wait::kAsync) != 0;
}

TEST(Watch, hearsOfAnAbort) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  writer.announceWatch();
  ASSERT_TRUE(awaitsSpace(strand));
  view.signalAbort("stop");
  EXPECT_FALSE(awaitsSpace(strand));
  EXPECT_EQ(writer.state(), Status::kAborted);
}

TEST(Watch, hearsOfANewerWriter) {
  const TestStrand strand;
  StrandWriter older = strand.writer();
  older.announceWatch();
  const StrandWriter newer = strand.writer();
  EXPECT_FALSE(awaitsSpace(strand));
  EXPECT_EQ(older.state(), Status::kFenced);
}

TEST(Watch, hearsNothingOfRoom) {
  const TestStrand strand(2);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  ASSERT_EQ(tryWrite(writer, 0, 1), Status::kOk);
  ASSERT_EQ(tryWrite(writer, 1, 1), Status::kOk);
  ASSERT_EQ(tryWrite(writer, 2, 1), Status::kWouldBlock);
  writer.announceWatch();
  ASSERT_EQ(view.acknowledge(2), Status::kOk);
  EXPECT_TRUE(awaitsSpace(strand));
  // A wait for room, which comes later, does.
  for (const std::uint64_t seq : {2U, 3U}) ASSERT_EQ(tryWrite(writer, seq, 1), Status::kOk);
  ASSERT_EQ(tryWrite(writer, 4, 1), Status::kWouldBlock);
  writer.announceWait();
  ASSERT_EQ(view.acknowledge(4), Status::kOk);
  EXPECT_FALSE(awaitsSpace(strand));
}

// The target of a wait for room is one word for all writers of a strand.
TEST(Watch, ofAnOlderWriterLeavesTheNewerOnesWaitNoLonger) {
  const TestStrand strand(1, 100);
  StrandWriter older = strand.writer();
  StrandWriter newer = strand.writer();
  ASSERT_EQ(tryWrite(newer, 0, 1), Status::kOk);
  ASSERT_EQ(tryWrite(newer, 1, 1), Status::kWouldBlock);
  newer.announceWait();
  older.announceWatch();
  EXPECT_FALSE(awaitsSpace(strand)) << "the newer one has to look again, and to announce anew what it waits for";
}

}  // namespace
}  // namespace strand
