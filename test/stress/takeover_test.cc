#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "ring/record_cursor.h"
#include "ring/strand_view.h"
#include "ring/strand_writer.h"
#include "support/jitter.h"
#include "support/payload.h"
#include "support/random.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::Random;
using test::TestStrand;

/// Whether a record is whole: its payload belongs to the number that it carries.
void expectWhole(const RecordCursor& cursor) {
  const auto number = cursor.getU64(test::kSequence);
  const auto payload = cursor.getBytes(test::kPayload);
  ASSERT_TRUE(number && payload);
  ASSERT_TRUE(test::isPayload(*number, *payload)) << "a record of two writers";
}

// "two writers destroying a log": writers that take the strand from each other all the time.
TEST(TakeoverStress, recordsAreWholeAndEachWritersInOrder) {
  constexpr std::size_t kWriters = 3;
  const Random random;
  const TestStrand strand(16, 500);
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> published = 0;
  const auto produce = [&](std::uint64_t self) {
    Random own = random.fork(self);
    std::uint64_t count = 0;
    StrandWriter writer;
    while (!stop) {
      Fault fault;
      const Status attached =
          StrandWriter::attach(strand.region, std::chrono::milliseconds(own.below(2)), writer, fault);
      if (attached == Status::kBusy) continue;
      ASSERT_EQ(attached, Status::kOk) << fault.message;
      for (std::uint64_t n = own.between(1, 60); n > 0 && !stop; --n) {
        const std::uint64_t number = (++count << 8) | self;
        const std::vector<std::byte> payload = test::makePayload(number, own.below(40));
        const Value row[] = {number, std::span(payload)};
        EncodeFault encoded;
        std::uint64_t written = 0;
        const Status status = own.percent(50) ? writer.write(row, encoded) : writer.writeBatch(row, written, encoded);
        if (status == Status::kFenced) break;
        if (status == Status::kAborted) return;
        ASSERT_EQ(status, Status::kOk);
        ++published;
        if (own.percent(5)) {
          StrandWriter::Run run;
          if (writer.reserve({2, {20, 20}, 50, true}, run) == Status::kOk) {
            std::fill_n(writer.data() + run.slotOffset, strand.geometry.recordStride * run.slotCount, std::byte{0xEE});
            test::jitter(own);
          }
          writer.abandon();
        }
        test::jitter(own);
      }
      if (own.percent(30)) writer.detach();
    }
    writer.detach();
  };
  std::vector<std::thread> writers;
  for (std::uint64_t i = 0; i < kWriters; ++i) writers.emplace_back([&, i] { produce(i); });

  StrandView view = strand.view();
  RecordCursor cursor(view);
  std::array<std::uint64_t, kWriters> last{};
  std::uint64_t next = 0;
  while (next < 60'000 && !HasFailure()) {
    const WaitResult result = view.wait(next, wait::kForever);
    for (; next < result.committed; ++next) {
      ASSERT_EQ(cursor.seek(next), Status::kOk);
      expectWhole(cursor);
      const std::uint64_t number = *cursor.getU64(test::kSequence);
      ASSERT_LT(number & 0xFF, kWriters);
      std::uint64_t& before = last[number & 0xFF];
      ASSERT_GT(number >> 8, before) << "twice, or out of order";
      before = number >> 8;
    }
    ASSERT_EQ(view.acknowledge(next), Status::kOk);
  }
  stop = true;
  view.signalAbort("");
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(view.committed(), published) << "what a writer was told to be written is there, and nothing else";
}

// One thread resets, the others wait, read, acknowledge, register and attach all the time.
TEST(ResetStress, nobodyHangsOrReadsARecordOfAnotherStream) {
  const Random random;
  const TestStrand strand(8, 300);
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> streams = 0;
  std::thread producer([&] {
    Random own = random.fork(1);
    StrandWriter writer = strand.writer();
    EncodeFault fault;
    for (; streams < 3000; ++streams) {
      for (std::uint64_t n = own.below(20); n > 0; --n) {
        // The number names the stream and the record in it.
        const std::uint64_t number = streams * 1000 + writer.committed();
        const std::vector<std::byte> payload = test::makePayload(number, own.below(50));
        const Value row[] = {number, std::span(payload)};
        ASSERT_EQ(writer.write(row, fault), Status::kOk);
      }
      test::jitter(own);
      ASSERT_EQ(writer.reset(), Status::kOk);
    }
    ASSERT_EQ(writer.finalize(), Status::kOk);
    stop = true;
  });

  const auto consume = [&](std::uint64_t self) {
    Random own = random.fork(self + 10);
    StrandView view = strand.view();
    RecordCursor cursor(view);
    while (!stop) {
      std::uint64_t next = 0;
      ConsumerToken token;
      bool registered = false;
      for (;;) {
        const WaitResult result = test::sleepUntilNews(view, next);
        if (result.progress == Progress::kReset) break;
        if (!registered) {
          const Status status = view.registerConsumer(StartAt::kOldest, 0, token);
          if (status == Status::kReset) break;
          ASSERT_EQ(status, Status::kOk);
          registered = true;
          next = view.window().safeFrom;
        }
        for (; next < result.committed; ++next) {
          const Status status = cursor.seek(next);
          if (status == Status::kReset) break;
          ASSERT_EQ(status, Status::kOk);
          const std::uint64_t number = *cursor.getU64(test::kSequence);
          // Looked at before a reset was noticed, the bytes may be anything.
          if (view.wasReset() || !cursor.intact()) break;
          ASSERT_EQ(number % 1000, next);
        }
        if (view.wasReset()) break;
        const Status status = view.acknowledge(next, token);
        if (status == Status::kReset) break;
        ASSERT_EQ(status, Status::kOk);
        if (result.progress == Progress::kEnded) return;
        if (own.percent(10)) {
          (void)view.releaseConsumer(token);
          registered = false;
        }
        test::jitter(own);
      }
    }
  };
  std::vector<std::thread> consumers;
  for (std::uint64_t i = 0; i < 2; ++i) consumers.emplace_back([&, i] { consume(i); });
  // A strand in the middle of a reset is a strand all the same.
  while (!stop) {
    StrandView view;
    Fault fault;
    ASSERT_EQ(StrandView::attach(strand.region, view, fault), Status::kOk) << fault.message;
    ASSERT_LE(view.window().start, view.window().committed);
    ASSERT_LT(view.committed(), 100U);
    std::this_thread::yield();
  }
  producer.join();
  for (std::thread& consumer : consumers) consumer.join();
}

}  // namespace
}  // namespace strand
