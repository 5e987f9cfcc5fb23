#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/column.h"
#include "memory/little_endian.h"

namespace strand::test {

inline bool isWide(kernels::Lane lane) { return lane == kernels::Lane::kLong || lane == kernels::Lane::kDouble; }

/// The key as kernels::Lane defines it, one step after the other.
inline std::int64_t keyOf(const kernels::Column& column, const std::byte* at) {
  if (isWide(column.lane)) {
    auto bits = loadLittle<std::uint64_t>(at);
    if (column.lane == kernels::Lane::kDouble) {
      if (bits >> 63 != 0) bits ^= ~std::uint64_t{0} >> 1;
    } else if (column.isUnsigned) {
      bits ^= std::uint64_t{1} << 63;
    }
    return static_cast<std::int64_t>(bits);
  }
  auto bits = loadLittle<std::uint32_t>(at);
  if (column.lane == kernels::Lane::kFloat) {
    if (bits >> 31 != 0) bits ^= ~std::uint32_t{0} >> 1;
  } else {
    bits <<= column.shift;
    if (column.isUnsigned) bits ^= std::uint32_t{1} << 31;
  }
  return static_cast<std::int32_t>(bits);
}

}  // namespace strand::test
