#include "support/columns.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "memory/little_endian.h"
#include "record/decode.h"
#include "ring/column_gather.h"
#include "ring/column_writer.h"
#include "support/every_type.h"
#include "support/random.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::EveryValue;
using test::GatheredColumn;
using test::Random;
using test::TestStrand;

constexpr std::uint64_t kHeap = 1 << 14;

/// Rows with some of EveryValue's values left out.
std::vector<Value> someRows(Random& random, std::size_t count) {
  std::vector<Value> rows;
  for (std::size_t i = 0; i < count; ++i) {
    for (const Value& value : EveryValue::row()) rows.push_back(random.percent(70) ? value : Value());
  }
  return rows;
}

/// A value as it can be compared: whether it is there, and its bytes.
using Seen = std::pair<bool, std::string>;

Seen seen(const StrandView& view, std::uint64_t seq, const Field& field) {
  const RecordReader record(view.slot(seq), view.heap());
  if (!record.present(field)) return {false, {}};
  std::span<const std::byte> bytes = record.fixed(field);
  if (field.info().inHeap()) {
    const auto pointer = record.pointer(field);
    if (!pointer) return {false, {}};
    bytes = record.payload(*pointer);
  }
  return {true, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}};
}

Seen seen(const GatheredColumn& column, std::size_t i, const Field& field) {
  if ((column.validity[i / 32] >> i % 32 & 1U) == 0) return {false, {}};
  const std::size_t size = field.info().elementSize;
  const auto begin = size == 0 ? i * field.width : static_cast<std::size_t>(column.offsets[i]) * size;
  const auto end = size == 0 ? begin + field.width : static_cast<std::size_t>(column.offsets[i + 1]) * size;
  return {true, {reinterpret_cast<const char*>(column.values.data()) + begin, end - begin}};
}

TEST(Columns, areWhatTheRecordsHoldWhereverTheRingWraps) {
  Random random;
  for (int round = 0; round < 100; ++round) {
    const TestStrand strand(16, kHeap, test::everyType());
    StrandWriter writer = strand.writer();
    StrandView view = strand.view();
    EncodeFault fault;
    std::uint64_t written = 0;
    const std::uint64_t ahead = random.below(17);
    ASSERT_EQ(writer.writeBatch(someRows(random, ahead), written, fault), Status::kOk);
    ASSERT_EQ(view.acknowledge(ahead), Status::kOk);
    const std::uint64_t count = random.below(17);
    ASSERT_EQ(writer.writeBatch(someRows(random, count), written, fault), Status::kOk);
    std::vector<GatheredColumn> columns;
    ASSERT_EQ(test::gatherAll(view, ahead, ahead + count, columns), Status::kOk);
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const Field& field = strand.schema.fields()[k];
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(seen(columns[k], i, field), seen(view, ahead + i, field)) << field.name << " of record " << i;
      }
    }

    // And back, into a ring that they go around in.
    const TestStrand copy(16, kHeap, test::everyType());
    StrandWriter second = copy.writer();
    StrandView reader = copy.view();
    const std::uint64_t offset = random.below(17);
    ASSERT_EQ(second.writeBatch(someRows(random, offset), written, fault), Status::kOk);
    ASSERT_EQ(reader.acknowledge(offset), Status::kOk);
    std::vector<ColumnSource> sources;
    for (std::size_t k = 0; k < columns.size(); ++k) sources.push_back(columns[k].source(strand.schema.fields()[k]));
    ColumnFault wrong;
    ASSERT_EQ(writeColumns(second, sources, count, written, wrong), Status::kOk);
    ASSERT_EQ(written, count);
    for (const Field& field : strand.schema.fields()) {
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(seen(reader, offset + i, field), seen(view, ahead + i, field)) << field.name << " of record " << i;
      }
    }
  }
}

class NumbersAndTexts : public ::testing::Test {
 protected:
  static std::vector<FieldSpec> fields() { return {{"n", FieldType::kU32}, {"s", FieldType::kUtf8, kFieldNullable}}; }

  /// Columns of `count` records whose texts have `length` bytes each.
  void make(std::size_t count, std::size_t length) {
    numbers_.resize(count);
    offsets_.assign(1, 0);
    for (std::size_t i = 0; i < count; ++i) {
      numbers_[i] = static_cast<std::uint32_t>(i);
      offsets_.push_back(offsets_.back() + static_cast<std::int32_t>(length));
    }
    text_.assign(count * length, 'x');
    sources_ = {{ColumnSource::Form::kValues, std::as_bytes(std::span(numbers_)), {}, {}, {}},
                {ColumnSource::Form::kPacked, std::as_bytes(std::span(text_)), offsets_, {}, {}}};
  }

  ColumnFault refused(StrandWriter& writer, std::uint64_t count) {
    std::uint64_t written = 0;
    ColumnFault fault;
    EXPECT_EQ(writeColumns(writer, sources_, count, written, fault), Status::kBadField);
    EXPECT_EQ(written, 0U);
    return fault;
  }

  std::vector<std::uint32_t> numbers_;
  std::vector<std::int32_t> offsets_;
  std::vector<char> text_;
  std::vector<ColumnSource> sources_;
};

TEST_F(NumbersAndTexts, leaveNothingVisibleThatIsWrongAnywhere) {
  const TestStrand strand(8, 128, fields());
  StrandWriter writer = strand.writer();
  const std::vector<std::byte> before = strand.bytes();
  make(3, 4);
  EXPECT_EQ(refused(writer, 4).error, ColumnError::kTooShort);
  offsets_[2] = 1;
  EXPECT_EQ(refused(writer, 3).error, ColumnError::kBadOffsets);
  offsets_[2] = 13;
  EXPECT_EQ(refused(writer, 3).record, 1U);
  make(2, 129);
  const ColumnFault fault = refused(writer, 2);
  EXPECT_EQ(fault.error, ColumnError::kHeapTooSmall);
  EXPECT_EQ(fault.field, 1U);
  EXPECT_EQ(fault.bytes, 129U);
  make(1, 65536);
  EXPECT_EQ(refused(writer, 1).error, ColumnError::kTooLong);
  make(1, 1);
  std::swap(sources_[0], sources_[1]);
  EXPECT_EQ(refused(writer, 1).error, ColumnError::kWrongForm);
  const std::uint32_t noBits[] = {0};
  make(33, 1);
  sources_[0].validity = noBits;
  EXPECT_EQ(refused(writer, 33).error, ColumnError::kTooShort);
  EXPECT_EQ(strand.bytes(), before);
}

TEST_F(NumbersAndTexts, becomeVisibleInOneStepWhereTheyTakeHalfTheHeap) {
  const TestStrand strand(8, 128, fields());
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  for (std::uint64_t start = 0; start < 128; ++start) {
    make(1, start);
    std::uint64_t written = 0;
    ColumnFault fault;
    ASSERT_EQ(writeColumns(writer, sources_, 1, written, fault), Status::kOk);
    // A record is unread, so that the heap does not restart; the batch needs what it takes.
    make(7, 9);
    ColumnBatch batch(writer, sources_, 7);
    ASSERT_EQ(batch.check().error, ColumnError::kNone);
    const std::uint64_t before = view.committed();
    for (Status status = batch.step(); status != Status::kOk; status = batch.step()) {
      ASSERT_EQ(status, Status::kWouldBlock);
      ASSERT_EQ(view.committed(), before);
      ASSERT_EQ(view.acknowledge(before), Status::kOk);
    }
    ASSERT_EQ(view.committed(), before + 7);
    ASSERT_EQ(view.acknowledge(before + 7), Status::kOk);
  }
}

TEST_F(NumbersAndTexts, stopAtAnAbortWhileTheyWaitForRoom) {
  const TestStrand strand(8, 128, fields());
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  make(100, 3);
  std::thread consumer([&] {
    while (view.stats().producerStalls == 0) std::this_thread::yield();
    view.signalAbort("enough");
  });
  std::uint64_t written = 0;
  ColumnFault fault;
  EXPECT_EQ(writeColumns(writer, sources_, 100, written, fault), Status::kAborted);
  consumer.join();
  EXPECT_EQ(written, view.committed());
  EXPECT_FALSE(writer.batchOpen());
}

TEST_F(NumbersAndTexts, areRefusedBehindTheGateOnceTheProducerHasComeAround) {
  const TestStrand strand(8, 128, fields());
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  std::uint64_t written = 0;
  ColumnFault fault;
  make(8, 8);
  ASSERT_EQ(writeColumns(writer, sources_, 8, written, fault), Status::kOk);
  ASSERT_EQ(view.acknowledge(8), Status::kOk);
  make(3, 8);
  ASSERT_EQ(writeColumns(writer, sources_, 3, written, fault), Status::kOk);
  std::vector<GatheredColumn> columns;
  const std::uint64_t oldest = oldestIntact(view);
  EXPECT_GE(oldest, 3U);
  EXPECT_EQ(test::gatherAll(view, oldest, 11, columns), Status::kOk);
  EXPECT_EQ(test::gatherAll(view, oldest - 1, 11, columns), Status::kBehind);
  EXPECT_EQ(test::gatherAll(view, 0, 0, columns), Status::kOk);
  EXPECT_EQ(test::gatherAll(view, 5, 12, columns), Status::kNotCommitted);
  EXPECT_EQ(writer.reset(), Status::kOk);
  EXPECT_EQ(test::gatherAll(view, 0, 0, columns), Status::kReset);
  view.close();
  EXPECT_EQ(test::gatherAll(view, 0, 0, columns), Status::kClosed);
}

TEST(Columns, gatherNothingFromOutsideTheHeapWhateverTheSlotsSay) {
  Random random;
  const TestStrand strand(16, 256, test::everyType());
  StrandWriter writer = strand.writer();
  const StrandView view = strand.view();
  EncodeFault fault;
  std::uint64_t written = 0;
  ASSERT_EQ(writer.writeBatch(std::vector<Value>(16 * strand.schema.fields().size()), written, fault), Status::kOk);
  for (int round = 0; round < 300; ++round) {
    for (std::uint64_t seq = 0; seq < 16; ++seq) {
      std::byte* const slot = writer.data() + writer.slotOffset(seq);
      for (std::uint32_t i = 0; i < strand.schema.recordStride(); ++i) {
        slot[i] = random.percent(50) ? std::byte{0} : static_cast<std::byte>(random.bits());
      }
    }
    std::vector<GatheredColumn> columns;
    ASSERT_EQ(test::gatherAll(view, 0, 16, columns), Status::kOk);
  }
}

}  // namespace
}  // namespace strand
