#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "record/fault.h"
#include "record/field_type.h"

namespace strand {

struct Field {
  std::string name;
  FieldType type = FieldType::kU32;
  std::uint8_t flags = 0;
  std::uint16_t offset = 0;
  /// Bytes in the slot; of a fixed_bytes field its declared length.
  std::uint32_t width = 0;
  /// Bit in the validity bitmap, -1 where the field is not nullable.
  std::int32_t nullableBit = -1;

  [[nodiscard]] const FieldTypeInfo& info() const noexcept { return fieldTypeInfo(type); }
  [[nodiscard]] bool nullable() const noexcept { return (flags & kFieldNullable) != 0; }
};

/// What a user declares of a field. `length` counts for fixed_bytes only.
struct FieldSpec {
  std::string name;
  FieldType type;
  std::uint8_t flags = 0;
  std::uint32_t length = 0;
};

/// Fields of a record and their places in a slot.
///
/// A slot begins with the validity bitmap (a bit for each nullable field, least significant first, 1 =
/// present); the fields follow in declared order, each aligned to min(width, 4), fixed_bytes to 1; the
/// stride is padded to 4.
class Schema {
 public:
  /// Lays the fields out. Refuses an empty list, names that are empty or occur twice, an unknown type, a
  /// fixed_bytes field without a length, both sort orders at once (kType), and a stride past 65,535 (kRange).
  static Fault build(std::span<const FieldSpec> specs, Schema& out) noexcept;

  /// Reads a binary schema that claims records of `stride` bytes, believing none of it: every field must
  /// be known, aligned, inside the stride, and overlap neither another one nor the bitmap.
  static Fault decode(std::span<const std::byte> bytes, std::uint32_t stride, Schema& out) noexcept;

  /// Binary schema: for each field tag u8, flags u8, offset u16; after a fixed_bytes entry its length u32.
  [[nodiscard]] std::vector<std::byte> encode() const noexcept;

  /// 32-bit FNV-1a (offset basis 2166136261, prime 16777619) of the binary schema.
  [[nodiscard]] std::uint32_t fingerprint() const noexcept;

  /// Names travel in the metadata, not in the binary schema. Refuses a wrong count, an empty name and a
  /// name that occurs twice.
  Fault setNames(std::vector<std::string> names) noexcept;

  [[nodiscard]] std::span<const Field> fields() const noexcept { return fields_; }
  [[nodiscard]] std::uint32_t recordStride() const noexcept { return stride_; }
  [[nodiscard]] std::uint32_t bitmapBytes() const noexcept { return bitmapBytes_; }
  [[nodiscard]] bool needsHeap() const noexcept { return !heapPointers_.empty(); }
  /// Places of the heap pointers in a slot.
  [[nodiscard]] std::span<const std::uint16_t> heapPointers() const noexcept { return heapPointers_; }
  [[nodiscard]] std::optional<std::size_t> indexOf(std::string_view name) const noexcept;

 private:
  void summarize() noexcept;

  std::vector<Field> fields_;
  std::uint32_t stride_ = 0;
  std::uint32_t bitmapBytes_ = 0;
  std::vector<std::uint16_t> heapPointers_;
};

/// 32-bit FNV-1a of bytes. Source: Fowler, Noll, Vo; draft-eastlake-fnv.
std::uint32_t fnv1a(std::span<const std::byte> bytes) noexcept;

}  // namespace strand
