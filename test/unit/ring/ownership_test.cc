#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "layout/strand_layout.h"
#include "ring/strand_writer.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using namespace std::chrono_literals;
using test::holdsRecord;
using test::TestStrand;
using test::tryWrite;

Status attachTo(const TestStrand& strand, StrandWriter& writer, std::chrono::nanoseconds patience = {}) {
  Fault fault;
  return StrandWriter::attach(strand.region, patience, writer, fault);
}

// "two writers destroying a log"; for the ring: the newer one takes over, the older one finds out and changes nothing.
TEST(Ownership, aNewerWriterFencesTheOlderOnesEveryCall) {
  const TestStrand strand;
  StrandWriter older = strand.writer();
  ASSERT_EQ(older.begin(), Status::kOk);
  ASSERT_EQ(tryWrite(older, 0, 5), Status::kOk);
  StrandWriter newer = strand.writer();
  ASSERT_EQ(newer.begin(), Status::kOk);
  ASSERT_EQ(tryWrite(newer, 1, 5), Status::kOk);

  const auto before = strand.bytes();
  std::uint64_t number = 0;
  EncodeFault fault;
  StrandWriter::Run run;
  const Value row[] = {std::uint64_t{1}, Value()};
  EXPECT_EQ(tryWrite(older, 2, 5), Status::kFenced);
  EXPECT_EQ(older.write(row, fault), Status::kFenced);
  EXPECT_EQ(older.writeBatch(row, number, fault), Status::kFenced);
  older.abandon();
  EXPECT_EQ(older.reserve({1, {}, 0}, run), Status::kFenced);
  older.abandon();
  EXPECT_EQ(older.claimSlots(1, number), Status::kFenced);
  EXPECT_EQ(older.commitSlots(0, 1), Status::kFenced);
  EXPECT_EQ(older.claimHeap(1, 1, number), Status::kFenced);
  EXPECT_EQ(older.commitHeap(), Status::kFenced);
  EXPECT_EQ(older.begin(), Status::kFenced);
  EXPECT_EQ(older.finalize(), Status::kFenced);
  EXPECT_EQ(older.abort("late"), Status::kFenced);
  EXPECT_EQ(older.reset(), Status::kFenced);
  EXPECT_EQ(older.state(), Status::kFenced);
  older.close();
  std::vector<std::byte> after = strand.bytes();
  // Its end may give the words back that only the fast owner uses.
  std::copy_n(before.begin() + layout::kOffsetFastOwner, 8, after.begin() + layout::kOffsetFastOwner);
  EXPECT_EQ(after, before);
  const StrandView view = strand.view();
  EXPECT_EQ(view.status(), StreamState::kStreaming);
  EXPECT_EQ(tryWrite(newer, 2, 5), Status::kOk);
  for (std::uint64_t seq = 0; seq < 3; ++seq) EXPECT_TRUE(holdsRecord(view, seq, 5));
}

TEST(Ownership, whatAFencedWriterReservedNeverShows) {
  const TestStrand strand(2, 100);
  StrandWriter older = strand.writer();
  const StrandView view = strand.view();
  ASSERT_EQ(tryWrite(older, 0, 20), Status::kOk);
  // One record handed over, none visible, no room for the next: an owner that waits is not busy.
  StrandWriter::Run run;
  ASSERT_EQ(older.reserve({2, {40, 40}, 40, true}, run), Status::kOk);
  ASSERT_EQ(run.slotCount, 1U);
  older.advance(std::vector<std::uint32_t>{40});
  ASSERT_EQ(older.reserve({1, {1, 1}, 0, true}, run), Status::kWouldBlock);
  StrandWriter newer;
  ASSERT_EQ(attachTo(strand, newer), Status::kOk);
  EXPECT_EQ(older.publish(), Status::kFenced);
  EXPECT_EQ(view.committed(), 1U);
  EXPECT_EQ(tryWrite(newer, 1, 20), Status::kOk);
  for (std::uint64_t seq = 0; seq < 2; ++seq) EXPECT_TRUE(holdsRecord(view, seq, 20));
}

TEST(Ownership, aBusyWriterIsWaitedForAndThenLeftAlone) {
  for (const bool claiming : {true, false}) {
    const TestStrand strand;
    StrandWriter older = strand.writer();
    ASSERT_EQ(older.begin(), Status::kOk);
    std::uint64_t first = 0;
    StrandWriter::Run run;
    if (claiming) {
      ASSERT_EQ(older.claimSlots(2, first), Status::kOk);
    } else {
      ASSERT_EQ(older.reserve({2, {}, 0}, run), Status::kOk);
    }
    const auto before = strand.bytes();
    StrandWriter newer;
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(attachTo(strand, newer, 5ms), Status::kBusy);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 5ms);
    EXPECT_EQ(strand.bytes(), before) << "an attempt that gave up has changed nothing";
    EXPECT_EQ(newer.state(), Status::kClosed);
    EXPECT_EQ(older.state(), Status::kOk);
    if (claiming) {
      EXPECT_EQ(older.commitSlots(0, 2), Status::kOk);
    } else {
      older.advance(2);
      EXPECT_EQ(older.publish(), Status::kOk);
    }
    EXPECT_EQ(strand.view().committed(), 2U);
    EXPECT_EQ(attachTo(strand, newer), Status::kOk) << "no longer busy";
    EXPECT_EQ(older.state(), Status::kFenced);
  }
}

TEST(Ownership, aBusyWriterIsWaitedForUntilItPublishes) {
  const TestStrand strand;
  StrandWriter older = strand.writer();
  StrandWriter::Run run;
  ASSERT_EQ(older.reserve({1, {}, 0}, run), Status::kOk);
  std::thread attaching([&] {
    StrandWriter newer;
    EXPECT_EQ(attachTo(strand, newer, 1min), Status::kOk);
    EXPECT_EQ(newer.committed(), 1U) << "what was published before is kept";
    EXPECT_EQ(newer.finalize(), Status::kOk);
  });
  older.advance(1);
  EXPECT_EQ(older.publish(), Status::kOk);
  attaching.join();
  EXPECT_EQ(older.finalize(), Status::kFenced);
  EXPECT_EQ(strand.view().producerStatus(), StreamState::kEos);
}

TEST(Ownership, closingABusyWriterLetsTheNextOneIn) {
  const TestStrand strand;
  {
    StrandWriter older = strand.writer();
    std::uint64_t first = 0;
    ASSERT_EQ(older.claimSlots(3, first), Status::kOk);
  }
  StrandWriter newer;
  EXPECT_EQ(attachTo(strand, newer), Status::kOk);
  EXPECT_EQ(newer.committed(), 0U);
}

TEST(Ownership, aTakeoverWakesTheWriterThatWaitsForRoom) {
  const TestStrand strand(1, 100);
  StrandWriter older = strand.writer();
  ASSERT_EQ(tryWrite(older, 0, 1), Status::kOk);
  ASSERT_EQ(tryWrite(older, 1, 1), Status::kWouldBlock);
  std::atomic<bool> woken = false;
  std::thread waiting([&] {
    EXPECT_TRUE(older.awaitSpace(wait::kForever));
    EXPECT_EQ(tryWrite(older, 1, 1), Status::kFenced);
    woken = true;
  });
  // Until it sleeps: its flag stands in the event's second word.
  test::awaitSleeper(strand, layout::kOffsetSpaceEvent);
  StrandWriter newer = strand.writer();
  waiting.join();
  EXPECT_TRUE(woken);
}

TEST(Ownership, everyLaterWriterFencesAllBeforeIt) {
  const TestStrand strand(64, 0, std::vector<FieldSpec>{{"n", FieldType::kU64}});
  const std::vector<std::byte> slot(strand.geometry.recordStride);
  std::vector<StrandWriter> writers;
  for (std::uint64_t i = 0; i < 20; ++i) {
    writers.push_back(strand.writer());
    for (std::uint64_t w = 0; w < i; ++w) {
      ASSERT_EQ(writers[w].publishRecord(slot, {}, 1), Status::kFenced) << w << " of " << i;
      if (w % 3 == 2) writers[w].close();
      if (writers[w].state() == Status::kClosed) writers[w] = strand.writer();
    }
    // Closed ones were replaced: whoever came last owns the strand.
    writers.push_back(strand.writer());
    ASSERT_EQ(writers.back().publishRecord(slot, {}, 1), Status::kOk);
    ASSERT_EQ(writers.back().committed(), i + 1);
    writers.pop_back();
  }
}

TEST(Ownership, aWriterMayAttachOverItself) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  ASSERT_EQ(tryWrite(writer, 0, 1), Status::kOk);
  Fault fault;
  ASSERT_EQ(StrandWriter::attach(strand.region, {}, writer, fault), Status::kOk);
  ASSERT_EQ(tryWrite(writer, 1, 1), Status::kOk);
  EXPECT_EQ(strand.view().producerStatus(), StreamState::kInitializing);
}

// --- recovery ---

TEST(Recovery, rollsBackWhatWasClaimedAndKeepsWhatWasCommitted) {
  for (std::uint64_t read = 0; read <= 3; ++read) {
    const TestStrand strand;
    StrandView view = strand.view();
    {
      StrandWriter older = strand.writer();
      for (std::uint64_t seq = 0; seq < 3; ++seq) ASSERT_EQ(tryWrite(older, seq, 40), Status::kOk);
      ASSERT_EQ(view.acknowledge(read), Status::kOk);
      std::uint64_t first = 0;
      std::uint64_t offset = 0;
      ASSERT_EQ(older.claimSlots(3, first), Status::kOk);
      ASSERT_EQ(older.claimHeap(100, 1, offset), Status::kOk);
      std::fill_n(older.data() + strand.geometry.heapStart + offset, 100, std::byte{0xEE});
      older.detach();
    }
    StrandWriter newer = strand.writer();
    EXPECT_EQ(newer.committed(), 3U);
    EXPECT_EQ(view.effectiveReadCursor(), read);
    std::uint64_t seq = 3;
    while (tryWrite(newer, seq, 40) == Status::kOk) ++seq;
    EXPECT_GE(seq, 5U);
    for (std::uint64_t unread = read; unread < seq; ++unread) ASSERT_TRUE(holdsRecord(view, unread, 40));
  }
}

TEST(Recovery, aRingLeftFullStaysFullUntilSomethingIsReleased) {
  const TestStrand strand(4, 100);
  {
    StrandWriter older = strand.writer();
    for (std::uint64_t seq = 0; seq < 4; ++seq) ASSERT_EQ(tryWrite(older, seq, 25), Status::kOk);
  }
  StrandWriter newer = strand.writer();
  StrandView view = strand.view();
  EXPECT_EQ(tryWrite(newer, 4, 0), Status::kWouldBlock);
  ASSERT_EQ(view.acknowledge(1), Status::kOk);
  EXPECT_EQ(tryWrite(newer, 4, 26), Status::kWouldBlock);
  EXPECT_EQ(tryWrite(newer, 4, 25), Status::kOk);
  for (std::uint64_t seq = 1; seq < 5; ++seq) EXPECT_TRUE(holdsRecord(view, seq, 25));
}

TEST(Recovery, attachingSetsInitializingAndKeepsPositionsConsumersAndAnAbort) {
  const TestStrand strand;
  StrandView view = strand.view();
  ConsumerToken token;
  {
    StrandWriter older = strand.writer();
    for (std::uint64_t seq = 0; seq < 3; ++seq) ASSERT_EQ(tryWrite(older, seq, 1), Status::kOk);
    ASSERT_EQ(view.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
    ASSERT_EQ(view.acknowledge(2, token), Status::kOk);
    ASSERT_EQ(older.finalize(), Status::kOk);
  }
  EXPECT_EQ(view.producerStatus(), StreamState::kEos);
  view.signalAbort("stop");
  StrandWriter newer = strand.writer();
  EXPECT_EQ(view.producerStatus(), StreamState::kInitializing);
  EXPECT_EQ(view.committed(), 3U);
  EXPECT_EQ(view.effectiveReadCursor(), 2U);
  EXPECT_EQ(view.acknowledge(3, token), Status::kOk) << "the token outlives the producer";
  EXPECT_EQ(newer.state(), Status::kAborted);
}

TEST(Recovery, anErrorOfTheWriterBeforeIsNotTheReasonOfTheNext) {
  const TestStrand strand;
  const StrandView view = strand.view();
  { StrandWriter older = strand.writer(); }
  EXPECT_EQ(view.errorReason(), "the writer was closed before the end of the stream");
  StrandWriter newer = strand.writer();
  EXPECT_EQ(view.errorReason(), "");
  ASSERT_EQ(newer.abort("disk full"), Status::kOk);
  EXPECT_EQ(view.errorReason(), "disk full");
}

TEST(Recovery, aResetThatDiedHalfwayIsFinished) {
  const TestStrand strand;
  strand.words().epoch().storeRelease(7);
  StrandWriter writer = strand.writer();
  EXPECT_EQ(strand.words().epoch().loadAcquire() % 2, 0U);
  ASSERT_EQ(tryWrite(writer, 0, 5), Status::kOk);
  EXPECT_TRUE(holdsRecord(strand.view(), 0, 5));
}

}  // namespace
}  // namespace strand
