#include "record/field_type.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace strand {
namespace {

// Tags and widths are the wire format. A new type adds a row; none of these may change.
struct Row {
  int tag;
  std::string_view name;
  int width;
  int element;
};
constexpr Row kFormat[] = {
    {1, "u8", 1, 0},           {2, "u16", 2, 0},          {3, "u32", 4, 0},         {4, "i32", 4, 0},
    {5, "i64", 8, 0},          {6, "f32", 4, 0},          {7, "f64", 8, 0},         {8, "bool8", 1, 0},
    {9, "utf8_ref", 4, 0},     {10, "utf8", 6, 1},        {11, "json", 6, 1},       {12, "bytes", 6, 1},
    {13, "i32_array", 6, 4},   {14, "f32_array", 6, 4},   {15, "i8", 1, 0},         {16, "i16", 2, 0},
    {17, "u64", 8, 0},         {18, "fixed_bytes", 0, 0}, {19, "large_utf8", 8, 1}, {20, "large_json", 8, 1},
    {21, "large_bytes", 8, 1}, {22, "f64_array", 8, 8},   {23, "i64_array", 8, 8},  {24, "u32_array", 8, 4},
};

TEST(FieldTypes, keepTheirTagsNamesAndWidths) {
  ASSERT_EQ(kFieldTypes.size(), std::size(kFormat));
  for (const Row& row : kFormat) {
    ASSERT_TRUE(isFieldTag(static_cast<std::uint32_t>(row.tag)));
    const FieldTypeInfo& info = fieldTypeInfo(static_cast<FieldType>(row.tag));
    EXPECT_EQ(static_cast<int>(info.type), row.tag);
    EXPECT_EQ(info.name, row.name);
    EXPECT_EQ(info.width, row.width) << row.name;
    EXPECT_EQ(info.elementSize, row.element) << row.name;
    EXPECT_EQ(info.inHeap(), row.element != 0) << row.name;
  }
  EXPECT_FALSE(isFieldTag(0));
  EXPECT_FALSE(isFieldTag(25));
  EXPECT_FALSE(isFieldTag(256 + 1));
}

TEST(FieldTypes, pointersNameAsManyBytesAsTheirLengthHolds) {
  EXPECT_EQ(fieldTypeInfo(FieldType::kUtf8).maxPayload(), 65535U);
  EXPECT_EQ(fieldTypeInfo(FieldType::kLargeUtf8).maxPayload(), 0xFFFFFFFEU);
}

TEST(FieldTypes, onlyNumbersAreOrderable) {
  std::set<std::string_view> orderable;
  for (const FieldTypeInfo& info : kFieldTypes) {
    if (info.orderable()) orderable.insert(info.name);
  }
  EXPECT_EQ(orderable,
            (std::set<std::string_view>{"u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64"}));
}

}  // namespace
}  // namespace strand
