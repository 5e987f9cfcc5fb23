#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "kernels/column.h"

namespace strand {

/// Records that are scanned together: few enough that their slots stay in the fast caches from one field to the next,
/// and many enough that a call costs nothing beside them. A multiple of 64.
inline constexpr std::size_t kScanBlock = 1024;
inline constexpr std::size_t kScanWords = kScanBlock / kernels::kBitsPerWord;

/// Bits of one block, the first record's lowest; bits past the block's records are 0.
using BlockBits = std::array<std::uint64_t, kScanWords>;

/// Adds `source`, moved up by `shift` (below kScanBlock), to `target`.
inline void orShiftedUp(BlockBits& target, const BlockBits& source, std::size_t shift) noexcept {
  const std::size_t words = shift / kernels::kBitsPerWord;
  const std::size_t bits = shift % kernels::kBitsPerWord;
  for (std::size_t i = kScanWords; i-- > words;) {
    target[i] |= source[i - words] << bits;
    if (bits != 0 && i > words) target[i] |= source[i - words - 1] >> (kernels::kBitsPerWord - bits);
  }
}

/// `source` moved down by `shift`, below kScanBlock.
inline BlockBits shiftedDown(const BlockBits& source, std::size_t shift) noexcept {
  const std::size_t words = shift / kernels::kBitsPerWord;
  const std::size_t bits = shift % kernels::kBitsPerWord;
  BlockBits target{};
  for (std::size_t i = 0; i + words < kScanWords; ++i) {
    target[i] = source[i + words] >> bits;
    if (bits != 0 && i + words + 1 < kScanWords) {
      target[i] |= source[i + words + 1] << (kernels::kBitsPerWord - bits);
    }
  }
  return target;
}

/// Clears the bits from `from` (inclusive) to `to`.
inline void clearBits(BlockBits& bits, std::size_t from, std::size_t to) noexcept {
  for (std::size_t i = 0; i < kScanWords; ++i) {
    const std::size_t first = i * kernels::kBitsPerWord;
    const auto inWord = [&](std::size_t bit) { return std::clamp(bit, first, first + kernels::kBitsPerWord) - first; };
    bits[i] &= ~(kernels::lowBits(inWord(to)) & ~kernels::lowBits(inWord(from)));
  }
}

/// Bits of a whole window in words of 32, as JavaScript holds them.
inline constexpr std::size_t kBitsPerHalf = 32;
constexpr std::uint64_t halvesFor(std::uint64_t count) noexcept { return (count + kBitsPerHalf - 1) / kBitsPerHalf; }

}  // namespace strand
