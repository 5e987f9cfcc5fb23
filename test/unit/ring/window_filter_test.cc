#include "ring/window_filter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ring/field_column.h"
#include "ring/record_cursor.h"
#include "ring/window_ranges.h"
#include "support/numbered.h"
#include "support/random.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::Random;
using test::TestStrand;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// What a filter finds: positions of records.
std::vector<std::uint64_t> positions(const RecordRange& range, const std::vector<std::uint32_t>& bits) {
  std::vector<std::uint64_t> found;
  for (std::uint64_t i = 0; i < bits.size() * 32; ++i) {
    if ((bits[i / 32] >> (i % 32) & 1U) != 0) found.push_back(range.start + i);
  }
  return found;
}

std::vector<std::uint64_t> run(const WindowFilter& filter) {
  const RecordRange range = filter.look();
  std::vector<std::uint32_t> bits(halvesFor(range.count), 0xEEEEEEEE);
  EXPECT_EQ(filter.apply(range, bits), Status::kOk);
  return positions(range, bits);
}

std::vector<std::uint64_t> between(const StrandView& view, std::size_t field, const Value& low, const Value& high) {
  WindowFilter filter(view);
  EXPECT_EQ(filter.addBetween(field, low, high), Status::kOk);
  return run(filter);
}

/// A strand with one field, and a record for each value.
class OneField {
 public:
  OneField(FieldType type, const std::vector<Value>& values, std::uint8_t flags = 0)
      : strand(64, 0, std::vector<FieldSpec>{{"v", type, flags}}), writer(strand.writer()), view(strand.view()) {
    for (const Value& value : values) {
      EncodeFault fault;
      EXPECT_EQ(writer.write({&value, 1}, fault), Status::kOk);
      EXPECT_EQ(fault.error, EncodeError::kNone);
    }
  }
  std::vector<std::uint64_t> between(const Value& low, const Value& high) const {
    return strand::between(view, 0, low, high);
  }
  std::vector<std::uint64_t> equal(const Value& value) const { return between(value, value); }

  TestStrand strand;
  StrandWriter writer;
  StrandView view;
};

using Positions = std::vector<std::uint64_t>;

std::int64_t i(std::int64_t value) { return value; }
std::uint64_t u(std::uint64_t value) { return value; }

TEST(WindowFilter, comparesDoublesAsNumbers) {
  const OneField f64(FieldType::kF64, {-kInfinity, -1.5, -0.0, 0.0, 1e-310, 1.0, kInfinity, kNaN, -kNaN});
  EXPECT_EQ(f64.between(-kInfinity, kInfinity), (Positions{0, 1, 2, 3, 4, 5, 6})) << "all but NaN";
  EXPECT_EQ(f64.equal(0.0), (Positions{2, 3}));
  EXPECT_EQ(f64.equal(-0.0), (Positions{2, 3}));
  EXPECT_EQ(f64.between(-0.0, 1.0), (Positions{2, 3, 4, 5}));
  EXPECT_EQ(f64.between(-2.0, -0.0), (Positions{1, 2, 3}));
  EXPECT_EQ(f64.equal(kInfinity), (Positions{6}));
  EXPECT_EQ(f64.equal(kNaN), Positions());
  EXPECT_EQ(f64.between(kNaN, 1.0), Positions());
  EXPECT_EQ(f64.between(-1.0, kNaN), Positions());
  EXPECT_EQ(f64.between(1.0, -1.0), Positions()) << "reversed";
  EXPECT_EQ(f64.between(i(-2), u(1)), (Positions{1, 2, 3, 4, 5}));
}

TEST(WindowFilter, comparesIntegersOf64BitsWithDoublesExactly) {
  const double big = 9007199254740992.0;  // 2^53
  const OneField f64(FieldType::kF64, {big, big + 2});
  EXPECT_EQ(f64.equal(i(9007199254740993)), Positions()) << "no double";
  EXPECT_EQ(f64.between(i(9007199254740993), i(9007199254740994)), (Positions{1}));
  const OneField i64(FieldType::kI64, {i(9007199254740992), i(9007199254740993), i(INT64_MAX), i(INT64_MIN)});
  EXPECT_EQ(i64.equal(big), (Positions{0}));
  EXPECT_EQ(i64.equal(i(9007199254740993)), (Positions{1}));
  EXPECT_EQ(i64.between(big + 2, kInfinity), (Positions{2}));
  EXPECT_EQ(i64.between(9223372036854775808.0, 1e300), Positions()) << "2^63 is past the field";
  EXPECT_EQ(i64.between(-1e300, 0.0), (Positions{3}));
  EXPECT_EQ(i64.between(u(INT64_MAX), u(UINT64_MAX)), (Positions{2}));
}

TEST(WindowFilter, comparesFloatsAsTheDoublesTheyAre) {
  const float tenth = 0.1F;
  const OneField f32(FieldType::kF32, {static_cast<double>(tenth), -static_cast<double>(tenth), -0.0,
                                       3.4028234663852886e38, kInfinity, kNaN, 1e-45, 16777216.0});
  EXPECT_EQ(f32.equal(0.1), Positions()) << "the stored float is another number";
  EXPECT_EQ(f32.equal(static_cast<double>(tenth)), (Positions{0}));
  EXPECT_EQ(f32.between(0.1, 0.2), (Positions{0})) << "0.1f is above 0.1";
  EXPECT_EQ(f32.between(-0.2, -0.1), (Positions{1}));
  EXPECT_EQ(f32.between(0.05, 0.1), Positions());
  EXPECT_EQ(f32.between(-0.1, 0.0), (Positions{2}));
  EXPECT_EQ(f32.between(1e39, kInfinity), (Positions{4}));
  EXPECT_EQ(f32.between(1e30, 1e39), (Positions{3}));
  EXPECT_EQ(f32.equal(0.0), (Positions{2}));
  EXPECT_EQ(f32.between(0.0, 1e-300), (Positions{2})) << "below the smallest float";
  EXPECT_EQ(f32.between(1e-300, 1e-40), (Positions{6}));
  EXPECT_EQ(f32.equal(i(16777217)), Positions()) << "no float";
}

TEST(WindowFilter, roundsBoundsOfIntegersInwards) {
  for (const FieldType type : {FieldType::kU8, FieldType::kU16, FieldType::kU32, FieldType::kU64, FieldType::kI8,
                               FieldType::kI16, FieldType::kI32, FieldType::kI64}) {
    SCOPED_TRACE(fieldTypeInfo(type).name);
    const OneField field(type, {i(0), i(1), i(2), i(3), i(127)});
    EXPECT_EQ(field.between(0.5, 2.5), (Positions{1, 2}));
    EXPECT_EQ(field.equal(2.5), Positions());
    EXPECT_EQ(field.equal(i(2)), (Positions{2}));
    EXPECT_EQ(field.between(-kInfinity, kInfinity), (Positions{0, 1, 2, 3, 4}));
    EXPECT_EQ(field.between(i(INT64_MIN), u(UINT64_MAX)), (Positions{0, 1, 2, 3, 4}));
    EXPECT_EQ(field.between(-1e300, -1e200), Positions());
    EXPECT_EQ(field.between(127.0, 127.9), (Positions{4}));
    EXPECT_EQ(field.equal(-0.0), (Positions{0}));
    EXPECT_EQ(field.equal(kNaN), Positions());
    EXPECT_EQ(field.between(3.0, 2.0), Positions());
    EXPECT_EQ(field.between(2.1, 2.9), Positions());
  }
}

TEST(WindowFilter, keepsTheOrderOfSignedAndUnsignedIntegers) {
  const OneField i8(FieldType::kI8, {i(-128), i(-1), i(0), i(127)});
  EXPECT_EQ(i8.between(i(-1), i(0)), (Positions{1, 2}));
  EXPECT_EQ(i8.between(-1000.0, -1.0), (Positions{0, 1}));
  const OneField u8(FieldType::kU8, {i(0), i(127), i(128), i(255)});
  EXPECT_EQ(u8.between(i(127), i(128)), (Positions{1, 2}));
  EXPECT_EQ(u8.between(128.0, 1000.0), (Positions{2, 3}));
  const OneField u64(FieldType::kU64, {u(0), u(INT64_MAX), u(UINT64_MAX)});
  EXPECT_EQ(u64.between(u(1), u(UINT64_MAX)), (Positions{1, 2}));
  EXPECT_EQ(u64.between(18446744073709551616.0, kInfinity), Positions()) << "2^64 is past the field";
}

TEST(WindowFilter, takesFalseAndTrueForZeroAndOne) {
  const OneField field(FieldType::kBool8, {false, true, false, true});
  EXPECT_EQ(field.equal(true), (Positions{1, 3}));
  EXPECT_EQ(field.equal(false), (Positions{0, 2}));
  EXPECT_EQ(field.equal(i(2)), Positions());
  EXPECT_EQ(field.between(0.5, 7.0), (Positions{1, 3}));
  EXPECT_EQ(field.between(false, true), (Positions{0, 1, 2, 3}));
  // A foreign producer may store any byte for true.
  field.strand.region.data()[field.strand.geometry.headerSize] = std::byte{0x80};
  EXPECT_EQ(field.equal(true), (Positions{0, 1, 3}));
  EXPECT_EQ(field.equal(false), (Positions{2}));
}

TEST(WindowFilter, findsHandles) {
  const OneField field(FieldType::kUtf8Ref, {i(0), i(3), u(UINT32_MAX), i(3), i(1)});
  const auto handles = [&](const std::vector<std::uint32_t>& wanted) {
    WindowFilter filter(field.view);
    EXPECT_EQ(filter.addHandles(0, wanted), Status::kOk);
    return run(filter);
  };
  EXPECT_EQ(handles({3}), (Positions{1, 3}));
  EXPECT_EQ(handles({0, 1}), (Positions{0, 4}));
  EXPECT_EQ(handles({UINT32_MAX, 0}), (Positions{0, 2}));
  EXPECT_EQ(handles({7}), Positions());
  EXPECT_EQ(handles({}), Positions());
}

TEST(WindowFilter, neverFindsANull) {
  const OneField field(FieldType::kI32, {Value(), i(0), Value(), i(1)}, kFieldNullable);
  EXPECT_EQ(field.equal(i(0)), (Positions{1}));
  EXPECT_EQ(field.between(-kInfinity, kInfinity), (Positions{1, 3}));
}

TEST(WindowFilter, refusesWhatIsNotOfItsKind) {
  const std::vector<FieldSpec> fields{
      {"n", FieldType::kU32}, {"t", FieldType::kUtf8}, {"r", FieldType::kUtf8Ref}, {"b", FieldType::kFixedBytes, 0, 4}};
  const TestStrand strand(4, 64, fields);
  const StrandView view = strand.view();
  WindowFilter filter(view);
  EXPECT_EQ(filter.addBetween(1, i(0), i(1)), Status::kBadField);
  EXPECT_EQ(filter.addBetween(2, i(0), i(1)), Status::kBadField) << "handles have no order";
  EXPECT_EQ(filter.addBetween(3, i(0), i(1)), Status::kBadField);
  EXPECT_EQ(filter.addBetween(4, i(0), i(1)), Status::kBadField);
  EXPECT_EQ(filter.addBetween(0, std::string_view("0"), i(1)), Status::kBadField);
  EXPECT_EQ(filter.addBetween(0, Value(), i(1)), Status::kBadField);
  EXPECT_EQ(filter.addHandles(0, {}), Status::kBadField);
  EXPECT_EQ(filter.addHandles(9, {}), Status::kBadField);
}

TEST(WindowFilter, endsWithTheViewAndTheStream) {
  const OneField field(FieldType::kU32, {i(1)});
  StrandWriter writer = field.strand.writer();
  StrandView view = field.strand.view();
  const WindowFilter filter(view);
  const RecordRange range = filter.look();
  std::vector<std::uint32_t> bits(1);
  ASSERT_EQ(filter.apply(range, bits), Status::kOk);
  ASSERT_EQ(writer.reset(), Status::kOk);
  EXPECT_EQ(filter.apply(range, bits), Status::kReset);
  std::vector<FieldRange> ranges;
  EXPECT_EQ(computeRanges(view, range, bits, ranges), Status::kReset);
  view.close();
  EXPECT_EQ(filter.apply(range, bits), Status::kClosed);
  EXPECT_EQ(computeRanges(view, range, bits, ranges), Status::kClosed);
}

TEST(WindowFilter, clearsRecordsThatWereOverwrittenSinceTheLook) {
  const TestStrand strand(64, 0, std::vector<FieldSpec>{{"v", FieldType::kU32}});
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  const auto write = [&](std::uint64_t count) {
    for (std::uint64_t n = 0; n < count; ++n) {
      const Value value = i(7);
      EncodeFault fault;
      ASSERT_EQ(writer.write({&value, 1}, fault), Status::kOk);
      ASSERT_EQ(view.acknowledge(view.committed()), Status::kOk);
    }
  };
  write(100);
  WindowFilter filter(view);
  ASSERT_EQ(filter.addBetween(0, i(7), i(7)), Status::kOk);
  const RecordRange range = filter.look();
  EXPECT_EQ(range.start, 36U);
  EXPECT_EQ(range.count, 64U);
  std::vector<std::uint32_t> bits(2);
  for (const std::uint64_t more : {0U, 1U, 9U, 22U, 31U}) {
    write(more);
    ASSERT_EQ(filter.apply(range, bits), Status::kOk);
    const Positions found = positions(range, bits);
    ASSERT_EQ(found.front(), view.window().start) << "what is left begins where the window begins";
    ASSERT_EQ(found.size(), 100 - view.window().start);
    ASSERT_EQ(found.back(), 99U);
  }
  write(200);
  ASSERT_EQ(filter.apply(range, bits), Status::kOk);
  EXPECT_EQ(positions(range, bits), Positions());
}

TEST(WindowRanges, leaveOutWhatIsLostAndRefuseWhatIsNotCommitted) {
  const TestStrand strand(8, 0, std::vector<FieldSpec>{{"v", FieldType::kU32}});
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  for (std::int64_t n = 0; n < 13; ++n) {
    const Value value = n;
    EncodeFault fault;
    ASSERT_EQ(writer.write({&value, 1}, fault), Status::kOk);
    ASSERT_EQ(view.acknowledge(view.committed()), Status::kOk);
  }
  std::vector<FieldRange> ranges;
  const std::vector<std::uint32_t> all{0x1FFF};
  ASSERT_EQ(computeRanges(view, {0, 32}, all, ranges), Status::kOk) << "no bit past 12 is set";
  ASSERT_EQ(ranges.size(), 1U);
  EXPECT_EQ(std::get<std::uint64_t>(ranges[0].low), 5U);
  EXPECT_EQ(std::get<std::uint64_t>(ranges[0].high), 12U);
  ASSERT_EQ(computeRanges(view, {0, 5}, all, ranges), Status::kOk);
  EXPECT_TRUE(ranges.empty()) << "all of them are lost";
  EXPECT_EQ(computeRanges(view, {1, 13}, all, ranges), Status::kPastCommitted);
  EXPECT_EQ(computeRanges(view, {13, 1}, all, ranges), Status::kPastCommitted);
  EXPECT_EQ(computeRanges(view, {~std::uint64_t{0}, 32}, all, ranges), Status::kPastCommitted);
  EXPECT_EQ(computeRanges(view, {12, 1}, all, ranges), Status::kOk) << "only the first bit counts";
  ASSERT_EQ(ranges.size(), 1U);
  EXPECT_EQ(std::get<std::uint64_t>(ranges[0].low), 12U);
  ASSERT_EQ(computeRanges(view, {5, 1000}, {}, ranges), Status::kOk) << "missing words are zeros";
  EXPECT_TRUE(ranges.empty());
}

TEST(WindowRanges, ofZerosNullsAndWhatIsNotFinite) {
  const OneField f32(FieldType::kF32, {kNaN, -0.0, kInfinity, -kInfinity, Value(), -kNaN}, kFieldNullable);
  std::vector<FieldRange> ranges;
  std::vector<std::uint32_t> bits{0x3F};
  ASSERT_EQ(computeRanges(f32.view, {0, 6}, bits, ranges), Status::kOk);
  ASSERT_EQ(ranges.size(), 1U);
  EXPECT_FALSE(std::signbit(std::get<double>(ranges[0].low)));
  EXPECT_EQ(std::get<double>(ranges[0].high), 0.0);
  bits[0] = 0x3D;
  ASSERT_EQ(computeRanges(f32.view, {0, 6}, bits, ranges), Status::kOk);
  EXPECT_TRUE(ranges.empty());
}

// --- every type against reading record by record ---

std::optional<double> numberAt(const RecordCursor& cursor, std::size_t field, FieldType type) {
  const auto real = [](auto value) -> std::optional<double> {
    if (!value) return std::nullopt;
    return static_cast<double>(*value);
  };
  switch (type) {
    case FieldType::kU8:
      return real(cursor.getU8(field));
    case FieldType::kU16:
      return real(cursor.getU16(field));
    case FieldType::kU32:
      return real(cursor.getU32(field));
    case FieldType::kU64:
      return real(cursor.getU64(field));
    case FieldType::kI8:
      return real(cursor.getI8(field));
    case FieldType::kI16:
      return real(cursor.getI16(field));
    case FieldType::kI32:
      return real(cursor.getI32(field));
    case FieldType::kI64:
      return real(cursor.getI64(field));
    case FieldType::kF32:
      return real(cursor.getF32(field));
    case FieldType::kF64:
      return real(cursor.getF64(field));
    case FieldType::kBool8:
      return real(cursor.getBool(field));
    default:
      return real(cursor.getRef(field));
  }
}

double asDouble(const Value& value) {
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  return static_cast<double>(std::get<std::uint64_t>(value));
}

// Numbers are small here, so that a double holds all of them; what is beyond has tests of its own above.
TEST(WindowFilter, agreesWithReadingRecordByRecord) {
  static constexpr FieldType kTypes[]{FieldType::kU8,  FieldType::kU16, FieldType::kU32,  FieldType::kU64,
                                      FieldType::kI8,  FieldType::kI16, FieldType::kI32,  FieldType::kI64,
                                      FieldType::kF32, FieldType::kF64, FieldType::kBool8};
  Random random;
  for (int round = 0; round < 150; ++round) {
    std::vector<FieldSpec> fields;
    if (random.percent(50))
      fields.push_back({"pad", FieldType::kFixedBytes, 0, static_cast<std::uint32_t>(random.between(1, 300))});
    const std::uint64_t count = random.percent(10) ? 40 : random.between(1, 5);
    for (std::uint64_t n = 0; n < count; ++n) {
      const std::uint8_t flags = random.percent(40) ? kFieldNullable : 0;
      fields.push_back({test::numbered("f", n), kTypes[random.below(std::size(kTypes))], flags});
    }
    const std::uint64_t capacity = std::uint64_t{1} << random.below(12);
    const TestStrand strand(capacity, 0, fields);
    StrandWriter writer = strand.writer();
    StrandView view = strand.view();
    const std::uint64_t records = random.below(3 * capacity);
    std::vector<Value> row(fields.size());
    for (std::uint64_t n = 0; n < records; ++n) {
      for (std::size_t f = 0; f < fields.size(); ++f) {
        const bool isSigned = fieldTypeInfo(fields[f].type).kind == FieldKind::kSigned;
        row[f] = i(static_cast<std::int64_t>(random.below(100)) - (isSigned ? 50 : 0));
        if (fieldTypeInfo(fields[f].type).kind == FieldKind::kFloat) {
          row[f] = random.percent(10) ? random.pick<double>({kNaN, kInfinity, -kInfinity, -0.0})
                                      : static_cast<double>(random.below(200)) / 4 - 25;
        }
        if (fields[f].type == FieldType::kBool8) row[f] = random.percent(50);
        if (fields[f].type == FieldType::kFixedBytes || (fields[f].flags != 0 && random.percent(30))) row[f] = Value();
      }
      EncodeFault fault;
      ASSERT_EQ(writer.write(row, fault), Status::kOk);
      ASSERT_EQ(view.acknowledge(view.committed()), Status::kOk);
    }

    WindowFilter filter(view);
    std::map<std::size_t, std::pair<double, double>> asked;
    const std::size_t first = fields[0].type == FieldType::kFixedBytes ? 1 : 0;
    for (std::uint64_t n = random.below(7); n > 0; --n) {
      const std::size_t field = random.between(first, fields.size() - 1);
      const double low = static_cast<double>(random.below(200)) / 4 - 40;
      const double high = low + static_cast<double>(random.below(300)) / 4;
      if (!asked.emplace(field, std::pair(low, high)).second) continue;
      ASSERT_EQ(filter.addBetween(field, low, high), Status::kOk);
    }
    const RecordRange range = filter.look();
    std::vector<std::uint32_t> bits(halvesFor(range.count));
    ASSERT_EQ(filter.apply(range, bits), Status::kOk);

    Positions expected;
    std::map<std::size_t, std::pair<double, double>> extremes;
    RecordCursor cursor(view);
    for (std::uint64_t seq = range.start; seq < range.start + range.count; ++seq) {
      ASSERT_EQ(cursor.seek(seq), Status::kOk);
      bool matches = true;
      for (const auto& [field, bounds] : asked) {
        const auto value = numberAt(cursor, field, fields[field].type);
        matches = matches && value && *value >= bounds.first && *value <= bounds.second;
      }
      if (!matches) continue;
      expected.push_back(seq);
      for (std::size_t f = first; f < fields.size(); ++f) {
        const auto value = numberAt(cursor, f, fields[f].type);
        if (!fieldTypeInfo(fields[f].type).orderable() || !value || !std::isfinite(*value)) continue;
        auto& [low, high] = extremes.emplace(f, std::pair(*value, *value)).first->second;
        low = std::min(low, *value);
        high = std::max(high, *value);
      }
    }
    ASSERT_EQ(positions(range, bits), expected);

    std::vector<FieldRange> ranges;
    ASSERT_EQ(computeRanges(view, range, bits, ranges), Status::kOk);
    ASSERT_EQ(ranges.size(), extremes.size());
    for (const FieldRange& found : ranges) {
      ASSERT_EQ(asDouble(found.low), extremes.at(found.field).first);
      ASSERT_EQ(asDouble(found.high), extremes.at(found.field).second);
    }
  }
}

}  // namespace
}  // namespace strand
