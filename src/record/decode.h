#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "layout/strand_layout.h"
#include "memory/atomic_word.h"
#include "record/schema.h"

namespace strand {

/// Where a value's payload lies in the heap.
struct HeapPointer {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
};

/// Decodes the fields of one record: a slot and the heap that its pointers count from. Pointers and lengths
/// are loaded once and clamped, so that no bytes in the slot lead out of the heap.
class RecordReader {
 public:
  RecordReader() noexcept = default;
  RecordReader(std::span<const std::byte> slot, std::span<const std::byte> heap) noexcept : slot_(slot), heap_(heap) {}

  [[nodiscard]] bool present(const Field& field) const noexcept {
    if (field.nullableBit < 0) return true;
    const auto bit = static_cast<std::uint32_t>(field.nullableBit);
    return (loadByte(bit / 8) >> (bit % 8) & 1U) != 0;
  }

  /// The number in a field of exactly this type's width; the caller has checked the field's type.
  template <typename T>
  [[nodiscard]] T number(const Field& field) const noexcept {
    T value;
    copyRacy(&value, slot_.data() + field.offset, sizeof value);
    return value;
  }

  /// A payload's place, clamped to the heap; nullopt where the value is absent or the pointer is nonsense.
  [[nodiscard]] std::optional<HeapPointer> pointer(const Field& field) const noexcept {
    const std::byte* const at = slot_.data() + field.offset;
    const auto offset = readRacy<std::uint32_t>(at);
    const std::uint32_t length =
        field.info().wide() ? readRacy<std::uint32_t>(at + 4) : readRacy<std::uint16_t>(at + 4);
    if (offset == layout::kAbsentOffset || std::uint64_t{offset} + length > heap_.size()) return std::nullopt;
    return HeapPointer{offset, length};
  }

  [[nodiscard]] std::span<const std::byte> payload(HeapPointer pointer) const noexcept {
    return heap_.subspan(pointer.offset, pointer.length);
  }

  [[nodiscard]] std::span<const std::byte> fixed(const Field& field) const noexcept {
    return slot_.subspan(field.offset, field.width);
  }

 private:
  [[nodiscard]] std::uint32_t loadByte(std::size_t offset) const noexcept {
    std::uint8_t byte = 0;
    copyRacy(&byte, slot_.data() + offset, 1);
    return byte;
  }

  std::span<const std::byte> slot_;
  std::span<const std::byte> heap_;
};

}  // namespace strand
