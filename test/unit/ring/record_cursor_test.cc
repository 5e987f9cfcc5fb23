#include "ring/record_cursor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "memory/little_endian.h"
#include "support/every_type.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::EveryValue;
using test::TestStrand;

class Cursor : public ::testing::Test {
 protected:
  void SetUp() override {
    EncodeFault fault;
    ASSERT_EQ(writer.write(EveryValue::row(), fault), Status::kOk);
    const std::vector<Value> nothing(strand.schema.fields().size());
    ASSERT_EQ(writer.write(nothing, fault), Status::kOk);
    ASSERT_EQ(cursor.seek(0), Status::kOk);
  }
  std::size_t index(std::string_view name) const { return *strand.schema.indexOf(name); }

  template <typename T, typename U>
  static void expectEqual(const std::optional<std::span<const T>>& read, const U& written) {
    ASSERT_TRUE(read);
    EXPECT_TRUE(std::equal(read->begin(), read->end(), written.begin(), written.end()));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(read->data()) % alignof(T), 0U);
  }

  const TestStrand strand{4, 2048, test::everyType()};
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  RecordCursor cursor{view};
};

TEST_F(Cursor, readsEveryTypeByItsAccessor) {
  for (const std::string& prefix : {std::string(), std::string("nullable_")}) {
    const auto at = [&](std::string_view type) { return index(prefix + std::string(type)); };
    EXPECT_EQ(cursor.getU8(at("u8")), 200);
    EXPECT_EQ(cursor.getU16(at("u16")), 60000);
    EXPECT_EQ(cursor.getU32(at("u32")), 4000000000U);
    EXPECT_EQ(cursor.getU64(at("u64")), 18000000000000000000U);
    EXPECT_EQ(cursor.getI8(at("i8")), -100);
    EXPECT_EQ(cursor.getI16(at("i16")), -30000);
    EXPECT_EQ(cursor.getI32(at("i32")), -2000000000);
    EXPECT_EQ(cursor.getI64(at("i64")), -9000000000000000000);
    EXPECT_EQ(cursor.getF32(at("f32")), 1.5F);
    EXPECT_EQ(cursor.getF64(at("f64")), -0.1);
    EXPECT_EQ(cursor.getBool(at("bool8")), true);
    EXPECT_EQ(cursor.getRef(at("utf8_ref")), 3U);
    EXPECT_EQ(cursor.getString(at("utf8")), EveryValue::kText);
    EXPECT_EQ(cursor.getString(at("large_utf8")), EveryValue::kText);
    EXPECT_EQ(cursor.getJson(at("json")), EveryValue::kJson);
    EXPECT_EQ(cursor.getJson(at("large_json")), EveryValue::kJson);
    expectEqual(cursor.getBytes(at("bytes")), EveryValue::kBytes);
    expectEqual(cursor.getBytes(at("large_bytes")), EveryValue::kBytes);
    expectEqual(cursor.getBytes(at("fixed_bytes")), EveryValue::kFixed);
    expectEqual(cursor.getI32Array(at("i32_array")), EveryValue::kI32);
    expectEqual(cursor.getU32Array(at("u32_array")), EveryValue::kU32);
    expectEqual(cursor.getI64Array(at("i64_array")), EveryValue::kI64);
    expectEqual(cursor.getF32Array(at("f32_array")), EveryValue::kF32);
    expectEqual(cursor.getF64Array(at("f64_array")), EveryValue::kF64);
  }
}

/// Names of the accessors that answer for field `i`.
std::string answering(const RecordCursor& cursor, std::size_t i) {
  std::string names;
  const auto note = [&](bool answered, const char* name) {
    if (answered) names += name;
  };
  note(cursor.getU8(i).has_value(), "u8 ");
  note(cursor.getU16(i).has_value(), "u16 ");
  note(cursor.getU32(i).has_value(), "u32 ");
  note(cursor.getI32(i).has_value(), "i32 ");
  note(cursor.getI64(i).has_value(), "i64 ");
  note(cursor.getF32(i).has_value(), "f32 ");
  note(cursor.getF64(i).has_value(), "f64 ");
  note(cursor.getBool(i).has_value(), "bool ");
  note(cursor.getRef(i).has_value(), "ref ");
  note(cursor.getI8(i).has_value(), "i8 ");
  note(cursor.getI16(i).has_value(), "i16 ");
  note(cursor.getU64(i).has_value(), "u64 ");
  note(cursor.getString(i).has_value(), "string ");
  note(cursor.getJson(i).has_value(), "json ");
  note(cursor.getBytes(i).has_value(), "bytes ");
  note(cursor.getI32Array(i).has_value(), "i32array ");
  note(cursor.getF32Array(i).has_value(), "f32array ");
  note(cursor.getF64Array(i).has_value(), "f64array ");
  note(cursor.getI64Array(i).has_value(), "i64array ");
  note(cursor.getU32Array(i).has_value(), "u32array ");
  return names;
}

TEST_F(Cursor, onlyTheAccessorOfTheTypeAnswers) {
  const std::vector<std::string> expected{"u8 ",       "u16 ",      "u32 ",   "i32 ",      "i64 ",      "f32 ",
                                          "f64 ",      "bool ",     "ref ",   "string ",   "json ",     "bytes ",
                                          "i32array ", "f32array ", "i8 ",    "i16 ",      "u64 ",      "bytes ",
                                          "string ",   "json ",     "bytes ", "f64array ", "i64array ", "u32array "};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(answering(cursor, i), expected[i]) << kFieldTypes[i].name;
    EXPECT_EQ(answering(cursor, i + expected.size()), expected[i]) << kFieldTypes[i].name;
  }
}

TEST_F(Cursor, anIndexThatDoesNotExistAnswersNothing) {
  for (const std::size_t i : {strand.schema.fields().size(), std::size_t{1000000}, ~std::size_t{0}}) {
    EXPECT_EQ(answering(cursor, i), "");
  }
}

TEST_F(Cursor, nullsAnswerNothing) {
  ASSERT_EQ(cursor.seek(1), Status::kOk);
  for (std::size_t i = kFieldTypes.size(); i < 2 * kFieldTypes.size(); ++i) {
    EXPECT_EQ(answering(cursor, i), "") << strand.schema.fields()[i].name;
  }
}

TEST_F(Cursor, whatWasLeftOutReadsAsItsDefault) {
  ASSERT_EQ(cursor.seek(1), Status::kOk);
  EXPECT_EQ(cursor.getU8(index("u8")), 0);
  EXPECT_EQ(cursor.getI64(index("i64")), 0);
  EXPECT_EQ(cursor.getU64(index("u64")), 0U);
  EXPECT_EQ(cursor.getF64(index("f64")), 0.0);
  EXPECT_EQ(cursor.getBool(index("bool8")), false);
  EXPECT_EQ(cursor.getRef(index("utf8_ref")), 0U);
  EXPECT_EQ(cursor.getString(index("utf8")), "");
  EXPECT_EQ(cursor.getString(index("large_utf8")), "");
  for (const char* name : {"json", "large_json"}) EXPECT_FALSE(cursor.getJson(index(name))) << name;
  for (const char* name : {"bytes", "large_bytes"}) EXPECT_FALSE(cursor.getBytes(index(name))) << name;
  EXPECT_FALSE(cursor.getI32Array(index("i32_array")));
  EXPECT_FALSE(cursor.getF64Array(index("f64_array")));
  expectEqual(cursor.getBytes(index("fixed_bytes")), std::vector<std::byte>(5));
}

TEST_F(Cursor, whatWasWrittenEmptyReadsEmpty) {
  std::vector<Value> row(strand.schema.fields().size());
  row[index("utf8")] = std::string_view();
  row[index("nullable_utf8")] = std::string_view();
  row[index("bytes")] = std::span<const std::byte>();
  row[index("nullable_f64_array")] = std::span<const double>();
  row[index("i32_array")] = std::span<const std::int32_t>();
  EncodeFault fault;
  ASSERT_EQ(writer.write(row, fault), Status::kOk);
  ASSERT_EQ(cursor.seek(2), Status::kOk);
  EXPECT_EQ(cursor.getString(index("utf8")), "");
  EXPECT_EQ(cursor.getString(index("nullable_utf8")), "");
  ASSERT_TRUE(cursor.getBytes(index("bytes")));
  EXPECT_TRUE(cursor.getBytes(index("bytes"))->empty());
  ASSERT_TRUE(cursor.getF64Array(index("nullable_f64_array")));
  EXPECT_TRUE(cursor.getF64Array(index("nullable_f64_array"))->empty());
  ASSERT_TRUE(cursor.getI32Array(index("i32_array")));
}

TEST_F(Cursor, anArrayThatAForeignProducerLeftUnalignedNamesNothing) {
  const Field& field = strand.schema.fields()[index("i32_array")];
  std::byte* const slot = strand.region.data() + strand.geometry.headerSize;
  const auto offset = loadLittle<std::uint32_t>(slot + field.offset);
  for (std::uint32_t shift = 1; shift < 4; ++shift) {
    storeLittle(slot + field.offset, offset + shift);
    EXPECT_FALSE(cursor.getI32Array(index("i32_array")));
    EXPECT_EQ(answering(cursor, index("i32_array")), "");
  }
  // A length that is no multiple of the element's size: the rest is left out.
  storeLittle(slot + field.offset, offset);
  storeLittle(slot + field.offset + 4, std::uint16_t{7});
  ASSERT_TRUE(cursor.getI32Array(index("i32_array")));
  EXPECT_EQ(cursor.getI32Array(index("i32_array"))->size(), 1U);
}

TEST_F(Cursor, aDamagedPointerNamesNothing) {
  std::byte* const slot = strand.region.data() + strand.geometry.headerSize;
  for (const Field& field : strand.schema.fields()) {
    if (field.info().inHeap()) storeLittle(slot + field.offset, std::uint32_t{0xFFFFFFF0});
  }
  for (std::size_t i = 0; i < strand.schema.fields().size(); ++i) {
    const Field& field = strand.schema.fields()[i];
    if (!field.info().inHeap()) continue;
    // As an absent value: text reads "", everything else nothing.
    EXPECT_EQ(answering(cursor, i), field.info().kind == FieldKind::kText ? "string " : "") << field.name;
  }
}

TEST_F(Cursor, anyByteButZeroIsTrue) {
  const Field& field = strand.schema.fields()[index("bool8")];
  std::byte* const slot = strand.region.data() + strand.geometry.headerSize;
  for (const int byte : {1, 2, 255}) {
    slot[field.offset] = static_cast<std::byte>(byte);
    EXPECT_EQ(cursor.getBool(index("bool8")), true);
  }
  slot[field.offset] = std::byte{0};
  EXPECT_EQ(cursor.getBool(index("bool8")), false);
}

}  // namespace
}  // namespace strand
