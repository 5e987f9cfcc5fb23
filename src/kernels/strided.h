#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

/// One field of consecutive slots, as a column and back.
///
/// Slots are `stride` bytes apart, a multiple of 4, and their fields are aligned to min(width, 4). What is gathered may
/// be overwritten meanwhile by another thread (see copyRacy); what is scattered into belongs to the caller.
namespace strand::kernels {

/// Copies `count` values of 1, 2, 4 or 8 bytes to `to`, one behind the other.
void gatherNumbers(const std::byte* from, std::size_t stride, std::size_t count, std::size_t width,
                   std::byte* to) noexcept;

/// The same for values of any width at any alignment.
void gatherBytes(const std::byte* from, std::size_t stride, std::size_t count, std::size_t width,
                 std::byte* to) noexcept;

/// Puts bit `bit` of each of `count` bytes into `words`, from bit `first` on, least significant first.
/// Bits of `words` from `first` on are zero before.
void gatherBits(const std::byte* from, std::size_t stride, std::size_t count, std::uint32_t bit,
                std::span<std::uint32_t> words, std::size_t first) noexcept;

/// Copies `count` values of any width, one behind the other, into slots.
void scatterNumbers(const std::byte* from, std::size_t count, std::size_t width, std::byte* to,
                    std::size_t stride) noexcept;

/// Values of `width` bytes whose bit in `words`, from bit `first` on, is 0, become zeros. `stride` bytes apart.
void clearAbsent(std::byte* values, std::size_t stride, std::size_t count, std::size_t width,
                 std::span<const std::uint32_t> words, std::size_t first) noexcept;

/// Each byte that is not zero becomes 1.
void normalizeBooleans(std::byte* values, std::size_t stride, std::size_t count) noexcept;

inline bool bitAt(std::span<const std::uint32_t> words, std::size_t index) noexcept {
  return (words[index / 32] >> (index % 32) & 1U) != 0;
}

}  // namespace strand::kernels
