#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "record/schema.h"

namespace strand {

/// A value of one field. monostate is "left out". Integers go into any integer field that holds them and
/// into utf8_ref (the handle); doubles into float fields; bytes into bytes, fixed_bytes; typed spans into
/// the array field of their element type.
using Value = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string_view,
                           std::span<const std::byte>, std::span<const std::int32_t>, std::span<const std::uint32_t>,
                           std::span<const std::int64_t>, std::span<const float>, std::span<const double>>;

enum class EncodeError : std::uint8_t {
  kNone,
  kWrongType,   ///< the value's kind does not go into the field
  kOutOfRange,  ///< the number does not fit the field; fixed_bytes of another length
  kTooLong,     ///< the payload is longer than the field's pointer can name, or than the heap
};

/// What was wrong with which value.
struct EncodeFault {
  EncodeError error = EncodeError::kNone;
  std::size_t record = 0;
  std::size_t field = 0;
};

/// A record in private memory: its slot, and its payloads as they would lie at the heap's first byte. Heap
/// pointers in the slot count from there; publishing adds the place that the record is given.
struct RecordImage {
  std::vector<std::byte> slot;
  std::vector<std::byte> heap;
  /// Alignment of the heap part as an address: the largest of its payloads'.
  std::uint32_t alignment = 1;
};

/// Where the payloads of an image will lie at best.
struct HeapPlacement {
  std::uint64_t startAddress = 0;  ///< heap start as an offset in the 8-aligned region
  std::uint64_t capacity = 0;
};

/// Encodes one row. The image is complete, or untouched in what others see: it is private.
EncodeFault encodeRecord(const Schema& schema, std::span<const Value> row, const HeapPlacement& placement,
                         RecordImage& image) noexcept;

/// Adds `delta` to the heap pointers of a slot that name a payload. `pointers` are their places in the slot.
void relocatePointers(std::span<const std::uint16_t> pointers, std::byte* slot, std::uint32_t delta) noexcept;

}  // namespace strand
