#include "record/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/numbered.h"
#include "support/random.h"

namespace strand {
namespace {

using ::testing::HasSubstr;

Schema built(std::vector<FieldSpec> specs) {
  Schema schema;
  const Fault fault = Schema::build(specs, schema);
  EXPECT_TRUE(fault.ok()) << fault.message;
  return schema;
}

Fault refusalOf(std::vector<FieldSpec> specs) {
  Schema schema;
  return Schema::build(specs, schema);
}

std::vector<std::uint32_t> offsetsOf(const Schema& schema) {
  std::vector<std::uint32_t> offsets;
  for (const Field& field : schema.fields()) offsets.push_back(field.offset);
  return offsets;
}

constexpr std::uint8_t kNullable = kFieldNullable;

TEST(Schema, laysFieldsOutInOrderAlignedToAtMostFour) {
  const Schema schema = built({{"a", FieldType::kU8},
                               {"b", FieldType::kU16},
                               {"c", FieldType::kF64},
                               {"d", FieldType::kBool8},
                               {"e", FieldType::kUtf8},
                               {"f", FieldType::kFixedBytes, 0, 3},
                               {"g", FieldType::kLargeBytes}});
  EXPECT_THAT(offsetsOf(schema), ::testing::ElementsAre(0, 2, 4, 12, 16, 22, 28));
  EXPECT_EQ(schema.recordStride(), 36U);
  EXPECT_EQ(schema.bitmapBytes(), 0U);
  EXPECT_THAT(std::vector(schema.heapPointers().begin(), schema.heapPointers().end()), ::testing::ElementsAre(16, 28));
}

TEST(Schema, putsTheValidityBitmapFirstWithABitForEachNullableField) {
  std::vector<FieldSpec> specs;
  for (std::size_t i = 0; i < 9; ++i) specs.push_back({test::numbered("n", i), FieldType::kU8, kNullable});
  specs.insert(specs.begin() + 4, {"always", FieldType::kU8});
  const Schema schema = built(specs);
  EXPECT_EQ(schema.bitmapBytes(), 2U);
  EXPECT_EQ(schema.fields()[0].offset, 2U);
  EXPECT_EQ(schema.fields()[3].nullableBit, 3);
  EXPECT_EQ(schema.fields()[4].nullableBit, -1);
  EXPECT_EQ(schema.fields()[9].nullableBit, 8);
}

TEST(Schema, refusesWhatIsNoSchemaAndNamesTheField) {
  EXPECT_EQ(refusalOf({}).code, FaultCode::kType);
  EXPECT_EQ(refusalOf({{"", FieldType::kU8}}).code, FaultCode::kType);
  const Fault twice = refusalOf({{"a", FieldType::kU8}, {"b", FieldType::kU8}, {"a", FieldType::kU16}});
  EXPECT_EQ(twice.code, FaultCode::kType);
  EXPECT_THAT(twice.message, HasSubstr("'a'"));
  const Fault flags = refusalOf({{"x", FieldType::kU8, 8}});
  EXPECT_EQ(flags.code, FaultCode::kType);
  EXPECT_THAT(flags.message, HasSubstr("'x'"));
  EXPECT_EQ(refusalOf({{"x", FieldType::kU8, kFieldSortedAscending | kFieldSortedDescending}}).code, FaultCode::kType);
  EXPECT_EQ(refusalOf({{"x", FieldType::kFixedBytes}}).code, FaultCode::kType);
}

TEST(Schema, refusesAFieldTypeThatIsNoTag) {
  for (const int tag : {0, 25, 255}) {
    const Fault fault = refusalOf({{"x", static_cast<FieldType>(tag)}});
    EXPECT_EQ(fault.code, FaultCode::kType) << tag;
    EXPECT_THAT(fault.message, HasSubstr("'x'"));
  }
}

TEST(Schema, holdsRecordsUpToTheLargestStrideAndNoLarger) {
  EXPECT_EQ(built({{"x", FieldType::kFixedBytes, 0, 65532}}).recordStride(), 65532U);
  for (const std::uint32_t length : {65533U, 65535U, 65536U, 0xFFFFFFFFU}) {
    const Fault fault = refusalOf({{"x", FieldType::kFixedBytes, 0, length}});
    EXPECT_EQ(fault.code, FaultCode::kRange) << length;
    EXPECT_THAT(fault.message, HasSubstr("65535"));
  }
  const Fault second = refusalOf({{"x", FieldType::kFixedBytes, 0, 65532}, {"y", FieldType::kU8}});
  EXPECT_EQ(second.code, FaultCode::kRange);
}

TEST(Schema, keepsTheOldSchemaWhenItRefuses) {
  Schema schema = built({{"a", FieldType::kU8}});
  EXPECT_FALSE(Schema::build({}, schema).ok());
  EXPECT_EQ(schema.fields().size(), 1U);
}

TEST(Schema, encodesFourBytesAFieldAndTheLengthOfFixedBytes) {
  const Schema schema = built({{"a", FieldType::kU8, kNullable},
                               {"b", FieldType::kFixedBytes, 0, 0x102},
                               {"c", FieldType::kU32, kFieldSortedDescending}});
  std::string hex;
  for (const std::byte byte : schema.encode()) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += {kDigits[static_cast<unsigned>(byte) >> 4], kDigits[static_cast<unsigned>(byte) & 15]};
  }
  EXPECT_EQ(hex,
            "01010100"
            "1200020002010000"
            "03040401");
}

TEST(Schema, fingerprintIsFnv1aOfTheBinarySchemaAndIgnoresNames) {
  EXPECT_EQ(fnv1a({}), 2166136261U);
  const std::string_view text = "foobar";
  EXPECT_EQ(fnv1a(std::as_bytes(std::span(text))), 0xBF9CF968U);  // from the reference test vectors
  const Schema schema = built({{"a", FieldType::kU8}, {"b", FieldType::kUtf8}});
  EXPECT_EQ(schema.fingerprint(), fnv1a(schema.encode()));
  EXPECT_EQ(schema.fingerprint(), built({{"x", FieldType::kU8}, {"y", FieldType::kUtf8}}).fingerprint());
  EXPECT_NE(schema.fingerprint(), built({{"a", FieldType::kI8}, {"b", FieldType::kUtf8}}).fingerprint());
}

std::vector<FieldSpec> randomSpecs(test::Random& random) {
  std::vector<FieldSpec> specs(random.between(1, 40));
  for (std::size_t i = 0; i < specs.size(); ++i) {
    FieldSpec& spec = specs[i];
    spec.name = test::numbered("field", i);
    spec.type = kFieldTypes[random.below(kFieldTypes.size())].type;
    spec.flags = static_cast<std::uint8_t>(random.pick<int>({0, 0, 1, 2, 3, 4, 5}));
    if (spec.type == FieldType::kFixedBytes) spec.length = static_cast<std::uint32_t>(random.between(1, 300));
  }
  return specs;
}

TEST(Schema, anySchemaLaysItsFieldsOutAlignedInsideAndWithoutOverlap) {
  test::Random random;
  for (int round = 0; round < 2000; ++round) {
    const Schema schema = built(randomSpecs(random));
    std::vector<bool> taken(schema.recordStride(), false);
    std::fill_n(taken.begin(), schema.bitmapBytes(), true);
    for (const Field& field : schema.fields()) {
      const std::uint32_t alignment = field.type == FieldType::kFixedBytes ? 1 : std::min(field.width, 4U);
      ASSERT_EQ(field.offset % alignment, 0U);
      ASSERT_LE(field.offset + field.width, schema.recordStride());
      for (std::uint32_t i = 0; i < field.width; ++i) {
        ASSERT_FALSE(taken[field.offset + i]);
        taken[field.offset + i] = true;
      }
    }
    ASSERT_EQ(schema.recordStride() % 4, 0U);
  }
}

TEST(Schema, anySchemaSurvivesEncodingAndDecoding) {
  test::Random random;
  for (int round = 0; round < 2000; ++round) {
    const std::vector<FieldSpec> specs = randomSpecs(random);
    const Schema schema = built(specs);
    Schema copy;
    const Fault fault = Schema::decode(schema.encode(), schema.recordStride(), copy);
    ASSERT_TRUE(fault.ok()) << fault.message;
    std::vector<std::string> names;
    for (const FieldSpec& spec : specs) names.push_back(spec.name);
    ASSERT_TRUE(copy.setNames(names).ok());
    ASSERT_EQ(copy.encode(), schema.encode());
    ASSERT_EQ(copy.fingerprint(), schema.fingerprint());
    ASSERT_EQ(copy.bitmapBytes(), schema.bitmapBytes());
    for (std::size_t i = 0; i < specs.size(); ++i) {
      const Field& field = copy.fields()[i];
      ASSERT_EQ(field.name, specs[i].name);
      ASSERT_EQ(field.type, specs[i].type);
      ASSERT_EQ(field.flags, specs[i].flags);
      ASSERT_EQ(field.offset, schema.fields()[i].offset);
      ASSERT_EQ(field.width, schema.fields()[i].width);
      ASSERT_EQ(field.nullableBit, schema.fields()[i].nullableBit);
      ASSERT_EQ(copy.indexOf(field.name), i);
    }
    ASSERT_FALSE(copy.indexOf("no such field"));
  }
}

// --- what decode must refuse ---

std::vector<std::byte> bytesOf(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

Fault decodeFault(std::initializer_list<int> bytes, std::uint32_t stride) {
  Schema schema;
  return Schema::decode(bytesOf(bytes), stride, schema);
}

constexpr int kTagU8 = 1;
constexpr int kTagU16 = 2;
constexpr int kTagU32 = 3;
constexpr int kTagF64 = 7;
constexpr int kTagUtf8 = 10;
constexpr int kTagFixed = 18;

struct Malformed {
  const char* why;
  std::initializer_list<int> bytes;
  std::uint32_t stride;
  const char* says;
};

TEST(Schema, decodeRefusesEveryMalformedKind) {
  const Malformed cases[] = {
      {"no field", {}, 4, "no fields"},
      {"stride 0", {kTagU8, 0, 0, 0}, 0, "stride"},
      {"stride past the limit", {kTagU8, 0, 0, 0}, 65536, "stride"},
      {"a stride that is no multiple of 4", {kTagU8, 0, 0, 0}, 6, "stride"},
      {"an entry cut short", {kTagU8, 0, 0}, 4, "cut short"},
      {"a second entry cut short", {kTagU8, 0, 0, 0, kTagU8}, 4, "entry 1 is cut short"},
      {"tag 0", {0, 0, 0, 0}, 4, "unknown type 0"},
      {"a tag past the last", {25, 0, 0, 0}, 4, "unknown type 25"},
      {"tag 255", {255, 0, 0, 0}, 4, "unknown type 255"},
      {"unknown flags", {kTagU8, 8, 0, 0}, 4, "flags"},
      {"sorted both ways", {kTagU8, 6, 0, 0}, 4, "both ways"},
      {"a u16 at an odd offset", {kTagU16, 0, 1, 0}, 4, "aligned"},
      {"a u32 at offset 2", {kTagU32, 0, 2, 0}, 8, "aligned"},
      {"an f64 at offset 2", {kTagF64, 0, 2, 0}, 12, "aligned"},
      {"a utf8 at offset 2", {kTagUtf8, 0, 2, 0}, 8, "aligned"},
      {"a field behind the stride", {kTagU8, 0, 4, 0}, 4, "past the record stride"},
      {"a field across the stride", {kTagF64, 0, 4, 0}, 8, "past the record stride"},
      {"an offset of 65,535", {kTagU8, 0, 255, 255}, 4, "past the record stride"},
      {"fields that overlap", {kTagU32, 0, 0, 0, kTagU16, 0, 2, 0}, 4, "overlaps"},
      {"the same bytes twice", {kTagU8, 0, 0, 0, kTagU8, 0, 0, 0}, 4, "overlaps"},
      {"a field on the bitmap", {kTagU8, 1, 0, 0}, 4, "overlaps"},
      {"fixed_bytes without its length", {kTagFixed, 0, 0, 0}, 4, "cut short"},
      {"fixed_bytes with half a length", {kTagFixed, 0, 0, 0, 1, 0}, 4, "cut short"},
      {"fixed_bytes of length 0", {kTagFixed, 0, 0, 0, 0, 0, 0, 0}, 4, "length 0"},
      {"fixed_bytes past the stride", {kTagFixed, 0, 0, 0, 5, 0, 0, 0}, 4, "past the record stride"},
      {"fixed_bytes of 4 GiB", {kTagFixed, 0, 4, 0, 255, 255, 255, 255}, 8, "past the record stride"},
  };
  for (const Malformed& one : cases) {
    const Fault fault = decodeFault(one.bytes, one.stride);
    EXPECT_EQ(fault.code, FaultCode::kHeader) << one.why;
    EXPECT_THAT(fault.message, HasSubstr(one.says)) << one.why;
  }
}

TEST(Schema, decodeRefusesMoreFieldsThanTheRecordHasBytesBeforeItLooksAtTheirPlaces) {
  std::vector<std::byte> bytes;
  for (int i = 0; i < 9; ++i) {
    for (const std::byte byte : bytesOf({kTagU8, 0, 0, 0})) bytes.push_back(byte);
  }
  Schema schema;
  const Fault fault = Schema::decode(bytes, 8, schema);
  EXPECT_EQ(fault.code, FaultCode::kHeader);
  EXPECT_THAT(fault.message, HasSubstr("entry 8 is past the record stride of 8"));
}

TEST(Schema, decodeRefusesABitmapLargerThanTheRecord) {
  std::vector<std::byte> bytes;
  for (int i = 0; i < 33; ++i) {
    for (const std::byte byte : bytesOf({kTagU8, kNullable, 3, 0})) bytes.push_back(byte);
  }
  Schema schema;
  EXPECT_EQ(Schema::decode(bytes, 4, schema).code, FaultCode::kHeader);
}

TEST(Schema, decodeAcceptsFieldsInAnyOrderAndAWiderStride) {
  Schema schema;
  ASSERT_TRUE(Schema::decode(bytesOf({kTagU32, 0, 8, 0, kTagU8, 0, 0, 0}), 64, schema).ok());
  EXPECT_EQ(schema.recordStride(), 64U);
}

TEST(Schema, decodeNeverReadsPastRandomBytes) {
  test::Random random;
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::byte> bytes(random.below(40));
    for (std::byte& byte : bytes) {
      byte = static_cast<std::byte>(random.percent(70) ? random.below(26) : random.bits());
    }
    Schema schema;
    const auto stride = static_cast<std::uint32_t>(random.below(70) * 4);
    if (!Schema::decode(bytes, stride, schema).ok()) continue;
    for (const Field& field : schema.fields()) ASSERT_LE(field.offset + field.width, stride);
  }
}

TEST(Schema, namesMustMatchTheFields) {
  Schema schema = built({{"a", FieldType::kU8}, {"b", FieldType::kU8}});
  EXPECT_EQ(schema.setNames({"a"}).code, FaultCode::kHeader);
  EXPECT_EQ(schema.setNames({"a", ""}).code, FaultCode::kHeader);
  EXPECT_EQ(schema.setNames({"a", "a"}).code, FaultCode::kHeader);
  EXPECT_TRUE(schema.setNames({"__proto__", "\xF0\x9F\x8D\x95"}).ok());
  EXPECT_EQ(schema.indexOf("\xF0\x9F\x8D\x95"), 1U);
}

}  // namespace
}  // namespace strand
