#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "memory/atomic_word.h"
#include "record/crc32.h"
#include "ring/record_cursor.h"
#include "ring/record_snapshot.h"
#include "ring/strand_view.h"
#include "ring/strand_writer.h"
#include "ring/text_stretch.h"
#include "support/jitter.h"
#include "support/payload.h"
#include "support/random.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::Random;
using test::TestStrand;

/// Records that carry a checksum of themselves: { sequence: u64, crc: u32, payload: large_bytes }.
const std::vector<FieldSpec> kFields{
    {"sequence", FieldType::kU64}, {"crc", FieldType::kU32}, {"payload", FieldType::kLargeBytes}};

std::uint32_t checksum(std::uint64_t sequence, std::span<const std::byte> payload) {
  return crc32(payload) ^ static_cast<std::uint32_t>(sequence * 0x9E3779B9U);
}

/// Writes until told to stop, as fast as the consumers let it.
class Producer {
 public:
  Producer(const TestStrand& strand, Random random) : strand_(strand), thread_([this, random] { produce(random); }) {}
  ~Producer() {
    stop_ = true;
    strand_.view().signalAbort("the test is over");
    thread_.join();
  }

 private:
  void produce(Random random) {
    StrandWriter writer = strand_.writer();
    EncodeFault fault;
    const std::uint64_t heap = strand_.geometry.heapCapacity;
    for (std::uint64_t seq = 0; !stop_; ++seq) {
      const std::vector<std::byte> payload =
          test::makePayload(seq, random.below(random.percent(10) ? heap + 1 : heap / 8 + 1));
      const Value row[] = {seq, std::uint64_t{checksum(seq, payload)}, std::span(payload)};
      const Status status = writer.write(row, fault);
      if (status == Status::kAborted) return;
      ASSERT_EQ(status, Status::kOk);
      if (random.percent(1)) {
        // Filled with nonsense and given up.
        StrandWriter::Run run;
        if (writer.reserve({1, {heap / 4, heap / 4}, heap, true}, run) == Status::kOk) {
          std::fill_n(writer.data() + run.slotOffset, strand_.geometry.recordStride * run.slotCount, std::byte{0xEE});
          std::fill_n(writer.data() + run.heapOffset, run.heapBytes, std::byte{0xEE});
        }
        writer.abandon();
      }
    }
  }

  const TestStrand& strand_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

// "consumers that come and go at random while a producer runs never read an overwritten record"
TEST(ConsumersStress, thoseThatComeAndGoNeverReadAnOverwrittenRecord) {
  for (const auto& [capacity, heap] : {std::pair{4U, 120U}, std::pair{16U, 400U}}) {
    const Random random;
    const TestStrand strand(capacity, heap, kFields);
    std::atomic<std::uint64_t> checked = 0;
    const auto consume = [&](std::uint64_t number) {
      Random own = random.fork(number);
      while (checked < 60'000 && !::testing::Test::HasFailure()) {
        StrandView view = strand.view();
        ConsumerToken token;
        const auto start = own.percent(60) ? StartAt::kOldest : StartAt::kLatest;
        const Status status = view.registerConsumer(start, 0, token);
        if (status == Status::kNoVacantSlot) continue;
        ASSERT_EQ(status, Status::kOk);
        std::uint64_t next = view.window().safeFrom;
        RecordCursor cursor(view);
        for (std::uint64_t rounds = own.below(20); rounds > 0; --rounds) {
          const std::uint64_t committed = view.wait(next, std::chrono::milliseconds(1)).committed;
          const std::uint64_t end = own.percent(80) ? committed : own.between(next, std::max(next, committed));
          for (; next < end; ++next) {
            ASSERT_EQ(cursor.seek(next), Status::kOk) << "what a consumer has not released cannot be overwritten";
            const auto payload = *cursor.getBytes(2);
            ASSERT_EQ(cursor.getU64(0), next);
            ASSERT_EQ(cursor.getU32(1), checksum(next, payload)) << "record " << next << " was overwritten";
            ++checked;
            test::jitter(own);
          }
          ASSERT_EQ(view.acknowledge(next, token), Status::kOk);
        }
        if (own.percent(50)) {
          ASSERT_EQ(view.releaseConsumer(token), Status::kOk);
        }
      }
    };
    std::vector<std::thread> consumers;
    {
      const Producer producer(strand, random.fork(capacity * 1000));
      // More threads than slots, and one that never registers but releases for all while nobody is.
      for (std::uint64_t i = 0; i < 3; ++i) consumers.emplace_back([&, i] { consume(i); });
      Random own = random.fork(77);
      StrandView tokenless = strand.view();
      while (checked < 60'000 && !HasFailure()) {
        const Status status = tokenless.acknowledge(tokenless.committed());
        ASSERT_TRUE(status == Status::kOk || status == Status::kTokenRequired);
        test::jitter(own);
        std::this_thread::yield();
      }
      for (std::thread& consumer : consumers) consumer.join();
    }
  }
}

/// Copies slot and payload of a record that may be overwritten meanwhile. nullopt where it was.
std::optional<std::uint64_t> readBehind(const StrandView& view, std::uint64_t seq) {
  const std::span<const Field> fields = view.schema().fields();
  const RecordReader record(view.slot(seq), view.heap());
  const auto sequence = record.number<std::uint64_t>(fields[0]);
  const auto crc = record.number<std::uint32_t>(fields[1]);
  const auto pointer = record.pointer(fields[2]);
  std::vector<std::byte> payload(pointer ? pointer->length : 0);
  if (pointer) copyRacy(payload.data(), record.payload(*pointer).data(), payload.size());
  if (!view.intact(seq)) return std::nullopt;
  EXPECT_TRUE(pointer);
  EXPECT_EQ(sequence, seq);
  EXPECT_EQ(crc, checksum(seq, payload)) << "record " << seq << " is called intact";
  return sequence;
}

TEST(ConsumersStress, whatIsReadBehindTheGateAndCalledIntactIsWhatWasWritten) {
  const Random random;
  for (const auto& [capacity, heap] : {std::pair{8U, 100U}, std::pair{64U, 1000U}, std::pair{256U, 100'000U}}) {
    const TestStrand strand(capacity, heap, kFields);
    const Producer producer(strand, random.fork(capacity));
    Random own = random.fork(capacity + 1);
    StrandView view = strand.view();
    std::uint64_t intact = 0;
    std::uint64_t looked = 0;
    std::vector<std::byte> copy(strand.schema.recordStride() + heap + 16);
    while ((intact < 5000 || looked < 20'000) && !HasFailure()) {
      const std::uint64_t committed = view.committed();
      ASSERT_EQ(view.acknowledge(committed), Status::kOk);
      const Window window = view.window();
      for (std::uint64_t n = 0; n < 20; ++n) {
        if (window.committed == 0) break;
        const std::uint64_t seq = own.between(window.start, window.committed) - (own.percent(5) ? 0 : 1);
        if (seq >= window.committed) continue;
        ++looked;
        if (own.percent(50)) {
          if (readBehind(view, seq)) ++intact;
          continue;
        }
        std::uint64_t bytes = 0;
        if (snapshotRecord(view, seq, copy, bytes) != Status::kOk || bytes > copy.size()) continue;
        ++intact;
        const std::span<const std::byte> all(copy);
        const RecordReader record(all.first(strand.schema.recordStride()), all.subspan(strand.schema.recordStride()));
        const std::span<const Field> fields = strand.schema.fields();
        ASSERT_EQ(record.number<std::uint64_t>(fields[0]), seq);
        ASSERT_TRUE(record.pointer(fields[2]));
        ASSERT_EQ(record.number<std::uint32_t>(fields[1]), checksum(seq, record.payload(*record.pointer(fields[2]))));
      }
    }
  }
}

TEST(ConsumersStress, aSearchOverRecordsThatAreBeingOverwrittenFindsWhatIsThere) {
  const std::vector<FieldSpec> fields{{"n", FieldType::kU64, kFieldSortedAscending}};
  const TestStrand strand(64, 0, fields);
  std::atomic<bool> stop = false;
  std::thread producer([&] {
    StrandWriter writer = strand.writer();
    EncodeFault fault;
    for (std::uint64_t seq = 0; !stop; ++seq) {
      const Value row[] = {seq * 3};
      if (writer.write(row, fault) != Status::kOk) return;
      if (seq % 16 == 0) std::this_thread::yield();
    }
  });
  StrandView view = strand.view();
  Random random;
  for (int found = 0; found < 20'000;) {
    const std::uint64_t committed = view.committed();
    ASSERT_EQ(view.acknowledge(committed), Status::kOk);
    if (committed < 70) continue;
    const std::uint64_t wanted = committed - random.between(1, 60);
    std::int64_t at = -1;
    ASSERT_EQ(view.findFirst(0, wanted * 3 - 1, at), Status::kOk);
    // It was in the window at the time, or the window had moved past it, and then its start is the answer.
    ASSERT_GE(at, static_cast<std::int64_t>(wanted));
    if (at > static_cast<std::int64_t>(wanted)) {
      ASSERT_LE(at, static_cast<std::int64_t>(view.window().start));
    }
    ++found;
  }
  stop = true;
  view.signalAbort("");
  producer.join();
}

// "text changed by another thread while it is read never crashes"
TEST(ConsumersStress, textThatChangesWhileItIsGatheredIsDecodedFromACopy) {
  const std::vector<FieldSpec> fields{{"text", FieldType::kLargeUtf8}};
  const TestStrand strand(16, 4096, fields);
  StrandWriter writer = strand.writer();
  const std::string text(200, 'x');
  EncodeFault fault;
  for (int i = 0; i < 16; ++i) {
    const Value row[] = {std::string_view(text)};
    ASSERT_EQ(writer.write(row, fault), Status::kOk);
  }
  std::atomic<bool> stop = false;
  const Random random;
  std::thread vandal([&] {
    Random own = random.fork(1);
    const auto anyByte = [&] {
      return static_cast<std::uint8_t>(own.percent(30) ? 'x' : own.percent(50) ? 0x80 + own.below(0x80) : own.bits());
    };
    while (!stop) {
      // Text all the time, pointers and lengths now and then, and those only for a moment.
      for (int i = 0; i < 200; ++i) {
        Word8(strand.region.data(), strand.geometry.heapStart + own.below(3200)).storeRelaxed(anyByte());
      }
      const Word8 pointer(strand.region.data(), strand.geometry.headerSize +
                                                    own.below(strand.geometry.heapStart - strand.geometry.headerSize));
      const std::uint8_t before = pointer.loadRelaxed();
      pointer.storeRelaxed(anyByte());
      pointer.storeRelaxed(before);
    }
  });
  const StrandView view = strand.view();
  TextStretch stretch;
  std::uint64_t decoded = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::array<std::uint32_t, 16> ends{};
    std::uint64_t at = 0;
    while (at < 16) {
      const std::uint32_t count = stretch.gather(view, view.schema().fields()[0], at, std::span(ends).first(16 - at));
      ASSERT_GE(count, 1U);
      std::uint32_t before = 0;
      const std::size_t size = stretch.isAscii() ? stretch.ascii().size() : stretch.utf16().size();
      for (std::uint32_t n = 0; n < count; ++n) {
        const std::uint32_t textEnd = ends[n] & ~TextStretch::kAbsent;
        ASSERT_GE(textEnd, before);
        ASSERT_LE(textEnd, size);
        before = textEnd;
      }
      decoded += size;
      if (stretch.isAscii()) {
        for (const char c : stretch.ascii()) ASSERT_GE(c, 0) << "what was tested is what was read";
      }
      at += count;
    }
  }
  stop = true;
  vandal.join();
  EXPECT_GT(decoded, 10'000U * 1000U) << "most texts must have been there";
}

}  // namespace
}  // namespace strand
