#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/column.h"

namespace strand::kernels {

/// A set of 32-bit handles to test a column against: a bitmap where they lie close together, as an intern table's do,
/// otherwise a hash table with linear probing (Knuth, The Art of Computer Programming, volume 3, section 6.4).
class HandleSet {
 public:
  HandleSet() noexcept = default;
  /// Copies the handles; they may repeat.
  explicit HandleSet(std::span<const std::uint32_t> handles) noexcept;

  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  /// Bit j of `bits` says whether value j of a kWord column is in the set; as ColumnKernels::match.
  void match(const Column& column, std::size_t count, std::uint64_t* bits) const noexcept;

 private:
  [[nodiscard]] bool inBitmap(std::uint32_t handle) const noexcept {
    const std::uint32_t bit = handle - lowest_;
    return bit <= span_ && (bitmap_[bit / kBitsPerWord] >> (bit % kBitsPerWord) & 1U) != 0;
  }
  [[nodiscard]] bool inTable(std::uint32_t handle) const noexcept;
  void addToTable(std::uint32_t handle) noexcept;
  [[nodiscard]] std::size_t placeOf(std::uint32_t handle) const noexcept {
    // Fibonacci hashing: the product's upper bits depend on all of the handle's.
    return static_cast<std::size_t>((handle * std::uint64_t{0x9E3779B97F4A7C15}) >> tableShift_);
  }

  std::size_t size_ = 0;
  std::uint32_t lowest_ = 0;
  std::uint32_t span_ = 0;
  std::vector<std::uint64_t> bitmap_;
  /// Handles, in a table at most half full; kVacant marks what is free.
  std::vector<std::uint64_t> table_;
  std::uint32_t tableShift_ = 0;
};

}  // namespace strand::kernels
