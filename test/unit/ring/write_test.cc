#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "layout/strand_layout.h"
#include "ring/record_cursor.h"
#include "ring/strand_writer.h"
#include "support/payload.h"
#include "support/random.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::holdsRecord;
using test::TestStrand;
using test::tryWrite;

TEST(Write, aRecordIsUnreadableUntilItIsPublished) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  const StrandView view = strand.view();
  StrandWriter::Run run;
  ASSERT_EQ(writer.reserve({1, {}, 0}, run), Status::kOk);
  EXPECT_EQ(view.committed(), 0U);
  writer.advance(1);
  EXPECT_EQ(view.committed(), 0U);
  RecordCursor cursor(view);
  EXPECT_EQ(cursor.seek(0), Status::kNotCommitted);
  ASSERT_EQ(writer.publish(), Status::kOk);
  EXPECT_EQ(view.committed(), 1U);
  EXPECT_EQ(cursor.seek(0), Status::kOk);
}

TEST(Write, aFullRingWouldBlockAndTakesOneRecordForEachReleased) {
  for (const std::uint64_t capacity : {1U, 2U, 8U}) {
    const TestStrand strand(capacity, 1024);
    StrandWriter writer = strand.writer();
    StrandView view = strand.view();
    std::uint64_t next = 0;
    for (; next < capacity; ++next) ASSERT_EQ(tryWrite(writer, next, 3), Status::kOk);
    for (std::uint64_t released = 1; released < 40; ++released) {
      ASSERT_EQ(tryWrite(writer, next, 3), Status::kWouldBlock);
      ASSERT_TRUE(holdsRecord(view, released - 1, 3));
      ASSERT_EQ(view.acknowledge(released), Status::kOk);
      ASSERT_EQ(tryWrite(writer, next++, 3), Status::kOk);
    }
  }
}

// "heap payloads of unread records overwritten without an error"
TEST(Write, aHeapTooSmallForWhatIsUnreadBlocksAndNeverOverwrites) {
  test::Random random;
  for (int round = 0; round < 300; ++round) {
    const std::uint64_t heap = random.between(1, 200);
    const TestStrand strand(64, heap);
    StrandWriter writer = strand.writer();
    StrandView view = strand.view();
    std::vector<std::size_t> sizes;
    std::uint64_t released = 0;
    while (sizes.size() < 200) {
      const std::size_t size = random.between(0, heap);
      const Status status = tryWrite(writer, sizes.size(), size);
      if (status == Status::kOk) {
        sizes.push_back(size);
      } else {
        ASSERT_EQ(status, Status::kWouldBlock);
        ASSERT_LT(released, sizes.size()) << "nothing is unread, and " << size << " of " << heap << " bytes block";
        ASSERT_EQ(view.acknowledge(++released), Status::kOk);
      }
      for (std::uint64_t seq = released; seq < sizes.size(); ++seq) {
        ASSERT_TRUE(holdsRecord(view, seq, sizes[seq])) << "heap of " << heap;
      }
    }
  }
}

TEST(Write, payloadsOf30And65BytesPassThroughAHeapOf100FromAnyPosition) {
  for (std::uint64_t start = 0; start < 100; ++start) {
    for (const auto& [first, second] : {std::pair{30U, 65U}, std::pair{65U, 30U}, std::pair{30U, 30U}}) {
      const TestStrand strand(8, 100);
      strand.startAt(start, start);
      StrandWriter writer = strand.writer();
      StrandView view = strand.view();
      std::uint64_t next = start;
      for (int round = 0; round < 50; ++round) {
        for (const std::size_t size : {first, second}) {
          while (tryWrite(writer, next, size) == Status::kWouldBlock) {
            ASSERT_LT(view.effectiveReadCursor(), next) << "blocked for ever from position " << start;
            ASSERT_EQ(view.acknowledge(view.effectiveReadCursor() + 1), Status::kOk);
          }
          ASSERT_TRUE(holdsRecord(view, next, size));
          ++next;
        }
      }
    }
  }
}

TEST(Write, aRecordThatExactlyFillsTheHeapPassesFromAnyPosition) {
  for (std::uint64_t start = 0; start <= 100; ++start) {
    const TestStrand strand(8, 100);
    strand.startAt(start, start);
    StrandWriter writer = strand.writer();
    StrandView view = strand.view();
    ASSERT_EQ(tryWrite(writer, start, 100), Status::kOk);
    ASSERT_TRUE(holdsRecord(view, start, 100));
    ASSERT_EQ(tryWrite(writer, start + 1, 1), Status::kWouldBlock);
    ASSERT_EQ(view.acknowledge(start + 1), Status::kOk);
    ASSERT_EQ(tryWrite(writer, start + 1, 100), Status::kOk);
    ASSERT_TRUE(holdsRecord(view, start + 1, 100));
  }
}

TEST(Write, aRecordWithoutPayloadNeedsNoHeap) {
  const TestStrand strand(8, 100);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  ASSERT_EQ(tryWrite(writer, 0, 100), Status::kOk);
  ASSERT_EQ(tryWrite(writer, 1, 1), Status::kWouldBlock);
  ASSERT_EQ(tryWrite(writer, 1, 0), Status::kOk);
  ASSERT_EQ(view.acknowledge(1), Status::kOk);
  ASSERT_EQ(tryWrite(writer, 2, 100), Status::kOk) << "the record that is unread holds no bytes";
  ASSERT_TRUE(holdsRecord(view, 1, 0));
  ASSERT_TRUE(holdsRecord(view, 2, 100));
}

TEST(Write, alignedPayloadsThatFillTheHeapWithTheirPaddingPassFromAnyPosition) {
  // The index of 5 records of 12 bytes puts the heap 4 bytes beside a multiple of 8.
  const std::vector<FieldSpec> fields{{"a", FieldType::kU32}, {"x", FieldType::kF64Array}};
  for (const std::uint64_t capacity : {1U, 2U}) {
    for (std::uint64_t start = 0; start < 104; ++start) {
      const TestStrand strand(capacity, capacity == 1 ? 100 : 96, fields);
      strand.startAt(start, start);
      StrandWriter writer = strand.writer();
      StrandView view = strand.view();
      const std::vector<double> numbers(12, 1.25);
      const Value row[] = {std::int64_t{1}, std::span(numbers)};
      EncodeFault fault;
      ASSERT_EQ(writer.write(row, fault), Status::kOk);
      RecordCursor cursor(view);
      ASSERT_EQ(cursor.seek(start), Status::kOk);
      const auto read = cursor.getF64Array(1);
      ASSERT_TRUE(read);
      ASSERT_TRUE(std::equal(read->begin(), read->end(), numbers.begin(), numbers.end()));
    }
  }
}

TEST(Write, aRecordThatCanNeverFitIsAnErrorWithItsFieldAndNoWait) {
  const TestStrand strand(8, 100);
  StrandWriter writer = strand.writer();
  const std::vector<std::byte> payload = test::makePayload(0, 101);
  const Value rows[] = {std::uint64_t{0}, Value(), std::uint64_t{1}, std::span(payload)};
  EncodeFault fault;
  EXPECT_EQ(writer.write(std::span(rows).subspan(2), fault), Status::kBadField);
  EXPECT_EQ(fault.error, EncodeError::kTooLong);
  EXPECT_EQ(fault.field, test::kPayload);
  std::uint64_t written = 9;
  EXPECT_EQ(writer.writeBatch(rows, written, fault), Status::kBadField);
  EXPECT_EQ(fault.record, 1U);
  EXPECT_EQ(fault.field, test::kPayload);
  EXPECT_EQ(written, 0U);
  EXPECT_EQ(strand.view().committed(), 0U);
}

TEST(Write, aHeapPayloadForAStrandWithoutAHeapIsRefused) {
  const std::vector<FieldSpec> fields{{"n", FieldType::kU32}};
  const TestStrand strand(4, 0, fields);
  StrandWriter writer = strand.writer();
  const std::vector<std::byte> slot(strand.geometry.recordStride);
  const std::vector<std::byte> heap(1);
  EXPECT_EQ(writer.publishRecord(slot, heap, 1), Status::kHeapTooSmall);
  std::uint64_t offset = 0;
  EXPECT_EQ(writer.claimHeap(1, 1, offset), Status::kHeapTooSmall);
  EXPECT_EQ(writer.publishRecord(slot, {}, 1), Status::kOk);
}

TEST(Write, piecesOfAHeapPartFollowEachOtherInTheRing) {
  test::Random random;
  for (int round = 0; round < 200; ++round) {
    const TestStrand whole(8, 512);
    const TestStrand pieced(8, 512);
    StrandWriter writers[]{whole.writer(), pieced.writer()};
    for (std::uint64_t seq = 0; seq < 8; ++seq) {
      const std::vector<std::byte> payload(random.below(64), static_cast<std::byte>(random.bits()));
      const std::vector<Value> row{seq, std::span<const std::byte>(payload)};
      const RecordImage image = test::encode(whole, row);
      const std::span<const std::byte> heap(image.heap);
      const std::size_t at = random.below(heap.size() + 1);
      const std::size_t to = random.between(at, heap.size());
      const std::span<const std::byte> pieces[]{heap.first(at), heap.subspan(at, to - at), heap.subspan(to)};
      const auto alignment = std::uint32_t{1} << random.below(4);
      ASSERT_EQ(writers[0].publishRecord(image.slot, heap, alignment), Status::kOk);
      ASSERT_EQ(writers[1].publishPieces(image.slot, pieces, alignment), Status::kOk);
    }
    const auto slotsAndHeap = [](const TestStrand& strand) {
      const std::vector<std::byte> bytes = strand.bytes();
      return std::vector(bytes.begin() + static_cast<std::ptrdiff_t>(strand.geometry.headerSize), bytes.end());
    };
    ASSERT_EQ(slotsAndHeap(whole), slotsAndHeap(pieced));
  }
}

// --- batches ---

/// Rows of payloadFields() for records `first` and on, with payloads of the given sizes.
class Rows {
 public:
  Rows(std::uint64_t first, const std::vector<std::size_t>& sizes) {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      payloads_.push_back(test::makePayload(first + i, sizes[i]));
      values_.emplace_back(first + i);
      values_.emplace_back(std::span<const std::byte>(payloads_.back()));
    }
  }
  operator std::span<const Value>() const { return values_; }  // NOLINT(google-explicit-constructor)
  std::vector<Value>& values() { return values_; }

 private:
  std::deque<std::vector<std::byte>> payloads_;
  std::vector<Value> values_;
};

// "a failed batch publishing its half-written slots later"
TEST(WriteBatch, aFailedBatchShowsNothingNowOrLater) {
  const TestStrand strand(16, 512);
  StrandWriter writer = strand.writer();
  const StrandView view = strand.view();
  for (std::size_t bad = 0; bad < 5; ++bad) {
    Rows rows(100, {10, 20, 30, 40, 50});
    rows.values()[bad * 2] = std::int64_t{-1};
    std::uint64_t written = 9;
    EncodeFault fault;
    ASSERT_EQ(writer.writeBatch(rows, written, fault), Status::kBadField);
    ASSERT_EQ(fault.error, EncodeError::kOutOfRange);
    ASSERT_EQ(fault.record, bad);
    ASSERT_EQ(fault.field, test::kSequence);
    ASSERT_EQ(written, 0U);
    ASSERT_EQ(view.committed(), bad);
    ASSERT_EQ(tryWrite(writer, bad, 7), Status::kOk) << "the writer stays usable";
    ASSERT_EQ(view.committed(), bad + 1);
    for (std::uint64_t seq = 0; seq <= bad; ++seq) ASSERT_TRUE(holdsRecord(view, seq, 7));
  }
}

TEST(WriteBatch, anAbandonedRunShowsNothingNowOrLater) {
  const TestStrand strand(8, 256);
  StrandWriter writer = strand.writer();
  const StrandView view = strand.view();
  for (std::uint64_t round = 0; round < 6; ++round) {
    StrandWriter::Run run;
    ASSERT_EQ(writer.reserve({2, {40, 40}, 80}, run), Status::kOk);
    std::fill_n(writer.data() + run.slotOffset, 2 * strand.geometry.recordStride, std::byte{0xEE});
    std::fill_n(writer.data() + run.heapOffset, run.heapBytes, std::byte{0xEE});
    const std::uint32_t ends[] = {40};
    writer.advance(ends);
    writer.abandon();
    ASSERT_EQ(view.committed(), round);
    ASSERT_EQ(tryWrite(writer, round, 20), Status::kOk);
    ASSERT_EQ(view.committed(), round + 1);
    for (std::uint64_t seq = 0; seq <= round; ++seq) ASSERT_TRUE(holdsRecord(view, seq, 20));
  }
}

TEST(WriteBatch, largerThanTheRingPassesAndItsErrorSaysHowManyWereWritten) {
  const TestStrand strand(8, 256);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  constexpr std::uint64_t kRecords = 100;
  Rows rows(0, std::vector<std::size_t>(kRecords, 10));
  rows.values()[90 * 2] = std::string_view("no number");
  std::uint64_t written = 0;
  EncodeFault fault;
  std::thread producer([&] {
    EXPECT_EQ(writer.writeBatch(rows, written, fault), Status::kBadField);
    EXPECT_EQ(writer.finalize(), Status::kOk);
  });
  std::uint64_t read = 0;
  for (;;) {
    const WaitResult result = view.wait(read, wait::kForever);
    for (; read < result.committed; ++read) EXPECT_TRUE(holdsRecord(view, read, 10));
    EXPECT_EQ(view.acknowledge(read), Status::kOk);
    if (result.progress == Progress::kEnded) break;
  }
  producer.join();
  EXPECT_EQ(fault.record, 90U);
  EXPECT_EQ(fault.error, EncodeError::kWrongType);
  EXPECT_EQ(written, read);
  EXPECT_LE(written, 90U);
  EXPECT_GE(written, 90U - 8U);
}

TEST(WriteBatch, payloadsLargerThanTheHeapTogetherPassAndNothingIsLost) {
  test::Random random;
  for (int round = 0; round < 30; ++round) {
    const std::uint64_t heap = random.between(1, 100);
    const TestStrand strand(std::uint64_t{1} << random.below(8), heap);
    StrandWriter writer = strand.writer();
    StrandView view = strand.view();
    std::vector<std::size_t> sizes(random.between(1, 300));
    for (std::size_t& size : sizes) size = random.between(0, heap);
    const Rows rows(0, sizes);
    std::thread producer([&] {
      std::uint64_t written = 0;
      EncodeFault fault;
      EXPECT_EQ(writer.writeBatch(rows, written, fault), Status::kOk);
      EXPECT_EQ(written, sizes.size());
      EXPECT_EQ(writer.finalize(), Status::kOk);
    });
    std::uint64_t read = 0;
    for (;;) {
      const WaitResult result = view.wait(read, wait::kForever);
      for (; read < result.committed; ++read) EXPECT_TRUE(holdsRecord(view, read, sizes[read]));
      EXPECT_EQ(view.acknowledge(read), Status::kOk);
      if (result.progress == Progress::kEnded) break;
    }
    producer.join();
    ASSERT_EQ(read, sizes.size());
  }
}

/// Sizes of 1 to `most` payloads that take at most `bytes` together.
std::vector<std::size_t> sizesWithin(test::Random& random, std::uint64_t most, std::uint64_t bytes) {
  std::vector<std::size_t> sizes(random.between(1, most));
  for (std::size_t& size : sizes) {
    size = random.percent(20) ? random.between(0, bytes) : random.between(0, bytes / sizes.size());
    bytes -= size;
  }
  return sizes;
}

/// Writes a batch as writeBatch does, with a consumer that releases one record whenever there is no room, and expects
/// that it becomes visible by its last step only.
void expectOneStep(StrandWriter& writer, StrandView& view, std::span<const RecordImage> images) {
  const Geometry& geometry = writer.header().geometry;
  const std::uint64_t before = view.committed();
  std::size_t done = 0;
  while (done < images.size()) {
    const std::uint64_t bytes = images[done].heap.size();
    const HeapRing::Need need{bytes == 0 ? 0 : bytes + images[done].alignment - 1, bytes};
    StrandWriter::Run run;
    const Status status = writer.reserve({images.size() - done, need, geometry.heapCapacity}, run);
    ASSERT_EQ(view.committed(), before) << "a part of the batch is visible";
    if (status == Status::kWouldBlock) {
      ASSERT_LT(view.effectiveReadCursor(), before) << "the batch waits for itself";
      ASSERT_EQ(view.acknowledge(view.effectiveReadCursor() + 1), Status::kOk);
      continue;
    }
    ASSERT_EQ(status, Status::kOk);
    const std::vector<std::uint32_t> ends = test::fillRun(writer, run, images.subspan(done));
    ASSERT_FALSE(ends.empty()) << "no room for the record that asked";
    done += ends.size();
    writer.advance(ends);
  }
  ASSERT_EQ(view.committed(), before) << "a part of the batch is visible";
  ASSERT_EQ(writer.publish(), Status::kOk);
  ASSERT_EQ(view.committed(), before + images.size());
}

TEST(WriteBatch, ofAtMostTheRingAndHalfTheHeapBecomesVisibleInOneStep) {
  test::Random random;
  for (int round = 0; round < 4000; ++round) {
    const std::uint64_t capacity = std::uint64_t{1} << random.below(5);
    const std::uint64_t heap = random.between(1, 150);
    const TestStrand strand(capacity, heap);
    const std::uint64_t start = random.below(300);
    strand.startAt(start, random.below(heap * 2));
    StrandWriter writer = strand.writer();
    StrandView view = strand.view();
    // Something unread before the batch, so that it may have to wait.
    std::uint64_t next = start;
    for (std::uint64_t n = random.below(capacity + 1); n > 0; --n) {
      if (tryWrite(writer, next, random.between(0, heap)) == Status::kOk) ++next;
    }
    const std::vector<std::size_t> sizes = sizesWithin(random, capacity, heap / 2);
    std::vector<RecordImage> images;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const std::vector<std::byte> payload = test::makePayload(next + i, sizes[i]);
      const Value row[] = {next + i, std::span<const std::byte>(payload)};
      images.push_back(test::encode(strand, row));
    }
    expectOneStep(writer, view, images);
    ASSERT_FALSE(HasFatalFailure()) << "heap of " << heap;
    for (std::size_t i = 0; i < sizes.size(); ++i) ASSERT_TRUE(holdsRecord(view, next + i, sizes[i]));
  }
}

TEST(WriteBatch, ofAlignedArraysBecomesVisibleInOneStepTooWhereTheirPaddingFitsTheHalf) {
  test::Random random;
  const std::vector<FieldSpec> fields{{"n", FieldType::kU64}, {"b", FieldType::kBytes}, {"x", FieldType::kF64Array}};
  for (int round = 0; round < 2000; ++round) {
    const std::uint64_t capacity = std::uint64_t{1} << random.below(5);
    const std::uint64_t heap = random.between(32, 400);
    const TestStrand strand(capacity, heap, fields);
    strand.startAt(0, random.below(heap * 2));
    StrandWriter writer = strand.writer();
    StrandView view = strand.view();
    std::vector<RecordImage> images;
    std::uint64_t taken = 2 * sizeof(double);
    while (images.size() < capacity) {
      const std::vector<std::byte> bytes(random.percent(50) ? random.below(heap / 6) : 0);
      const std::vector<double> numbers(random.below(4), 0.5);
      const Value row[] = {std::uint64_t{1}, std::span<const std::byte>(bytes), std::span<const double>(numbers)};
      RecordImage image;
      const HeapPlacement placement{strand.geometry.heapStart, heap};
      if (encodeRecord(strand.schema, row, placement, image).error != EncodeError::kNone) break;
      taken += layout::alignUp(image.heap.size(), sizeof(double));
      if (taken > heap / 2) break;
      images.push_back(std::move(image));
    }
    expectOneStep(writer, view, images);
    ASSERT_FALSE(HasFatalFailure()) << "heap of " << heap;
  }
}

TEST(WriteBatch, isWrittenWholeByTheBlockingCallToo) {
  test::Random random;
  for (int round = 0; round < 500; ++round) {
    const std::uint64_t capacity = std::uint64_t{1} << random.below(5);
    const TestStrand strand(capacity, random.between(2, 150));
    strand.startAt(0, random.below(300));
    StrandWriter writer = strand.writer();
    const StrandView view = strand.view();
    const std::vector<std::size_t> sizes = sizesWithin(random, capacity, strand.geometry.heapCapacity / 2);
    std::uint64_t written = 0;
    EncodeFault fault;
    ASSERT_EQ(writer.writeBatch(Rows(0, sizes), written, fault), Status::kOk);
    ASSERT_EQ(written, sizes.size());
    for (std::size_t i = 0; i < sizes.size(); ++i) ASSERT_TRUE(holdsRecord(view, i, sizes[i]));
  }
}

TEST(WriteBatch, withoutRowsWritesNothing) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  std::uint64_t written = 0;
  EncodeFault fault;
  ASSERT_EQ(writer.writeBatch(Rows(0, {1, 2, 3}), written, fault), Status::kOk);
  ASSERT_EQ(written, 3U);
  ASSERT_EQ(writer.writeBatch({}, written, fault), Status::kOk);
  EXPECT_EQ(written, 0U);
  EXPECT_EQ(strand.view().committed(), 3U);
}

TEST(WriteBatch, isRefusedInsideAnOpenBatchAndLeavesThatAlone) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  const StrandView view = strand.view();
  StrandWriter::Run run;
  ASSERT_EQ(writer.reserve({2, {}, 0}, run), Status::kOk);
  writer.advance(1);
  std::uint64_t written = 0;
  EncodeFault fault;
  EXPECT_EQ(writer.writeBatch(Rows(0, {1}), written, fault), Status::kBatchOpen);
  EXPECT_EQ(writer.writeBatch({}, written, fault), Status::kBatchOpen);
  EXPECT_EQ(tryWrite(writer, 0, 1), Status::kBatchOpen);
  EXPECT_EQ(writer.finalize(), Status::kBatchOpen);
  std::uint64_t first = 0;
  EXPECT_EQ(writer.claimSlots(1, first), Status::kBatchOpen);
  std::uint64_t offset = 0;
  EXPECT_EQ(writer.claimHeap(1, 1, offset), Status::kBatchOpen);
  EXPECT_EQ(view.committed(), 0U);
  EXPECT_EQ(writer.publish(), Status::kOk);
  EXPECT_EQ(view.committed(), 1U);
}

TEST(WriteBatch, beginInsideAnOpenBatchKeepsItsSlotsFromANewerWriter) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  StrandWriter::Run run;
  ASSERT_EQ(writer.reserve({1, {}, 0}, run), Status::kOk);
  ASSERT_EQ(writer.begin(), Status::kOk);
  StrandWriter newer;
  Fault fault;
  EXPECT_EQ(StrandWriter::attach(strand.region, {}, newer, fault), Status::kBusy);
}

TEST(WriteBatch, takesWhatThereIsRoomForWhereItMayNotBlock) {
  const TestStrand strand(4, 1024);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  std::vector<RecordImage> images;
  for (std::uint64_t i = 0; i < 10; ++i) {
    const std::vector<std::byte> payload = test::makePayload(i, 5);
    const Value row[] = {i, std::span<const std::byte>(payload)};
    images.push_back(test::encode(strand, row));
  }
  test::BatchResult result = test::tryWriteBatch(writer, images);
  EXPECT_EQ(result.status, Status::kWouldBlock);
  EXPECT_EQ(result.visible, 4U);
  ASSERT_EQ(view.acknowledge(3), Status::kOk);
  result = test::tryWriteBatch(writer, std::span(images).subspan(4));
  EXPECT_EQ(result.visible, 3U);
  EXPECT_EQ(view.committed(), 7U);
  for (std::uint64_t seq = 3; seq < 7; ++seq) EXPECT_TRUE(holdsRecord(view, seq, 5));
}

// --- the writer as an object ---

TEST(StrandWriter, movesWithAllItKnows) {
  const TestStrand strand;
  StrandWriter first = strand.writer();
  std::uint64_t written = 0;
  EncodeFault fault;
  ASSERT_EQ(first.writeBatch(Rows(0, {5, 5}), written, fault), Status::kOk);
  StrandWriter second = std::move(first);
  EXPECT_EQ(second.publishedInBatch(), 2U);
  EXPECT_EQ(second.committed(), 2U);
  EXPECT_EQ(tryWrite(second, 2, 5), Status::kOk);
  for (std::uint64_t seq = 0; seq < 3; ++seq) EXPECT_TRUE(holdsRecord(strand.view(), seq, 5));
}

TEST(StrandWriter, answersEveryCallAfterItsEnd) {
  const TestStrand strand;
  StrandWriter writer = strand.writer();
  writer.close();
  StrandWriter never;
  for (StrandWriter* closed : {&writer, &never}) {
    std::uint64_t number = 0;
    EncodeFault fault;
    StrandWriter::Run run;
    const Value row[] = {std::uint64_t{1}};
    EXPECT_EQ(closed->write(row, fault), Status::kClosed);
    EXPECT_EQ(closed->writeBatch(row, number, fault), Status::kClosed);
    EXPECT_EQ(closed->publishRecord({}, {}, 1), Status::kClosed);
    EXPECT_EQ(closed->reserve({1, {}, 0}, run), Status::kClosed);
    EXPECT_EQ(closed->publish(), Status::kClosed);
    EXPECT_EQ(closed->claimSlots(1, number), Status::kClosed);
    EXPECT_EQ(closed->commitSlots(0, 1), Status::kClosed);
    EXPECT_EQ(closed->claimHeap(1, 1, number), Status::kClosed);
    EXPECT_EQ(closed->commitHeap(), Status::kClosed);
    EXPECT_EQ(closed->begin(), Status::kClosed);
    EXPECT_EQ(closed->finalize(), Status::kClosed);
    EXPECT_EQ(closed->abort("x"), Status::kClosed);
    EXPECT_EQ(closed->reset(), Status::kClosed);
    EXPECT_EQ(closed->state(), Status::kClosed);
    closed->abandon();
    closed->detach();
    closed->close();
  }
}

TEST(StrandWriter, countsRecordsAndTheBytesOfSlotsAndPayloads) {
  const TestStrand strand(8, 100);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  constexpr std::uint64_t kRecords = 50;
  for (std::uint64_t seq = 0; seq < kRecords; ++seq) {
    ASSERT_EQ(tryWrite(writer, seq, 30), Status::kOk);
    ASSERT_EQ(view.acknowledge(seq + 1), Status::kOk);
  }
  EXPECT_EQ(writer.stats().records, kRecords);
  EXPECT_EQ(writer.stats().bytes, kRecords * (strand.geometry.recordStride + 30));
  std::uint64_t written = 0;
  EncodeFault fault;
  ASSERT_EQ(writer.writeBatch(Rows(kRecords, {30, 30}), written, fault), Status::kOk);
  EXPECT_EQ(view.stats().recordsProduced, kRecords + 2);
  EXPECT_EQ(view.stats().bytesProduced, (kRecords + 2) * (strand.geometry.recordStride + 30));
  EXPECT_EQ(view.stats().queueDepth, 2U);
  EXPECT_EQ(writer.stats().queueDepth, 2U);
}

TEST(StrandWriter, countsOneStallForEachWait) {
  const TestStrand strand(1, 100);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  ASSERT_EQ(tryWrite(writer, 0, 1), Status::kOk);
  EXPECT_EQ(writer.stats().stalls, 0U);
  ASSERT_EQ(tryWrite(writer, 1, 1), Status::kWouldBlock);
  EXPECT_FALSE(writer.awaitSpace(std::chrono::microseconds(1)));
  EXPECT_FALSE(writer.awaitSpace(std::chrono::microseconds(1)));
  EXPECT_EQ(writer.stats().stalls, 1U);
  ASSERT_EQ(view.acknowledge(1), Status::kOk);
  EXPECT_TRUE(writer.awaitSpace(wait::kForever));
  ASSERT_EQ(tryWrite(writer, 1, 1), Status::kOk);
  EXPECT_EQ(view.stats().producerStalls, 1U);
  EXPECT_GT(view.stats().producerStallNanos, 0U);
}

// Positions end at 2^53: they may not run ahead of the bytes that were written, however large the heap is.
TEST(StrandWriter, heapPositionsAdvanceByWhatIsWrittenAndSkipped) {
  constexpr std::uint64_t kHeap = 1000;
  const TestStrand strand(8, kHeap);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  constexpr std::uint64_t kRecords = 1000;
  for (std::uint64_t seq = 0; seq < kRecords; ++seq) {
    ASSERT_EQ(tryWrite(writer, seq, 10), Status::kOk);
    ASSERT_EQ(view.acknowledge(seq + 1), Status::kOk);
  }
  EXPECT_EQ(strand.words().heapCommit().loadAcquire(), kRecords * 10);
}

TEST(StrandWriter, aReleasedRecordStaysReadableUntilItsBytesAreNeeded) {
  const TestStrand strand(64, 1000);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  for (std::uint64_t seq = 0; seq < 32; ++seq) {
    ASSERT_EQ(tryWrite(writer, seq, 10), Status::kOk);
    ASSERT_EQ(view.acknowledge(seq + 1), Status::kOk);
  }
  for (std::uint64_t seq = 0; seq < 32; ++seq) EXPECT_TRUE(holdsRecord(view, seq, 10)) << seq;
}

}  // namespace
}  // namespace strand
