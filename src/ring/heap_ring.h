#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace strand {

/// Arithmetic of the heap ring. Positions are monotonic bytes; a position's place is position mod capacity.
/// What is placed never crosses the heap's physical end: it skips to the next lap instead.
class HeapRing {
 public:
  HeapRing() noexcept = default;
  explicit HeapRing(std::uint64_t capacity) noexcept : capacity_(capacity) {}

  /// Bytes wanted for one record: `atStart` at the heap's first byte, `anywhere` where padding is the worst.
  struct Need {
    std::uint64_t anywhere = 0;
    std::uint64_t atStart = 0;
  };

  struct Space {
    std::uint64_t position = 0;
    std::uint64_t bytes = 0;
  };

  [[nodiscard]] std::uint64_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::uint64_t offset(std::uint64_t position) const noexcept { return position % capacity_; }
  [[nodiscard]] std::uint64_t nextLap(std::uint64_t position) const noexcept {
    return position + (capacity_ - offset(position));
  }
  /// First position of the lap, from which everything fits that ever fits: `position` itself if it is one.
  [[nodiscard]] std::uint64_t restart(std::uint64_t position) const noexcept {
    return offset(position) == 0 ? position : nextLap(position);
  }

  /// Contiguous space for `need` from `position` on, all of it below `freeEnd`.
  [[nodiscard]] std::optional<Space> find(std::uint64_t position, std::uint64_t freeEnd, Need need) const noexcept {
    const std::uint64_t here = available(position, freeEnd);
    const bool atStart = offset(position) == 0;
    if (here >= (atStart ? need.atStart : need.anywhere)) return Space{position, here};
    if (atStart) return std::nullopt;
    const std::uint64_t lap = nextLap(position);
    const std::uint64_t there = available(lap, freeEnd);
    if (lap <= freeEnd && there >= need.atStart) return Space{lap, there};
    return std::nullopt;
  }

  /// Lowest end of free space with which find() succeeds; what is free then reaches at least this far.
  [[nodiscard]] std::uint64_t requiredEnd(std::uint64_t position, Need need) const noexcept {
    const std::uint64_t bytes = offset(position) == 0 ? need.atStart : need.anywhere;
    const std::uint64_t toEnd = capacity_ - offset(position);
    return bytes <= toEnd ? position + bytes : nextLap(position) + need.atStart;
  }

 private:
  [[nodiscard]] std::uint64_t available(std::uint64_t position, std::uint64_t freeEnd) const noexcept {
    return freeEnd <= position ? 0 : std::min(freeEnd - position, capacity_ - offset(position));
  }

  std::uint64_t capacity_ = 0;
};

}  // namespace strand
