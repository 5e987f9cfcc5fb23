#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace strand {

// Formats are little-endian; so is every platform that Node.js ships for and this package builds on.
static_assert(std::endian::native == std::endian::little);

/// Loads an unaligned little-endian value from private memory, or from shared memory that nobody writes.
template <typename T>
requires std::is_arithmetic_v<T> T loadLittle(const std::byte* from)
noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T>
requires std::is_arithmetic_v<T>
void storeLittle(std::byte* to, T value) noexcept { std::memcpy(to, &value, sizeof value); }

}  // namespace strand
