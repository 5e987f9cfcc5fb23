#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace strand::kernels {

/// How the bytes of a value become its key: a signed integer of the lane's width, in the order of the values.
/// A test of any numeric type is then a range of keys.
///
///   kWord    (u32 << shift) ^ flip     integers of up to 32 bits and single bits, moved to the top of their word
///   kLong    u64 ^ flip                integers of 64 bits
///   kFloat   b ^ ((b >> 31) >>> 1)     b: the bits of an f32. Orders -NaN < -inf < … < -0 < 0 < … < inf < NaN
///   kDouble  b ^ ((b >> 63) >>> 1)     the same of an f64
///
/// `flip` is the sign bit for unsigned types, which makes their order that of signed integers. What lies below a
/// value moved to the top of its word is left there: it decides between equal values only.
enum class Lane : std::uint8_t { kWord, kLong, kFloat, kDouble };

/// One field of consecutive slots.
struct Column {
  const std::byte* first = nullptr;  ///< the word or long of the first value, aligned to 4
  std::size_t stride = 0;            ///< bytes from one to the next, a multiple of 4
  Lane lane = Lane::kWord;
  std::uint8_t shift = 0;   ///< kWord only
  bool isUnsigned = false;  ///< kWord and kLong only
};

/// Keys from `low` to `high`, both included, of the lane's width.
struct KeyRange {
  std::int64_t low = 0;
  std::int64_t high = 0;
};

/// Smallest and largest key seen; nothing was seen while `low` is above `high`.
struct KeyExtremes {
  std::int64_t low = INT64_MAX;
  std::int64_t high = INT64_MIN;

  [[nodiscard]] bool any() const noexcept { return low <= high; }
};

inline constexpr std::size_t kBitsPerWord = 64;

/// Words that hold `count` bits.
constexpr std::size_t wordsFor(std::size_t count) noexcept { return (count + kBitsPerWord - 1) / kBitsPerWord; }

/// The bits below `count`, which is at most 64.
constexpr std::uint64_t lowBits(std::size_t count) noexcept {
  return count == 0 ? 0 : ~std::uint64_t{0} >> (kBitsPerWord - count);
}

}  // namespace strand::kernels
