#include <algorithm>
#include <bit>
#include <limits>

#include "kernels/column_kernels.h"
#include "kernels/column_key.h"

namespace strand::kernels {
namespace {

template <Lane kLane>
void matchLane(const Column& column, const KeyRange& range, std::size_t count, std::uint64_t* bits) noexcept {
  using Bits = typename KeyOf<kLane>::Bits;
  const KeyOf<kLane> keyOf(column);
  const Span<Bits> span(range);
  packTests(column.first, column.stride, count, bits, [&](const std::byte* at) -> std::uint32_t {
    return static_cast<Bits>(static_cast<Bits>(keyOf(at)) - span.low) <= span.span ? 1 : 0;
  });
}

void match(const Column& column, const KeyRange& range, std::size_t count, std::uint64_t* bits) noexcept {
  withLane(column.lane, [&](auto lane) { matchLane<lane()>(column, range, count, bits); });
}

template <Lane kLane>
void extremesLane(const Column& column, const KeyRange& range, std::size_t count, const std::uint64_t* bits,
                  KeyExtremes& extremes) noexcept {
  using Key = typename KeyOf<kLane>::Key;
  using Bits = typename KeyOf<kLane>::Bits;
  const KeyOf<kLane> keyOf(column);
  const Span<Bits> span(range);
  Key low = std::numeric_limits<Key>::max();
  Key high = std::numeric_limits<Key>::min();
  const std::byte* at = column.first;
  for (std::size_t word = 0; word < wordsFor(count); ++word, at += kBitsPerWord * column.stride) {
    for (std::uint64_t rest = bits[word]; rest != 0; rest &= rest - 1) {
      const Key key = keyOf(at + static_cast<std::size_t>(std::countr_zero(rest)) * column.stride);
      if (static_cast<Bits>(static_cast<Bits>(key) - span.low) > span.span) continue;
      low = std::min(low, key);
      high = std::max(high, key);
    }
  }
  if (low > high) return;
  extremes.low = std::min<std::int64_t>(extremes.low, low);
  extremes.high = std::max<std::int64_t>(extremes.high, high);
}

void extremes(const Column& column, const KeyRange& range, std::size_t count, const std::uint64_t* bits,
              KeyExtremes& out) noexcept {
  withLane(column.lane, [&](auto lane) { extremesLane<lane()>(column, range, count, bits, out); });
}

std::uint64_t countBits(std::span<const std::uint32_t> words) noexcept {
  std::uint64_t count = 0;
  for (const std::uint32_t word : words) count += static_cast<std::uint64_t>(std::popcount(word));
  return count;
}

}  // namespace

const ColumnKernels kGenericKernels{"generic", match, extremes, countBits};

}  // namespace strand::kernels
