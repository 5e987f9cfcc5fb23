#include "support/columns.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
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

/// Columns of `count` records in any form, with values of any kind behind the bits of what is left out, and what
/// records of them have to hold.
class AnyColumns {
 public:
  AnyColumns(Random& random, const Schema& schema, std::size_t count, std::size_t longest) {
    const std::size_t fields = schema.fields().size();
    sources_.resize(fields);
    values_.resize(fields);
    offsets_.resize(fields);
    lists_.resize(fields);
    validities_.resize(fields);
    expected_.assign(fields, std::vector<Seen>(count));
    for (std::size_t k = 0; k < fields; ++k) make(random, k, schema.fields()[k], count, longest);
  }

  [[nodiscard]] std::span<const ColumnSource> sources() const { return sources_; }
  [[nodiscard]] const Seen& expected(std::size_t field, std::size_t record) const { return expected_[field][record]; }

 private:
  void make(Random& random, std::size_t k, const Field& field, std::size_t count, std::size_t longest) {
    const FieldTypeInfo& info = field.info();
    ColumnSource& source = sources_[k];
    if (random.percent(10)) return;
    const bool someAbsent = random.percent(60);
    const auto isPresent = [&](std::size_t i) { return !someAbsent || (validities_[k][i / 32] >> i % 32 & 1U) != 0; };
    if (someAbsent) {
      for (std::size_t i = 0; i < count + 31; i += 32) {
        validities_[k].push_back(random.percent(30) ? ~std::uint32_t{0} : static_cast<std::uint32_t>(random.bits()));
      }
      source.validity = validities_[k];
    }
    const bool packed = random.percent(50);
    source.form = !info.inHeap() ? ColumnSource::Form::kValues
                  : packed       ? ColumnSource::Form::kPacked
                                 : ColumnSource::Form::kList;
    // Some packed columns are a run of bytes also where values are left out, others not.
    const bool nothingBehindAbsent = random.percent(50);
    const std::size_t ahead = info.inHeap() ? random.below(4) : 0;
    std::vector<std::size_t> ends(1, ahead * std::max<std::size_t>(1, info.elementSize));
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t bytes = field.width;
      if (info.inHeap()) bytes = random.below(longest / info.elementSize + 1) * info.elementSize;
      if (info.inHeap() && nothingBehindAbsent && !isPresent(i)) bytes = 0;
      ends.push_back(ends.back() + bytes);
    }
    values_[k].resize(ends.back());
    for (std::byte& byte : values_[k]) byte = random.percent(20) ? std::byte{0} : static_cast<std::byte>(random.bits());
    for (std::size_t i = 0; i < count; ++i) {
      std::string bytes(reinterpret_cast<const char*>(values_[k].data()) + ends[i], ends[i + 1] - ends[i]);
      if (info.kind == FieldKind::kBool) bytes[0] = bytes[0] != 0 ? 1 : 0;
      if (isPresent(i)) expected_[k][i] = {true, bytes};
    }
    source.values = values_[k];
    if (!info.inHeap()) return;
    for (std::size_t i = 0; i <= count; ++i) {
      offsets_[k].push_back(static_cast<std::int32_t>(ends[i] / info.elementSize));
      if (i < count) lists_[k].push_back(std::span(values_[k]).subspan(ends[i], ends[i + 1] - ends[i]));
    }
    source.offsets = offsets_[k];
    source.list = lists_[k];
  }

  std::vector<ColumnSource> sources_;
  std::vector<std::vector<std::byte>> values_;
  std::vector<std::vector<std::int32_t>> offsets_;
  std::vector<std::vector<std::span<const std::byte>>> lists_;
  std::vector<std::vector<std::uint32_t>> validities_;
  std::vector<std::vector<Seen>> expected_;
};

/// Whether a record holds a value, to the last bit of its slot: what is left out is zeros, or no payload.
::testing::AssertionResult holds(const StrandView& view, std::uint64_t seq, const Field& field, const Seen& expected) {
  const RecordReader record(view.slot(seq), view.heap());
  const auto fault = [&] { return ::testing::AssertionFailure() << field.name << " of record " << seq; };
  if (field.nullableBit >= 0 && record.present(field) != expected.first) return fault() << " is there, or is not";
  const std::span<const std::byte> bytes = record.fixed(field);
  const std::string inSlot(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!field.info().inHeap()) {
    const std::string value = expected.first ? expected.second : std::string(field.width, '\0');
    return inSlot == value ? ::testing::AssertionSuccess() : fault() << " has another value";
  }
  if (!expected.first) {
    const std::string nothing = std::string(4, '\xFF') + std::string(field.width - 4, '\0');
    return inSlot == nothing ? ::testing::AssertionSuccess() : fault() << " points somewhere";
  }
  const auto pointer = record.pointer(field);
  if (!pointer) return fault() << " points nowhere";
  const std::span<const std::byte> payload = record.payload(*pointer);
  if (reinterpret_cast<std::uintptr_t>(payload.data()) % field.info().elementSize != 0) return fault() << " lies askew";
  const std::string value(reinterpret_cast<const char*>(payload.data()), payload.size());
  return value == expected.second ? ::testing::AssertionSuccess() : fault() << " has another payload";
}

/// Some fields of everyType(): none with a payload, one, or several.
std::vector<FieldSpec> someFields(Random& random) {
  const std::vector<FieldSpec> all = test::everyType();
  const std::uint64_t chance = random.pick(std::vector<std::uint64_t>{5, 10, 30, 100});
  std::vector<FieldSpec> some;
  for (const FieldSpec& spec : all) {
    if (random.percent(chance)) some.push_back(spec);
  }
  if (some.empty()) some.push_back(random.pick(all));
  return some;
}

TEST(Columns, areWrittenAsTheySayInEveryFormWhereverRingAndHeapWrap) {
  const Random seeds;
  for (std::uint64_t round = 0; round < 150; ++round) {
    Random random = seeds.fork(round);
    const std::vector<FieldSpec> fields = someFields(random);
    const std::uint64_t capacity = std::uint64_t{1} << random.between(2, 8);
    const std::uint64_t longest = random.below(40);
    const std::uint64_t heap = std::max<std::uint64_t>(fields.size() * (longest + 8), random.between(512, 8192));
    const TestStrand strand(capacity, heap, fields);
    StrandWriter writer = strand.writer();
    StrandView view = strand.view();
    std::uint64_t checked = 0;
    for (int batches = 0; batches < 12; ++batches) {
      const std::uint64_t first = view.committed();
      const auto count = static_cast<std::size_t>(random.between(1, 2 * capacity));
      const AnyColumns columns(random, strand.schema, count, longest);
      ColumnBatch batch(writer, columns.sources(), count);
      ASSERT_EQ(batch.check().error, ColumnError::kNone);
      const auto checkVisible = [&] {
        for (std::uint64_t seq = std::max(first, checked); seq < view.committed(); ++seq) {
          for (std::size_t k = 0; k < strand.schema.fields().size(); ++k) {
            const Seen& expected = columns.expected(k, static_cast<std::size_t>(seq - first));
            ASSERT_TRUE(holds(view, seq, strand.schema.fields()[k], expected)) << "round " << round;
          }
        }
      };
      for (Status status = batch.step(); status != Status::kOk; status = batch.step()) {
        ASSERT_EQ(status, Status::kWouldBlock);
        // All that is unread, also what was looked at before the producer went on.
        checkVisible();
        ASSERT_LT(checked, view.committed()) << "waits for nothing, round " << round;
        checked = random.between(checked + 1, view.committed());
        ASSERT_EQ(view.acknowledge(checked), Status::kOk);
      }
      ASSERT_EQ(view.committed(), first + count);
      ASSERT_EQ(writer.publishedInBatch(), count);
      checkVisible();
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(Columns, areWhatTheRecordsHoldOverBlocksAndWordsOfBits) {
  const Random seeds;
  for (std::uint64_t round = 0; round < 20; ++round) {
    Random random = seeds.fork(round);
    const std::vector<FieldSpec> fields = someFields(random);
    const TestStrand strand(1024, 1 << 18, fields);
    StrandWriter writer = strand.writer();
    StrandView view = strand.view();
    const std::uint64_t ahead = random.below(1025);
    std::uint64_t written = 0;
    ColumnFault fault;
    const std::vector<ColumnSource> leftOut(fields.size());
    ASSERT_EQ(writeColumns(writer, leftOut, ahead, written, fault), Status::kOk);
    ASSERT_EQ(view.acknowledge(ahead), Status::kOk);
    const auto count = static_cast<std::size_t>(random.between(500, 1024));
    const AnyColumns columns(random, strand.schema, count, 5);
    ASSERT_EQ(writeColumns(writer, columns.sources(), count, written, fault), Status::kOk);
    // In memory that holds something, as that of a caller does who brings it along.
    std::vector<GatheredColumn> gathered;
    ASSERT_EQ(test::gatherAll(view, ahead, ahead + count, gathered, std::byte{0xA5}), Status::kOk);
    for (std::size_t k = 0; k < gathered.size(); ++k) {
      const Field& field = strand.schema.fields()[k];
      std::uint64_t absent = 0;
      for (std::size_t i = 0; i < count; ++i) {
        Seen expected = columns.expected(k, i);
        if (!expected.first && field.nullableBit < 0 && !field.info().inHeap()) {
          expected = {true, std::string(field.width, '\0')};
        }
        ASSERT_EQ(seen(gathered[k], i, field), expected) << field.name << " of record " << i << ", round " << round;
        if (!expected.first) ++absent;
        if (!expected.first && !field.info().inHeap()) {
          const std::span<const std::byte> value = std::span(gathered[k].values).subspan(i * field.width, field.width);
          ASSERT_TRUE(std::all_of(value.begin(), value.end(), [](std::byte byte) { return byte == std::byte{0}; }));
        }
      }
      ASSERT_EQ(gathered[k].absent, absent) << field.name;
    }
  }
}

TEST(Columns, ofARangeLongerThanTheRingAreRefusedWhateverThePositionsSay) {
  const TestStrand strand(8, kHeap, test::everyType());
  const StrandView view = strand.view();
  strand.words().commitSeq().storeRelaxed(std::uint64_t{1} << 52);
  ColumnGather gather;
  EXPECT_EQ(gather.gather(view, 0, 9, {}), Status::kBehind);
  const ColumnTarget target{9, {}, {}, {}};
  EXPECT_EQ(gather.gather(view, 0, std::uint64_t{1} << 50, {&target, 1}), Status::kBehind);
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

  // Also what comes around between the two steps.
  ColumnGather gather;
  std::vector<std::int32_t> offsets(12 - oldest);
  const ColumnTarget target{1, {}, offsets, {}};
  ASSERT_EQ(gather.gather(view, oldest, 11, {&target, 1}), Status::kOk);
  ASSERT_EQ(view.acknowledge(11), Status::kOk);
  make(8, 8);
  ASSERT_EQ(writeColumns(writer, sources_, 8, written, fault), Status::kOk);
  std::vector<std::byte> bytes(gather.summary(0).payloadBytes);
  EXPECT_EQ(gather.copyPayloads(view, 0, bytes), Status::kBehind);

  EXPECT_EQ(writer.reset(), Status::kOk);
  EXPECT_EQ(test::gatherAll(view, 0, 0, columns), Status::kReset);
  EXPECT_EQ(test::gatherAll(view, 11, 19, columns), Status::kReset);
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

TEST(Columns, countThePaddingOfARecordThatDoesNotFitTheHeap) {
  const std::vector<FieldSpec> fields{{"b", FieldType::kLargeBytes}, {"a", FieldType::kF64Array}};
  const TestStrand strand(8, 20, fields);
  StrandWriter writer = strand.writer();
  const std::vector<std::byte> values(16);
  const std::int32_t threeBytes[]{0, 3};
  const std::int32_t twoNumbers[]{0, 2};
  const std::vector<ColumnSource> sources{{ColumnSource::Form::kPacked, values, threeBytes, {}, {}},
                                          {ColumnSource::Form::kPacked, values, twoNumbers, {}, {}}};
  std::uint64_t written = 0;
  ColumnFault fault;
  EXPECT_EQ(writeColumns(writer, sources, 1, written, fault), Status::kBadField);
  EXPECT_EQ(fault.error, ColumnError::kHeapTooSmall);
  EXPECT_EQ(fault.field, 1U);
  EXPECT_EQ(fault.bytes, 24U);
}

TEST(Columns, ofAForeignProducerAreWhatACursorReads) {
  const std::vector<FieldSpec> fields{
      {"n", FieldType::kU32, kFieldNullable}, {"flag", FieldType::kBool8}, {"a", FieldType::kF64Array}};
  const TestStrand strand(8, 64, fields);
  StrandWriter writer = strand.writer();
  const StrandView view = strand.view();
  std::uint64_t first = 0;
  ASSERT_EQ(writer.claimSlots(2, first), Status::kOk);
  const auto fill = [&](std::uint64_t seq, std::uint32_t offset, std::uint32_t length) {
    std::byte* const slot = writer.data() + writer.slotOffset(seq);
    const std::span<const Field> known = strand.schema.fields();
    storeLittle(slot + known[0].offset, std::uint32_t{77});
    slot[known[1].offset] = std::byte{9};
    storeLittle(slot + known[2].offset, offset);
    storeLittle(slot + known[2].offset + 4, length);
  };
  // A number behind the bit of an absent one, a boolean of its own, half a number, an array that lies askew.
  const auto aligned = static_cast<std::uint32_t>(-strand.geometry.heapStart % 8);
  fill(0, aligned, 12);
  fill(1, aligned + 1, 8);
  ASSERT_EQ(writer.commitSlots(0, 2), Status::kOk);
  std::vector<GatheredColumn> columns;
  ASSERT_EQ(test::gatherAll(view, 0, 2, columns, std::byte{0xA5}), Status::kOk);
  EXPECT_EQ(columns[0].values, std::vector<std::byte>(8));
  EXPECT_EQ(columns[1].values, std::vector<std::byte>(2, std::byte{1}));
  EXPECT_EQ(columns[2].offsets, (std::vector<std::int32_t>{0, 1, 1}));
  EXPECT_EQ(columns[2].validity, std::vector<std::uint32_t>{1});
  EXPECT_EQ(columns[2].values.size(), 8U);
}

TEST(Columns, ofMorePayloadThanOffsetsCanTellApartSaySoAndCopyNoMoreThanThereIsRoomFor) {
  constexpr std::uint64_t kRecords = 4096;
  constexpr std::uint32_t kWhole = 1 << 20;
  const std::vector<FieldSpec> fields{{"b", FieldType::kLargeBytes}};
  const TestStrand strand(kRecords, kWhole, fields);
  StrandWriter writer = strand.writer();
  const StrandView view = strand.view();
  std::uint64_t first = 0;
  ASSERT_EQ(writer.claimSlots(kRecords, first), Status::kOk);
  for (std::uint64_t seq = 0; seq < kRecords; ++seq) {
    std::byte* const pointer = writer.data() + writer.slotOffset(seq) + strand.schema.fields()[0].offset;
    storeLittle(pointer, std::uint32_t{0});
    storeLittle(pointer + 4, kWhole);
  }
  ASSERT_EQ(writer.commitSlots(0, kRecords), Status::kOk);
  std::vector<std::int32_t> offsets(kRecords + 1);
  const ColumnTarget target{0, {}, offsets, {}};
  ColumnGather gather;
  ASSERT_EQ(gather.gather(view, 0, kRecords, {&target, 1}), Status::kOk);
  EXPECT_EQ(gather.summary(0).payloadBytes, kRecords * kWhole);
  EXPECT_TRUE(std::is_sorted(offsets.begin(), offsets.end()));
  EXPECT_EQ(offsets.front(), 0);
  EXPECT_EQ(offsets.back(), std::numeric_limits<std::int32_t>::max());

  std::vector<std::byte> little(100, std::byte{0xA5});
  ASSERT_EQ(gather.copyPayloads(view, 0, std::span(little).first(50)), Status::kOk);
  EXPECT_EQ(std::count(little.begin(), little.end(), std::byte{0xA5}), 50);
}

}  // namespace
}  // namespace strand
