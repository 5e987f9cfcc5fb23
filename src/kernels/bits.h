#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace strand::kernels {

// Loops that every compiler turns into vector code.

/// target = target ∩ source, as far as both go.
inline void intersectBits(std::span<std::uint32_t> target, std::span<const std::uint32_t> source) noexcept {
  const std::size_t both = std::min(target.size(), source.size());
  for (std::size_t i = 0; i < both; ++i) target[i] &= source[i];
}

/// target = target ∪ source, as far as both go.
inline void uniteBits(std::span<std::uint32_t> target, std::span<const std::uint32_t> source) noexcept {
  const std::size_t both = std::min(target.size(), source.size());
  for (std::size_t i = 0; i < both; ++i) target[i] |= source[i];
}

}  // namespace strand::kernels
