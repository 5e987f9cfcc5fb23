#pragma once

#include <cstdint>
#include <span>

namespace strand::kernels {

/// Whether all values lie below `limit`, which is 2^31 at most. A loop that every compiler turns into vector code: a
/// value of 2^31 or more has its highest bit set, and of a smaller one past the limit the difference has.
inline bool allBelow(std::span<const std::uint32_t> values, std::uint32_t limit) noexcept {
  constexpr std::uint32_t kHighest = 0x80000000;
  if (limit == 0) return values.empty();
  const std::uint32_t last = limit - 1;
  std::uint32_t bits = 0;
  for (const std::uint32_t value : values) bits |= value | (last - value);
  return (bits & kHighest) == 0;
}

}  // namespace strand::kernels
