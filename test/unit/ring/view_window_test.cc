#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "ring/record_cursor.h"
#include "ring/record_snapshot.h"
#include "ring/strand_view.h"
#include "ring/strand_writer.h"
#include "support/payload.h"
#include "support/random.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::holdsRecord;
using test::TestStrand;
using test::tryWrite;

TEST(Window, startsAtTheOldestRecordWhoseSlotIsIntact) {
  const TestStrand strand(8, 4096);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  for (std::uint64_t seq = 0; seq < 40; ++seq) {
    ASSERT_EQ(tryWrite(writer, seq, 4), Status::kOk);
    ASSERT_EQ(view.acknowledge(seq + 1), Status::kOk);
    const Window window = view.window();
    EXPECT_EQ(window.committed, seq + 1);
    EXPECT_EQ(window.start, seq < 8 ? 0 : seq - 7);
    EXPECT_EQ(window.safeFrom, seq + 1);
  }
}

TEST(Window, isSafeFromTheViewsOwnPositionOn) {
  const TestStrand strand(8, 256);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  StrandView other = strand.view();
  for (std::uint64_t seq = 0; seq < 6; ++seq) ASSERT_EQ(tryWrite(writer, seq, 4), Status::kOk);
  ASSERT_EQ(view.acknowledge(2), Status::kOk);
  EXPECT_EQ(view.window().safeFrom, 2U);
  EXPECT_EQ(other.window().safeFrom, 2U) << "while nobody is registered the position is everybody's";
  ConsumerToken first;
  ConsumerToken second;
  ASSERT_EQ(view.registerConsumer(StartAt::kSeq, 3, first), Status::kOk);
  ASSERT_EQ(view.registerConsumer(StartAt::kSeq, 5, second), Status::kOk);
  EXPECT_EQ(view.window().safeFrom, 3U);
  EXPECT_EQ(other.window().safeFrom, 6U) << "a view without a token holds nothing";
  ASSERT_EQ(view.releaseConsumer(first), Status::kOk);
  EXPECT_EQ(view.window().safeFrom, 5U);
}

TEST(Window, ofAReservedRunExcludesWhatMayBeOverwritten) {
  const TestStrand strand(8, 4096);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  for (std::uint64_t seq = 0; seq < 8; ++seq) ASSERT_EQ(tryWrite(writer, seq, 4), Status::kOk);
  ASSERT_EQ(view.acknowledge(8), Status::kOk);
  StrandWriter::Run run;
  ASSERT_EQ(writer.reserve({3, {}, 0}, run), Status::kOk);
  EXPECT_EQ(view.window().start, 3U);
  RecordCursor cursor(view);
  EXPECT_EQ(cursor.seek(2), Status::kBehind);
  EXPECT_EQ(cursor.seek(3), Status::kOk);
  writer.abandon();
  EXPECT_EQ(view.window().start, 3U) << "they may have been filled before they were abandoned";
  EXPECT_EQ(cursor.seek(2), Status::kBehind);
  EXPECT_TRUE(holdsRecord(view, 3, 4));
}

TEST(Window, seekingOutsideItIsRefused) {
  const TestStrand strand(4, 256);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  RecordCursor cursor(view);
  EXPECT_FALSE(cursor.seq());
  EXPECT_EQ(cursor.seek(0), Status::kNotCommitted);
  EXPECT_FALSE(cursor.getU64(0)) << "nothing has been found yet";
  EXPECT_FALSE(cursor.intact());
  for (std::uint64_t seq = 0; seq < 10; ++seq) {
    ASSERT_EQ(tryWrite(writer, seq, 4), Status::kOk);
    ASSERT_EQ(view.acknowledge(seq + 1), Status::kOk);
  }
  EXPECT_EQ(cursor.seek(5), Status::kBehind);
  EXPECT_EQ(cursor.seek(0), Status::kBehind);
  EXPECT_EQ(cursor.seek(10), Status::kNotCommitted);
  EXPECT_EQ(cursor.seek(~std::uint64_t{0}), Status::kNotCommitted);
  ASSERT_EQ(cursor.seek(6), Status::kOk);
  EXPECT_EQ(cursor.seq(), 6U);
  EXPECT_EQ(cursor.seek(5), Status::kBehind);
  EXPECT_EQ(cursor.seq(), 6U) << "a failed seek stays where it was";
}

TEST(Window, aReadRecordIsNoLongerIntactOnceItsSlotIsTaken) {
  const TestStrand strand(2, 4096);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  ASSERT_EQ(tryWrite(writer, 0, 4), Status::kOk);
  RecordCursor cursor(view);
  ASSERT_EQ(cursor.seek(0), Status::kOk);
  ASSERT_EQ(view.acknowledge(1), Status::kOk);
  EXPECT_TRUE(cursor.intact()) << "released, and still there";
  ASSERT_EQ(tryWrite(writer, 1, 4), Status::kOk);
  EXPECT_TRUE(cursor.intact());
  ASSERT_EQ(tryWrite(writer, 2, 4), Status::kOk);
  EXPECT_FALSE(cursor.intact());
}

TEST(Window, aReadRecordIsNoLongerIntactOnceItsPayloadIsTaken) {
  const TestStrand strand(64, 100);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  RecordCursor cursor(view);
  ASSERT_EQ(tryWrite(writer, 0, 40), Status::kOk);
  ASSERT_EQ(cursor.seek(0), Status::kOk);
  ASSERT_EQ(view.acknowledge(1), Status::kOk);
  ASSERT_EQ(tryWrite(writer, 1, 60), Status::kOk);
  EXPECT_TRUE(cursor.intact());
  EXPECT_TRUE(test::isPayload(0, *cursor.getBytes(test::kPayload)));
  ASSERT_EQ(tryWrite(writer, 2, 1), Status::kOk);
  EXPECT_FALSE(cursor.intact());
  EXPECT_EQ(cursor.seek(0), Status::kBehind);
}

// Whatever is called intact reads as it was written, whatever the producer does with the rest.
TEST(Window, whatIsIntactIsWhatWasWritten) {
  test::Random random;
  for (int round = 0; round < 200; ++round) {
    const TestStrand strand(std::uint64_t{1} << random.below(5), random.between(1, 200));
    StrandWriter writer = strand.writer();
    StrandView view = strand.view();
    std::vector<std::size_t> sizes;
    for (int step = 0; step < 100; ++step) {
      const std::uint64_t heap = strand.geometry.heapCapacity;
      const std::size_t size = random.between(0, random.percent(20) ? heap : heap / 4);
      if (random.percent(10)) {
        // Reserve, damage, and give up, or die with it.
        StrandWriter::Run run;
        if (writer.reserve({1, {size, size}, heap, true}, run) == Status::kOk) {
          std::fill_n(writer.data() + run.slotOffset, strand.geometry.recordStride * run.slotCount, std::byte{0xEE});
          std::fill_n(writer.data() + run.heapOffset, run.heapBytes, std::byte{0xEE});
        }
        if (random.percent(30)) {
          writer.detach();
          writer = strand.writer();
        } else {
          writer.abandon();
        }
      } else if (tryWrite(writer, sizes.size(), size) == Status::kOk) {
        sizes.push_back(size);
      }
      if (random.percent(60)) {
        ASSERT_EQ(view.acknowledge(random.between(view.effectiveReadCursor(), sizes.size())), Status::kOk);
      }
      const Window window = view.window();
      ASSERT_LE(window.start, view.effectiveReadCursor());
      for (std::uint64_t seq = 0; seq < sizes.size(); ++seq) {
        if (seq >= view.effectiveReadCursor()) {
          ASSERT_TRUE(holdsRecord(view, seq, sizes[seq]));
        } else if (view.intact(seq)) {
          ASSERT_GE(seq, window.start);
          ASSERT_TRUE(holdsRecord(view, seq, sizes[seq]));
        }
        if (seq >= window.start) {
          const RecordReader record(view.slot(seq), {});
          ASSERT_EQ(record.number<std::uint64_t>(strand.schema.fields()[0]), seq) << "the window's slots are intact";
        }
      }
    }
  }
}

// --- snapshots ---

TEST(Snapshot, holdsARecordWithItsPayloadsInPrivateMemory) {
  const std::vector<FieldSpec> fields{{"n", FieldType::kU32},
                                      {"text", FieldType::kUtf8},
                                      {"gone", FieldType::kUtf8, kFieldNullable},
                                      {"array", FieldType::kF64Array},
                                      {"empty", FieldType::kLargeBytes}};
  const TestStrand strand(4, 256, fields);
  StrandWriter writer = strand.writer();
  const StrandView view = strand.view();
  const std::vector<double> numbers{1.5, -2.5};
  const Value row[] = {std::int64_t{7}, std::string_view("abc"), Value(), std::span(numbers),
                       std::span<const std::byte>()};
  EncodeFault fault;
  ASSERT_EQ(writer.write(row, fault), Status::kOk);

  std::uint64_t bytes = 0;
  ASSERT_EQ(snapshotRecord(view, 0, {}, bytes), Status::kOk);
  std::vector<std::byte> copy(bytes);
  ASSERT_EQ(snapshotRecord(view, 0, copy, bytes), Status::kOk);
  ASSERT_EQ(bytes, copy.size());
  std::fill_n(strand.region.data() + strand.geometry.headerSize,
              strand.geometry.totalBytes - strand.geometry.headerSize, std::byte{0xEE});
  const std::span<const std::byte> all(copy);
  const RecordReader record(all.first(strand.schema.recordStride()), all.subspan(strand.schema.recordStride()));
  const auto field = [&](std::size_t i) -> const Field& { return strand.schema.fields()[i]; };
  EXPECT_EQ(record.number<std::uint32_t>(field(0)), 7U);
  const auto text = record.payload(*record.pointer(field(1)));
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(text.data()), text.size()), "abc");
  EXPECT_FALSE(record.present(field(2)));
  EXPECT_FALSE(record.pointer(field(2)));
  const auto array = record.payload(*record.pointer(field(3)));
  ASSERT_EQ(array.size(), 16U);
  EXPECT_EQ((array.data() - copy.data()) % 8, 0);
  EXPECT_EQ(std::memcmp(array.data(), numbers.data(), 16), 0);
  ASSERT_TRUE(record.pointer(field(4)));
  EXPECT_EQ(record.pointer(field(4))->length, 0U);
}

TEST(Snapshot, neverWritesPastItsTarget) {
  const TestStrand strand(4, 256);
  StrandWriter writer = strand.writer();
  const StrandView view = strand.view();
  ASSERT_EQ(tryWrite(writer, 0, 100), Status::kOk);
  std::uint64_t needed = 0;
  ASSERT_EQ(snapshotRecord(view, 0, {}, needed), Status::kOk);
  for (std::uint64_t size = 0; size <= needed; ++size) {
    std::vector<std::byte> target(size);  // exactly as large: AddressSanitizer watches its end
    std::uint64_t bytes = 0;
    ASSERT_EQ(snapshotRecord(view, 0, target, bytes), Status::kOk);
    ASSERT_EQ(bytes, needed);
  }
}

TEST(Snapshot, saysWhatCannotBeCopied) {
  const TestStrand strand(2, 256);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  std::uint64_t bytes = 0;
  std::vector<std::byte> target(1000);
  EXPECT_EQ(snapshotRecord(view, 0, target, bytes), Status::kNotCommitted);
  for (std::uint64_t seq = 0; seq < 3; ++seq) {
    ASSERT_EQ(tryWrite(writer, seq, 4), Status::kOk);
    ASSERT_EQ(view.acknowledge(seq + 1), Status::kOk);
  }
  EXPECT_EQ(snapshotRecord(view, 0, target, bytes), Status::kBehind);
  EXPECT_EQ(snapshotRecord(view, 1, target, bytes), Status::kOk);
  ASSERT_EQ(writer.reset(), Status::kOk);
  EXPECT_EQ(snapshotRecord(view, 1, target, bytes), Status::kReset);
}

}  // namespace
}  // namespace strand
