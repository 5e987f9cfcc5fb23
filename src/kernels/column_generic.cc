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

/// One word of 64 slots or fewer.
std::uint64_t matchWord(const RowTest::Words& words, std::size_t word, const std::byte* at, std::size_t stride,
                        std::size_t count) noexcept {
  const std::uint32_t low = words.low[word];
  const std::uint32_t mask = words.mask[word];
  const std::uint32_t span = words.span[word];
  std::uint64_t passed = 0;
  if (const std::uint32_t real = words.real[word]; real != 0) {
    packTests(at, stride, count, &passed, [=](const std::byte* value) -> std::uint32_t {
      const auto bits = detail::loadRacy<std::uint32_t>(value);
      const auto sign = static_cast<std::uint32_t>(static_cast<std::int32_t>(bits) >> 31);
      return (((bits ^ (sign & real)) - low) & mask) <= span ? 1 : 0;
    });
  } else {
    packTests(at, stride, count, &passed, [=](const std::byte* value) -> std::uint32_t {
      return ((detail::loadRacy<std::uint32_t>(value) - low) & mask) <= span ? 1 : 0;
    });
  }
  return passed;
}

/// Word by word for 64 slots at a time, which are in the fastest cache from the second word on.
void matchRows(const RowTest& test, const std::byte* slots, std::size_t count, std::uint64_t* bits) noexcept {
  const RowTest::Words& words = test.words();
  const std::byte* window = slots + test.offset();
  for (std::size_t from = 0; from < count; from += kBitsPerWord, window += kBitsPerWord * test.stride()) {
    const std::size_t here = std::min(kBitsPerWord, count - from);
    std::uint64_t all = lowBits(here);
    for (std::size_t word = 0; word < RowTest::kWords; ++word) {
      if (words.mask[word] == 0) continue;
      all &= matchWord(words, word, window + word * sizeof(std::uint32_t), test.stride(), here);
    }
    *bits++ = all;
  }
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

const ColumnKernels kGenericKernels{"generic", match, matchRows, extremes, countBits};

}  // namespace strand::kernels
