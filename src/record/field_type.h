#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace strand {

/// Tag of a field in the binary schema. A tag never changes its meaning.
enum class FieldType : std::uint8_t {
  kU8 = 1,
  kU16 = 2,
  kU32 = 3,
  kI32 = 4,
  kI64 = 5,
  kF32 = 6,
  kF64 = 7,
  kBool8 = 8,
  kUtf8Ref = 9,
  kUtf8 = 10,
  kJson = 11,
  kBytes = 12,
  kI32Array = 13,
  kF32Array = 14,
  kI8 = 15,
  kI16 = 16,
  kU64 = 17,
  kFixedBytes = 18,
  kLargeUtf8 = 19,
  kLargeJson = 20,
  kLargeBytes = 21,
  kF64Array = 22,
  kI64Array = 23,
  kU32Array = 24,
};

/// How the bytes of a slot are to be understood.
enum class FieldKind : std::uint8_t {
  kUnsigned,
  kSigned,
  kFloat,
  kBool,
  kRef,
  kFixed,
  kText,
  kJson,
  kArray,
};

struct FieldTypeInfo {
  FieldType type;
  std::string_view name;
  FieldKind kind;
  /// Bytes in the slot; 0 for fixed_bytes, whose schema entry gives its length.
  std::uint8_t width;
  /// Bytes of one element of a heap payload, and its alignment there; 0 for types without a payload.
  std::uint8_t elementSize;

  /// Bytes of the length in a heap pointer [offset u32][length u16 or u32].
  [[nodiscard]] constexpr bool inHeap() const noexcept { return elementSize != 0; }
  [[nodiscard]] constexpr bool wide() const noexcept { return width == 8; }
  /// Longest payload that the pointer can name, in bytes.
  [[nodiscard]] constexpr std::uint32_t maxPayload() const noexcept { return wide() ? 0xFFFFFFFEU : 0xFFFFU; }
  [[nodiscard]] constexpr bool orderable() const noexcept {
    return kind == FieldKind::kUnsigned || kind == FieldKind::kSigned || kind == FieldKind::kFloat;
  }
};

inline constexpr std::array<FieldTypeInfo, 24> kFieldTypes{{
    {FieldType::kU8, "u8", FieldKind::kUnsigned, 1, 0},
    {FieldType::kU16, "u16", FieldKind::kUnsigned, 2, 0},
    {FieldType::kU32, "u32", FieldKind::kUnsigned, 4, 0},
    {FieldType::kI32, "i32", FieldKind::kSigned, 4, 0},
    {FieldType::kI64, "i64", FieldKind::kSigned, 8, 0},
    {FieldType::kF32, "f32", FieldKind::kFloat, 4, 0},
    {FieldType::kF64, "f64", FieldKind::kFloat, 8, 0},
    {FieldType::kBool8, "bool8", FieldKind::kBool, 1, 0},
    {FieldType::kUtf8Ref, "utf8_ref", FieldKind::kRef, 4, 0},
    {FieldType::kUtf8, "utf8", FieldKind::kText, 6, 1},
    {FieldType::kJson, "json", FieldKind::kJson, 6, 1},
    {FieldType::kBytes, "bytes", FieldKind::kArray, 6, 1},
    {FieldType::kI32Array, "i32_array", FieldKind::kArray, 6, 4},
    {FieldType::kF32Array, "f32_array", FieldKind::kArray, 6, 4},
    {FieldType::kI8, "i8", FieldKind::kSigned, 1, 0},
    {FieldType::kI16, "i16", FieldKind::kSigned, 2, 0},
    {FieldType::kU64, "u64", FieldKind::kUnsigned, 8, 0},
    {FieldType::kFixedBytes, "fixed_bytes", FieldKind::kFixed, 0, 0},
    {FieldType::kLargeUtf8, "large_utf8", FieldKind::kText, 8, 1},
    {FieldType::kLargeJson, "large_json", FieldKind::kJson, 8, 1},
    {FieldType::kLargeBytes, "large_bytes", FieldKind::kArray, 8, 1},
    {FieldType::kF64Array, "f64_array", FieldKind::kArray, 8, 8},
    {FieldType::kI64Array, "i64_array", FieldKind::kArray, 8, 8},
    {FieldType::kU32Array, "u32_array", FieldKind::kArray, 8, 4},
}};

/// The table is indexed by tag - 1.
constexpr bool tableMatchesTags() noexcept {
  for (std::size_t i = 0; i < kFieldTypes.size(); ++i) {
    if (static_cast<std::size_t>(kFieldTypes[i].type) != i + 1) return false;
  }
  return true;
}
static_assert(tableMatchesTags());

constexpr bool isFieldTag(std::uint32_t tag) noexcept { return tag >= 1 && tag <= kFieldTypes.size(); }

constexpr const FieldTypeInfo& fieldTypeInfo(FieldType type) noexcept {
  return kFieldTypes[static_cast<std::size_t>(type) - 1];
}

/// Bits of a field's flags.
inline constexpr std::uint8_t kFieldNullable = 1;
inline constexpr std::uint8_t kFieldSortedAscending = 2;
inline constexpr std::uint8_t kFieldSortedDescending = 4;
inline constexpr std::uint8_t kFieldFlags = kFieldNullable | kFieldSortedAscending | kFieldSortedDescending;

}  // namespace strand
