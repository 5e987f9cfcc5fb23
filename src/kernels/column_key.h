#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/column.h"
#include "memory/atomic_word.h"

namespace strand::kernels {

/// Key of one value by plain instructions, in the form that a column's lane and width ask for. Made once a call, it
/// keeps what is the same for all values in registers.
template <Lane kLane>
class KeyOf {
 public:
  static constexpr bool kWide = kLane == Lane::kLong || kLane == Lane::kDouble;
  static constexpr bool kReal = kLane == Lane::kFloat || kLane == Lane::kDouble;
  using Bits = std::conditional_t<kWide, std::uint64_t, std::uint32_t>;
  using Key = std::make_signed_t<Bits>;
  static constexpr Bits kSign = Bits{1} << (sizeof(Bits) * 8 - 1);

  explicit KeyOf(const Column& column) noexcept
      : shift_(column.shift), flip_(!kReal && column.isUnsigned ? kSign : 0) {}

  [[nodiscard]] Key operator()(const std::byte* at) const noexcept {
    Bits bits = load(at);
    if constexpr (kReal) {
      bits ^= static_cast<Bits>(static_cast<Key>(bits) >> (sizeof(Bits) * 8 - 1)) >> 1;
    } else {
      if constexpr (!kWide) bits <<= shift_;
      bits ^= flip_;
    }
    return static_cast<Key>(bits);
  }

 private:
  static Bits load(const std::byte* at) noexcept {
    const Bits low = detail::loadRacy<std::uint32_t>(at);
    if constexpr (kWide) {
      // Fields of 8 bytes are aligned to 4. The halves may be of different values; then the record is being overwritten.
      return low | static_cast<Bits>(detail::loadRacy<std::uint32_t>(at + 4)) << 32;
    } else {
      return low;
    }
  }

  std::uint8_t shift_;
  Bits flip_;
};

/// A range of keys as one unsigned comparison: key - low <= span.
template <typename Bits>
struct Span {
  Bits low;
  Bits span;

  explicit Span(const KeyRange& range) noexcept
      : low(static_cast<Bits>(range.low)), span(static_cast<Bits>(static_cast<Bits>(range.high) - low)) {}
};

/// Tests the values at `at`, `at + stride`, … and packs the answers (0 or 1), least significant bit first; bits past
/// `count` are 0.
template <typename Test>
void packTests(const std::byte* at, std::size_t stride, std::size_t count, std::uint64_t* bits, Test test) noexcept {
  constexpr std::size_t kGroup = 8;
  for (; count >= kBitsPerWord; count -= kBitsPerWord) {
    std::uint64_t word = 0;
    for (std::size_t group = 0; group < kBitsPerWord; group += kGroup) {
      // Eight independent tests with places that are constants cost a third less than one after the other.
      const std::uint32_t byte = test(at) | test(at + stride) << 1 | test(at + 2 * stride) << 2 |
                                 test(at + 3 * stride) << 3 | test(at + 4 * stride) << 4 | test(at + 5 * stride) << 5 |
                                 test(at + 6 * stride) << 6 | test(at + 7 * stride) << 7;
      word |= std::uint64_t{byte} << group;
      at += kGroup * stride;
    }
    *bits++ = word;
  }
  if (count == 0) return;
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < count; ++i, at += stride) word |= std::uint64_t{test(at)} << i;
  *bits = word;
}

/// Calls a function template with a column's lane.
template <typename Function>
decltype(auto) withLane(Lane lane, Function&& function) noexcept {
  switch (lane) {
    case Lane::kWord:
      return function(std::integral_constant<Lane, Lane::kWord>());
    case Lane::kLong:
      return function(std::integral_constant<Lane, Lane::kLong>());
    case Lane::kFloat:
      return function(std::integral_constant<Lane, Lane::kFloat>());
    default:
      return function(std::integral_constant<Lane, Lane::kDouble>());
  }
}

}  // namespace strand::kernels
