#pragma once

#include <cstddef>

#include "kernels/column.h"
#include "record/encode.h"
#include "record/schema.h"

namespace strand {

/// Fields as the kernels see them: words or longs at a stride, whose keys are compared as signed integers.

/// Whether a field's values are numbers, booleans or handles: one word or long each.
bool hasColumn(const Field& field) noexcept;

/// The values of such a field in consecutive slots. What is read of a slot lies in the slot: a narrow field is read
/// with the aligned word around it, and strides are multiples of 4.
kernels::Column columnOf(const Field& field, const std::byte* firstSlot, std::size_t stride) noexcept;

/// The bits of a nullable field in the validity bitmap. Where a value is present, its key is in kPresent.
kernels::Column validityOf(const Field& field, const std::byte* firstSlot, std::size_t stride) noexcept;
inline constexpr kernels::KeyRange kPresent{0, INT32_MAX};

/// Outcome of keyRangeOf.
enum class Bounds : std::uint8_t {
  kSome,       ///< values of the field can be between the bounds
  kNone,       ///< no value can
  kNotNumeric  ///< a bound is no number, or the field has no order
};

/// Keys of the values v with low <= v <= high in a numeric or bool8 field (false 0, true 1), exactly: bounds need not
/// be values of the field's type. A NaN lies between no bounds and bounds nothing; -0 equals 0.
Bounds keyRangeOf(const Field& field, const Value& low, const Value& high, kernels::KeyRange& range) noexcept;

/// The key of a handle, as a range.
kernels::KeyRange keyRangeOf(std::uint32_t handle) noexcept;

/// Keys of all finite values of a numeric field.
kernels::KeyRange finiteKeysOf(const Field& field) noexcept;

/// The value of a numeric field that a finite key stands for: a double, int64_t or uint64_t by the field's kind. A zero
/// is positive.
Value valueOfKey(const Field& field, std::int64_t key) noexcept;

}  // namespace strand
