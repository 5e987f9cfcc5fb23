#include "record/encode.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "layout/strand_layout.h"
#include "memory/little_endian.h"
#include "record/decode.h"
#include "support/numbered.h"

namespace strand {
namespace {

constexpr HeapPlacement kRoomy{4096, 1U << 20};

Schema schemaOf(std::vector<FieldSpec> specs) {
  Schema schema;
  const Fault fault = Schema::build(specs, schema);
  EXPECT_TRUE(fault.ok()) << fault.message;
  return schema;
}

/// One field of one type, encoded in private memory and read back.
class OneField {
 public:
  explicit OneField(FieldType type, std::uint8_t flags = 0, HeapPlacement placement = kRoomy)
      : schema_(schemaOf({{"x", type, flags, type == FieldType::kFixedBytes ? 4U : 0U}})), placement_(placement) {}

  EncodeError put(const Value& value) {
    const EncodeFault fault = encodeRecord(schema_, {&value, 1}, placement_, image_);
    EXPECT_EQ(fault.field, 0U);
    return fault.error;
  }
  template <typename T>
  T number() const {
    return reader().number<T>(field());
  }
  bool present() const { return reader().present(field()); }
  std::optional<HeapPointer> pointer() const { return reader().pointer(field()); }
  std::vector<std::byte> payload() const {
    const auto place = pointer();
    if (!place) return {};
    const auto bytes = reader().payload(*place);
    return {bytes.begin(), bytes.end()};
  }
  std::vector<std::byte> fixed() const {
    const auto bytes = reader().fixed(field());
    return {bytes.begin(), bytes.end()};
  }
  const RecordImage& image() const { return image_; }

 private:
  RecordReader reader() const { return {image_.slot, image_.heap}; }
  const Field& field() const { return schema_.fields()[0]; }

  Schema schema_;
  HeapPlacement placement_;
  RecordImage image_;
};

template <typename T>
FieldType integerField();
template <>
FieldType integerField<std::uint8_t>() {
  return FieldType::kU8;
}
template <>
FieldType integerField<std::uint16_t>() {
  return FieldType::kU16;
}
template <>
FieldType integerField<std::uint32_t>() {
  return FieldType::kU32;
}
template <>
FieldType integerField<std::uint64_t>() {
  return FieldType::kU64;
}
template <>
FieldType integerField<std::int8_t>() {
  return FieldType::kI8;
}
template <>
FieldType integerField<std::int16_t>() {
  return FieldType::kI16;
}
template <>
FieldType integerField<std::int32_t>() {
  return FieldType::kI32;
}
template <>
FieldType integerField<std::int64_t>() {
  return FieldType::kI64;
}

template <typename T>
class EncodeInteger : public ::testing::Test {};
using Integers = ::testing::Types<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t, std::int8_t, std::int16_t,
                                  std::int32_t, std::int64_t>;
TYPED_TEST_SUITE(EncodeInteger, Integers);

/// `number` as each kind of value that holds it exactly.
std::vector<Value> asValues(auto number) {
  std::vector<Value> values;
  if (std::in_range<std::int64_t>(number)) values.emplace_back(static_cast<std::int64_t>(number));
  if (std::in_range<std::uint64_t>(number)) values.emplace_back(static_cast<std::uint64_t>(number));
  constexpr std::int64_t kExact = std::int64_t{1} << 53;
  if (std::cmp_less_equal(number, kExact) && std::cmp_greater_equal(number, -kExact)) {
    values.emplace_back(static_cast<double>(number));
  }
  return values;
}

TYPED_TEST(EncodeInteger, takesEveryNumberOfItsRange) {
  using T = TypeParam;
  OneField field(integerField<T>());
  for (const T number : {std::numeric_limits<T>::min(), static_cast<T>(std::numeric_limits<T>::min() + 1), T{0}, T{1},
                         static_cast<T>(std::numeric_limits<T>::max() - 1), std::numeric_limits<T>::max()}) {
    for (const Value& value : asValues(number)) {
      ASSERT_EQ(field.put(value), EncodeError::kNone);
      ASSERT_EQ(field.template number<T>(), number);
    }
  }
  ASSERT_EQ(field.put(true), EncodeError::kNone);
  ASSERT_EQ(field.template number<T>(), T{1});
  ASSERT_EQ(field.put(false), EncodeError::kNone);
  ASSERT_EQ(field.template number<T>(), T{0});
  ASSERT_EQ(field.put(-0.0), EncodeError::kNone);
  ASSERT_EQ(field.template number<T>(), T{0});
}

// "numbers silently truncated": whatever a field does not hold is refused.
TYPED_TEST(EncodeInteger, refusesEveryNumberOutsideItsRange) {
  using T = TypeParam;
  OneField field(integerField<T>());
  std::vector<Value> outside{0.5,       -0.5,  1.0000000001, std::nan(""),          HUGE_VAL,
                             -HUGE_VAL, 1e300, -1e300,       18446744073709551616.0};
  if constexpr (sizeof(T) < 8) {
    for (const Value& value : asValues(std::int64_t{std::numeric_limits<T>::max()} + 1)) outside.push_back(value);
    for (const Value& value : asValues(std::int64_t{std::numeric_limits<T>::min()} - 1)) outside.push_back(value);
  } else if constexpr (std::is_signed_v<T>) {
    outside.emplace_back(std::uint64_t{1} << 63);
    outside.emplace_back(9223372036854775808.0);
    outside.emplace_back(-9223372036854777856.0);
  } else {
    outside.emplace_back(std::int64_t{-1});
    outside.emplace_back(-1.0);
  }
  for (const Value& value : outside) EXPECT_EQ(field.put(value), EncodeError::kOutOfRange);
}

TEST(EncodeInteger64, takesDoublesUpToTheLastOneBelowItsLimit) {
  OneField natural(FieldType::kU64);
  ASSERT_EQ(natural.put(18446744073709549568.0), EncodeError::kNone);
  EXPECT_EQ(natural.number<std::uint64_t>(), 18446744073709549568U);
  ASSERT_EQ(natural.put(9223372036854775808.0), EncodeError::kNone);
  EXPECT_EQ(natural.number<std::uint64_t>(), std::uint64_t{1} << 63);
  OneField integer(FieldType::kI64);
  ASSERT_EQ(integer.put(-9223372036854775808.0), EncodeError::kNone);
  EXPECT_EQ(integer.number<std::int64_t>(), std::numeric_limits<std::int64_t>::min());
}

TEST(EncodeFloat, f64KeepsEveryBitAndTakesNoBoolean) {
  OneField field(FieldType::kF64);
  for (const double number : {0.0, -0.0, 1.5, 5e-324, 1.7976931348623157e308, HUGE_VAL, -HUGE_VAL}) {
    ASSERT_EQ(field.put(number), EncodeError::kNone);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(field.number<double>()), std::bit_cast<std::uint64_t>(number));
  }
  ASSERT_EQ(field.put(std::nan("")), EncodeError::kNone);
  EXPECT_TRUE(std::isnan(field.number<double>()));
  ASSERT_EQ(field.put(std::int64_t{-3}), EncodeError::kNone);
  EXPECT_EQ(field.number<double>(), -3.0);
  ASSERT_EQ(field.put(std::uint64_t{1} << 63), EncodeError::kNone);
  EXPECT_EQ(field.number<double>(), 9223372036854775808.0);
  EXPECT_EQ(field.put(true), EncodeError::kWrongType);
}

TEST(EncodeFloat, f32RoundsToTheNearest) {
  OneField field(FieldType::kF32);
  ASSERT_EQ(field.put(0.1), EncodeError::kNone);
  EXPECT_EQ(field.number<float>(), 0.1F);
  ASSERT_EQ(field.put(16777217.0), EncodeError::kNone);
  EXPECT_EQ(field.number<float>(), 16777216.0F);
  ASSERT_EQ(field.put(1e300), EncodeError::kNone);
  EXPECT_EQ(field.number<float>(), std::numeric_limits<float>::infinity());
  ASSERT_EQ(field.put(-1e-300), EncodeError::kNone);
  EXPECT_EQ(field.number<float>(), 0.0F);
}

TEST(EncodeBool, takesBooleansAndIntegers) {
  OneField field(FieldType::kBool8);
  for (const auto& [value, expected] : std::vector<std::pair<Value, std::uint8_t>>{
           {true, 1}, {false, 0}, {std::int64_t{-7}, 1}, {std::int64_t{0}, 0}, {std::uint64_t{256}, 1}}) {
    ASSERT_EQ(field.put(value), EncodeError::kNone);
    EXPECT_EQ(field.number<std::uint8_t>(), expected);
  }
  EXPECT_EQ(field.put(std::string_view("true")), EncodeError::kWrongType);
}

TEST(EncodeRef, takesAHandle) {
  OneField field(FieldType::kUtf8Ref);
  ASSERT_EQ(field.put(std::uint64_t{0xFFFFFFFF}), EncodeError::kNone);
  EXPECT_EQ(field.number<std::uint32_t>(), 0xFFFFFFFFU);
  EXPECT_EQ(field.put(std::uint64_t{0x100000000}), EncodeError::kOutOfRange);
  EXPECT_EQ(field.put(std::int64_t{-1}), EncodeError::kOutOfRange);
  EXPECT_EQ(field.put(std::string_view("text")), EncodeError::kWrongType);
}

TEST(EncodeFixed, takesExactlyItsLength) {
  OneField field(FieldType::kFixedBytes);
  const std::vector<std::byte> bytes{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}, std::byte{5}};
  ASSERT_EQ(field.put(std::span(bytes).first(4)), EncodeError::kNone);
  EXPECT_EQ(field.fixed(), std::vector(bytes.begin(), bytes.begin() + 4));
  EXPECT_EQ(field.put(std::span(bytes).first(3)), EncodeError::kOutOfRange);
  EXPECT_EQ(field.put(std::span(bytes)), EncodeError::kOutOfRange);
  EXPECT_EQ(field.put(std::string_view("text")), EncodeError::kWrongType);
  ASSERT_EQ(field.put({}), EncodeError::kNone);
  EXPECT_EQ(field.fixed(), std::vector<std::byte>(4));
}

const std::int32_t kI32[] = {1, -2, 3};
const std::uint32_t kU32[] = {1, 0xFFFFFFFF};
const std::int64_t kI64[] = {-1, std::int64_t{1} << 62};
const float kF32[] = {0.5F, -1.5F};
const double kF64[] = {0.1, -0.2, 0.3};
const std::byte kBytes[] = {std::byte{0}, std::byte{255}};

/// A value of each kind that goes into the heap.
std::vector<std::pair<FieldType, Value>> heapValues() {
  return {
      {FieldType::kUtf8, std::string_view("text")},
      {FieldType::kLargeUtf8, std::string_view("text")},
      {FieldType::kJson, std::string_view("{}")},
      {FieldType::kLargeJson, std::string_view("{}")},
      {FieldType::kBytes, std::span<const std::byte>(kBytes)},
      {FieldType::kLargeBytes, std::span<const std::byte>(kBytes)},
      {FieldType::kI32Array, std::span<const std::int32_t>(kI32)},
      {FieldType::kU32Array, std::span<const std::uint32_t>(kU32)},
      {FieldType::kI64Array, std::span<const std::int64_t>(kI64)},
      {FieldType::kF32Array, std::span<const float>(kF32)},
      {FieldType::kF64Array, std::span<const double>(kF64)},
  };
}

std::span<const std::byte> bytesOf(const Value& value) {
  return std::visit(
      [](const auto& held) -> std::span<const std::byte> {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::string_view>) {
          return std::as_bytes(std::span(held.data(), held.size()));
        } else if constexpr (requires { held.size_bytes(); }) {
          return std::as_bytes(held);
        } else {
          return {};
        }
      },
      value);
}

TEST(EncodeHeap, everyTypeTakesItsOwnValueAndNoOther) {
  const auto values = heapValues();
  for (const auto& [type, own] : values) {
    OneField field(type);
    ASSERT_EQ(field.put(own), EncodeError::kNone) << fieldTypeInfo(type).name;
    const auto bytes = bytesOf(own);
    EXPECT_EQ(field.payload(), std::vector(bytes.begin(), bytes.end()));
    for (const auto& [other, value] : values) {
      if (value.index() == own.index()) continue;
      EXPECT_EQ(field.put(value), EncodeError::kWrongType)
          << fieldTypeInfo(type).name << " took a value of " << fieldTypeInfo(other).name;
    }
    for (const Value& number : {Value(1.0), Value(std::int64_t{1}), Value(std::uint64_t{1}), Value(true)}) {
      EXPECT_EQ(field.put(number), EncodeError::kWrongType);
    }
  }
}

TEST(EncodeHeap, arraysAreAlignedAsAddressesWhereverTheHeapStarts) {
  for (std::uint64_t start = 4096; start < 4112; start += 4) {
    for (const auto& [type, value] : heapValues()) {
      const std::uint32_t element = fieldTypeInfo(type).elementSize;
      const Schema schema = schemaOf({{"before", FieldType::kUtf8}, {"x", type}});
      RecordImage image;
      const Value row[] = {std::string_view("abc"), value};
      ASSERT_EQ(encodeRecord(schema, row, {start, 1000}, image).error, EncodeError::kNone);
      const auto place = RecordReader(image.slot, image.heap).pointer(schema.fields()[1]);
      ASSERT_TRUE(place);
      EXPECT_EQ((start + place->offset) % element, 0U);
      EXPECT_GE(image.alignment, element);
    }
  }
}

TEST(EncodeHeap, absentAndEmptyDiffer) {
  for (const auto& [type, value] : heapValues()) {
    OneField field(type);
    ASSERT_EQ(field.put({}), EncodeError::kNone);
    EXPECT_FALSE(field.pointer()) << fieldTypeInfo(type).name;
    EXPECT_EQ(loadLittle<std::uint32_t>(field.image().slot.data()), 0xFFFFFFFFU);
    EXPECT_EQ(loadLittle<std::uint16_t>(field.image().slot.data() + 4), 0U);
    const Value empty = std::visit(
        [](const auto& held) -> Value {
          using T = std::decay_t<decltype(held)>;
          return T{};
        },
        value);
    ASSERT_EQ(field.put(empty), EncodeError::kNone);
    ASSERT_TRUE(field.pointer()) << fieldTypeInfo(type).name;
    EXPECT_EQ(field.pointer()->length, 0U);
  }
}

TEST(EncodeHeap, aPayloadMayFillTheHeapAndNotPassIt) {
  const std::string text(100, 'x');
  OneField exact(FieldType::kUtf8, 0, {4096, 100});
  EXPECT_EQ(exact.put(std::string_view(text)), EncodeError::kNone);
  OneField small(FieldType::kUtf8, 0, {4096, 99});
  EXPECT_EQ(small.put(std::string_view(text)), EncodeError::kTooLong);
  // An array of 8-byte elements in a heap that starts 4 bytes beside them loses 4 bytes.
  const std::vector<double> numbers(12);
  OneField aligned(FieldType::kF64Array, 0, {4100, 100});
  EXPECT_EQ(aligned.put(std::span(numbers)), EncodeError::kNone);
  OneField padded(FieldType::kF64Array, 0, {4100, 99});
  EXPECT_EQ(padded.put(std::span(numbers)), EncodeError::kTooLong);
}

TEST(EncodeHeap, a16BitLengthHolds65535Bytes) {
  const std::string text(65536, 'x');
  for (const FieldType type : {FieldType::kUtf8, FieldType::kJson}) {
    OneField field(type);
    EXPECT_EQ(field.put(std::string_view(text).substr(1)), EncodeError::kNone);
    EXPECT_EQ(field.payload().size(), 65535U);
    EXPECT_EQ(field.put(std::string_view(text)), EncodeError::kTooLong);
  }
  OneField wide(FieldType::kLargeUtf8);
  EXPECT_EQ(wide.put(std::string_view(text)), EncodeError::kNone);
  EXPECT_EQ(wide.payload().size(), 65536U);
}

TEST(Encode, nullableFieldsTellNullFromZero) {
  for (const FieldTypeInfo& info : kFieldTypes) {
    OneField field(info.type, kFieldNullable);
    ASSERT_EQ(field.put({}), EncodeError::kNone);
    EXPECT_FALSE(field.present()) << info.name;
  }
  OneField number(FieldType::kU32, kFieldNullable);
  ASSERT_EQ(number.put(std::int64_t{0}), EncodeError::kNone);
  EXPECT_TRUE(number.present());
  OneField text(FieldType::kUtf8, kFieldNullable);
  ASSERT_EQ(text.put(std::string_view()), EncodeError::kNone);
  EXPECT_TRUE(text.present());
}

TEST(Encode, fieldsLeftOutReadZero) {
  for (const FieldTypeInfo& info : kFieldTypes) {
    if (info.inHeap()) continue;
    OneField field(info.type);
    ASSERT_EQ(field.put({}), EncodeError::kNone);
    EXPECT_TRUE(field.present());
    EXPECT_EQ(field.image().slot, std::vector<std::byte>(field.image().slot.size())) << info.name;
  }
}

TEST(Encode, aShortRowLeavesTheRestOut) {
  const Schema schema = schemaOf({{"a", FieldType::kU8}, {"b", FieldType::kUtf8}});
  const Value row[] = {std::int64_t{7}};
  RecordImage image;
  ASSERT_EQ(encodeRecord(schema, row, kRoomy, image).error, EncodeError::kNone);
  EXPECT_FALSE(RecordReader(image.slot, image.heap).pointer(schema.fields()[1]));
}

TEST(Encode, setsABitForEachPresentFieldAndNoOther) {
  std::vector<FieldSpec> specs;
  for (std::size_t i = 0; i < 19; ++i) {
    specs.push_back({test::numbered("f", i), FieldType::kU8, i % 3 == 0 ? std::uint8_t{0} : kFieldNullable});
  }
  const Schema schema = schemaOf(specs);
  for (std::uint32_t pattern = 0; pattern < (1U << 19); pattern += 4099) {
    std::vector<Value> row(specs.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      if ((pattern >> i & 1U) != 0) row[i] = std::int64_t{1};
    }
    RecordImage image;
    ASSERT_EQ(encodeRecord(schema, row, kRoomy, image).error, EncodeError::kNone);
    const RecordReader reader(image.slot, image.heap);
    for (std::size_t i = 0; i < row.size(); ++i) {
      ASSERT_EQ(reader.present(schema.fields()[i]), i % 3 == 0 || (pattern >> i & 1U) != 0);
    }
  }
}

TEST(Encode, namesTheFieldThatWasWrong) {
  const Schema schema = schemaOf({{"a", FieldType::kU8}, {"b", FieldType::kU8}, {"c", FieldType::kU8}});
  const Value row[] = {std::int64_t{1}, std::int64_t{2}, std::int64_t{256}};
  RecordImage image;
  const EncodeFault fault = encodeRecord(schema, row, kRoomy, image);
  EXPECT_EQ(fault.error, EncodeError::kOutOfRange);
  EXPECT_EQ(fault.field, 2U);
}

TEST(RelocatePointers, movesThoseThatNameAPayloadAndNoOthers) {
  const Schema schema = schemaOf(
      {{"n", FieldType::kU32}, {"a", FieldType::kUtf8}, {"b", FieldType::kLargeUtf8}, {"c", FieldType::kUtf8}});
  const Value row[] = {std::int64_t{9}, std::string_view("aa"), Value(), std::string_view("ccc")};
  RecordImage image;
  ASSERT_EQ(encodeRecord(schema, row, kRoomy, image).error, EncodeError::kNone);
  relocatePointers(schema.heapPointers(), image.slot.data(), 1000);
  std::vector<std::byte> heap(1000);
  heap.insert(heap.end(), image.heap.begin(), image.heap.end());
  const RecordReader reader(image.slot, heap);
  EXPECT_EQ(reader.number<std::uint32_t>(schema.fields()[0]), 9U);
  EXPECT_EQ(reader.pointer(schema.fields()[1])->offset, 1000U);
  EXPECT_FALSE(reader.pointer(schema.fields()[2]));
  EXPECT_EQ(reader.pointer(schema.fields()[3])->offset, 1002U);
  EXPECT_EQ(reader.pointer(schema.fields()[3])->length, 3U);
}

// "pointers that lead out of the heap": whatever stands in the slot.
TEST(Decode, pointersOutsideTheHeapNameNothing) {
  const Schema schema = schemaOf({{"narrow", FieldType::kBytes}, {"wide", FieldType::kLargeBytes}});
  std::vector<std::byte> slot(schema.recordStride());
  const std::vector<std::byte> heap(100);
  const Field& narrow = schema.fields()[0];
  const Field& wide = schema.fields()[1];
  const auto set = [&](std::uint32_t offset, std::uint32_t length) {
    storeLittle(slot.data() + narrow.offset, offset);
    storeLittle(slot.data() + narrow.offset + 4, static_cast<std::uint16_t>(length));
    storeLittle(slot.data() + wide.offset, offset);
    storeLittle(slot.data() + wide.offset + 4, length);
  };
  const RecordReader reader(slot, heap);
  for (const auto& [offset, length] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{
           {0, 101}, {100, 1}, {101, 0}, {99, 2}, {0xFFFFFFFE, 2}, {0xFFFFFFFF, 0}, {0xFFFFFFFF, 1}, {50, 65535}}) {
    set(offset, length);
    EXPECT_FALSE(reader.pointer(narrow)) << offset << '+' << length;
    EXPECT_FALSE(reader.pointer(wide)) << offset << '+' << length;
  }
  set(1, 0xFFFFFFFF);
  EXPECT_FALSE(reader.pointer(wide));
  for (const auto& [offset, length] :
       std::vector<std::pair<std::uint32_t, std::uint32_t>>{{0, 100}, {100, 0}, {99, 1}, {0, 0}}) {
    set(offset, length);
    ASSERT_TRUE(reader.pointer(narrow));
    ASSERT_TRUE(reader.pointer(wide));
    EXPECT_EQ(reader.payload(*reader.pointer(wide)).size(), length);
  }
}

}  // namespace
}  // namespace strand
