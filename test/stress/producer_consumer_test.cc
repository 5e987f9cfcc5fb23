#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <deque>
#include <thread>
#include <vector>

#include "memory/little_endian.h"
#include "ring/record_cursor.h"
#include "ring/strand_view.h"
#include "ring/strand_writer.h"
#include "support/jitter.h"
#include "support/payload.h"
#include "support/random.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::holdsRecord;
using test::Random;
using test::TestStrand;

/// Size of record `seq`'s payload, the same for who writes and who reads.
std::size_t sizeOf(std::uint64_t seq, std::uint64_t heap) {
  const auto mixed = (seq + 7) * 0x9E3779B97F4A7C15U >> 40;
  return mixed % 10 == 0 ? mixed % (heap + 1) : mixed % (heap / 4 + 1);
}

/// Drains as a user would, checking every byte of every record. @return how many there were
std::uint64_t drain(const TestStrand& strand, Random random, bool registered) {
  StrandView view = strand.view();
  ConsumerToken token;
  if (registered) {
    EXPECT_EQ(view.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
  }
  std::uint64_t next = 0;
  for (;;) {
    const WaitResult result = view.wait(next, wait::kForever);
    while (next < result.committed) {
      EXPECT_TRUE(holdsRecord(view, next, sizeOf(next, strand.geometry.heapCapacity)));
      ++next;
      if (random.percent(30)) {
        EXPECT_EQ(registered ? view.acknowledge(next, token) : view.acknowledge(next), Status::kOk);
      }
      test::jitter(random);
      if (::testing::Test::HasFailure()) std::abort();  // a damaged record would be followed by thousands
    }
    EXPECT_EQ(registered ? view.acknowledge(next, token) : view.acknowledge(next), Status::kOk);
    if (view.status() == StreamState::kEos) return next;
    EXPECT_NE(result.progress, Progress::kPending);
  }
}

void writeSingly(StrandWriter& writer, std::uint64_t count, Random& random) {
  const std::uint64_t heap = writer.header().geometry.heapCapacity;
  EncodeFault fault;
  for (std::uint64_t seq = 0; seq < count; ++seq) {
    const std::vector<std::byte> payload = test::makePayload(seq, sizeOf(seq, heap));
    const Value row[] = {seq, std::span(payload)};
    ASSERT_EQ(writer.write(row, fault), Status::kOk);
    test::jitter(random);
  }
}

void writeInBatches(StrandWriter& writer, std::uint64_t count, Random& random) {
  const std::uint64_t heap = writer.header().geometry.heapCapacity;
  EncodeFault fault;
  for (std::uint64_t seq = 0; seq < count;) {
    const std::uint64_t batch = std::min(random.between(1, 40), count - seq);
    std::deque<std::vector<std::byte>> payloads;
    std::vector<Value> rows;
    for (std::uint64_t i = 0; i < batch; ++i, ++seq) {
      payloads.push_back(test::makePayload(seq, sizeOf(seq, heap)));
      rows.emplace_back(seq);
      rows.emplace_back(std::span<const std::byte>(payloads.back()));
    }
    std::uint64_t written = 0;
    ASSERT_EQ(writer.writeBatch(rows, written, fault), Status::kOk);
    ASSERT_EQ(written, batch);
    test::jitter(random);
  }
}

void writeByClaims(StrandWriter& writer, std::uint64_t count, Random& random) {
  const Geometry& geometry = writer.header().geometry;
  const auto blocking = [&](auto call) {
    for (Status status = call(); status != Status::kOk; status = call()) {
      ASSERT_EQ(status, Status::kWouldBlock);
      (void)writer.awaitSpace(wait::kForever);
    }
  };
  for (std::uint64_t seq = 0; seq < count; ++seq) {
    std::uint64_t first = 0;
    std::uint64_t offset = 0;
    const std::size_t size = sizeOf(seq, geometry.heapCapacity);
    blocking([&] { return writer.claimSlots(1, first); });
    blocking([&] { return writer.claimHeap(size, 1, offset); });
    ASSERT_EQ(first, seq);
    std::byte* const slot = writer.data() + writer.slotOffset(seq);
    storeLittle(slot + writer.schema().fields()[test::kSequence].offset, seq);
    std::byte* const pointer = slot + writer.schema().fields()[test::kPayload].offset;
    storeLittle(pointer, static_cast<std::uint32_t>(offset));
    storeLittle(pointer + 4, static_cast<std::uint32_t>(size));
    test::fillPayload(seq, {writer.data() + geometry.heapStart + offset, size});
    test::jitter(random);
    ASSERT_EQ(writer.commitSlots(seq, 1), Status::kOk);
  }
}

using Write = void (*)(StrandWriter&, std::uint64_t, Random&);

struct Shape {
  std::uint64_t capacity;
  std::uint64_t heap;
};

void run(Write write, bool registered, std::uint64_t count) {
  const Random random;
  std::uint64_t round = 0;
  for (const Shape& shape : {Shape{1, 50}, Shape{2, 1}, Shape{4, 100}, Shape{64, 333}, Shape{256, 65536}}) {
    const TestStrand strand(shape.capacity, shape.heap);
    StrandWriter writer = strand.writer();
    Random mine = random.fork(++round);
    std::thread consumer([&] { EXPECT_EQ(drain(strand, random.fork(1000 + round), registered), count); });
    write(writer, count, mine);
    EXPECT_EQ(writer.finalize(), Status::kOk);
    consumer.join();
  }
}

constexpr std::uint64_t kOfARun = 6000;

TEST(ProducerConsumerStress, singleRecordsArriveWholeAndInOrder) { run(writeSingly, false, kOfARun); }
TEST(ProducerConsumerStress, batchesArriveWholeAndInOrder) { run(writeInBatches, false, kOfARun); }
TEST(ProducerConsumerStress, claimsArriveWholeAndInOrder) { run(writeByClaims, false, kOfARun); }
TEST(ProducerConsumerStress, aRegisteredConsumerReceivesThemToo) { run(writeInBatches, true, kOfARun); }

// "finalize() racing with a drain loses nothing"
TEST(FinalizeRace, theDrainLoopOfTheDocumentsLosesNothing) {
  const Random random;
  for (std::uint64_t round = 0; round < 1500; ++round) {
    Random mine = random.fork(round);
    const TestStrand strand(4, 64);
    const std::uint64_t count = mine.below(12);
    std::thread producer([&] {
      Random own = random.fork(round + 1'000'000);
      StrandWriter writer = strand.writer();
      writeSingly(writer, count, own);
      test::jitter(own);
      EXPECT_EQ(writer.finalize(), Status::kOk);
    });
    // n = await waitForCommit(seq); read to n; acknowledgeRead(n); if (status === 'eos') break
    StrandView view = strand.view();
    std::uint64_t seq = 0;
    for (;;) {
      const std::uint64_t n = test::sleepUntilNews(view, seq).committed;
      for (; seq < n; ++seq) EXPECT_TRUE(holdsRecord(view, seq, sizeOf(seq, 64)));
      EXPECT_EQ(view.acknowledge(n), Status::kOk);
      test::jitter(mine);
      if (view.status() == StreamState::kEos) break;
    }
    producer.join();
    ASSERT_EQ(seq, count);
  }
}

TEST(AbortRace, aProducerAlwaysSeesIt) {
  const Random random;
  for (std::uint64_t round = 0; round < 300; ++round) {
    const TestStrand strand(4, 64);
    std::thread producer([&] {
      StrandWriter writer = strand.writer();
      Random own = random.fork(round);
      EncodeFault fault;
      const std::vector<std::byte> payload(20);
      const Value row[] = {std::uint64_t{1}, std::span(payload)};
      Status status = Status::kOk;
      while (status == Status::kOk || status == Status::kWouldBlock) {
        status = writer.write(row, fault);
        test::jitter(own);
      }
      EXPECT_EQ(status, Status::kAborted);
      EXPECT_EQ(writer.abortReason(), "enough");
    });
    StrandView view = strand.view();
    Random mine = random.fork(round + 1'000'000);
    std::uint64_t read = 0;
    for (std::uint64_t n = mine.below(30); n > 0; --n) {
      read = test::sleepUntilNews(view, read).committed;
      EXPECT_EQ(view.acknowledge(read), Status::kOk);
    }
    view.signalAbort("enough");
    producer.join();
  }
}

// A thread may end at any point of what it does: its writer's and view's destructors run, and nobody is left waiting.
TEST(DeathRace, whoeverEndsAnywhereLeavesNobodyWaiting) {
  const Random random;
  for (std::uint64_t round = 0; round < 300; ++round) {
    const TestStrand strand(4, 100);
    std::thread producer([&] {
      StrandWriter writer = strand.writer();
      Random own = random.fork(round);
      const std::vector<std::byte> payload(20);
      const Value row[] = {std::uint64_t{1}, std::span(payload)};
      EncodeFault fault;
      for (std::uint64_t n = own.below(40); n > 0; --n) ASSERT_EQ(writer.write(row, fault), Status::kOk);
      std::uint64_t first = 0;
      StrandWriter::Run reserved;
      if (own.percent(30)) (void)writer.claimSlots(2, first);
      if (own.percent(30)) (void)writer.reserve({2, {30, 30}, 60, true}, reserved);
    });
    // Two consumers; one may leave early, and the producer must not wait for it.
    std::array<std::thread, 2> consumers;
    std::atomic<int> registered = 0;
    for (std::size_t c = 0; c < 2; ++c) {
      consumers[c] = std::thread([&, c] {
        Random own = random.fork(round + 1'000'000 * (c + 1));
        StrandView view = strand.view();
        ConsumerToken token;
        EXPECT_EQ(view.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
        ++registered;
        while (registered < 2) std::this_thread::yield();
        std::uint64_t life = c == 0 ? own.below(10) : ~std::uint64_t{0};
        std::uint64_t read = 0;
        for (; life > 0; --life) {
          const WaitResult result = test::sleepUntilNews(view, read);
          read = result.committed;
          EXPECT_EQ(view.acknowledge(read, token), Status::kOk);
          if (result.progress == Progress::kEnded) break;
        }
      });
    }
    for (std::thread& consumer : consumers) consumer.join();
    producer.join();
    ASSERT_EQ(strand.view().producerStatus(), StreamState::kError);
  }
}

}  // namespace
}  // namespace strand
