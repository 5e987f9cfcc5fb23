#include "kernels/column_avx2.h"

#if defined(STRAND_X86_KERNELS)

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "kernels/column_kernels.h"
#include "kernels/column_key.h"

#define STRAND_AVX2 __attribute__((target("avx2"))) STRAND_RACY_LOADS
#define STRAND_AVX2_INLINE __attribute__((always_inline, target("avx2"))) STRAND_RACY_LOADS inline

// Values are collected by broadcasting each from memory and blending it into its place: one load and one cheap
// instruction a value, at any stride, and not a byte read beside it. Gather instructions take twice as long (Zen 5).
namespace strand::kernels {
namespace {

STRAND_AVX2_INLINE __m256i broadcastWord(const std::byte* at) noexcept {
  return _mm256_castps_si256(_mm256_broadcast_ss(reinterpret_cast<const float*>(at)));
}

/// Longs are aligned to 4, which _mm256_broadcast_sd does not take; this is one load all the same.
STRAND_AVX2_INLINE __m256i broadcastLong(const std::byte* at) noexcept {
  return _mm256_broadcastq_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(at)));
}

/// Keys of as many values as a register holds.
template <Lane kLane>
struct Keys;

struct WordKeys {
  static constexpr unsigned kCount = 8;
  using Bits = std::uint32_t;

  STRAND_AVX2_INLINE static __m256i set(Bits bits) noexcept { return _mm256_set1_epi32(static_cast<int>(bits)); }

  STRAND_AVX2_INLINE static __m256i load(const std::byte* at, std::size_t stride) noexcept {
    __m256i low = broadcastWord(at);
    low = _mm256_blend_epi32(low, broadcastWord(at + stride), 0x02);
    low = _mm256_blend_epi32(low, broadcastWord(at + 2 * stride), 0x04);
    low = _mm256_blend_epi32(low, broadcastWord(at + 3 * stride), 0x08);
    __m256i high = broadcastWord(at + 4 * stride);
    high = _mm256_blend_epi32(high, broadcastWord(at + 5 * stride), 0x20);
    high = _mm256_blend_epi32(high, broadcastWord(at + 6 * stride), 0x40);
    high = _mm256_blend_epi32(high, broadcastWord(at + 7 * stride), 0x80);
    return _mm256_blend_epi32(low, high, 0xF0);
  }

  STRAND_AVX2_INLINE static __m256i inRange(__m256i keys, __m256i low, __m256i span) noexcept {
    const __m256i distance = _mm256_sub_epi32(keys, low);
    return _mm256_cmpeq_epi32(_mm256_min_epu32(distance, span), distance);
  }
  STRAND_AVX2_INLINE static unsigned bitsOf(__m256i lanes) noexcept {
    return static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(lanes)));
  }
  /// All bits of a lane set where its bit is.
  STRAND_AVX2_INLINE static __m256i lanesOf(unsigned bits) noexcept {
    const __m256i own = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    return _mm256_cmpeq_epi32(_mm256_and_si256(set(bits), own), own);
  }
  STRAND_AVX2_INLINE static __m256i smaller(__m256i a, __m256i b) noexcept { return _mm256_min_epi32(a, b); }
  STRAND_AVX2_INLINE static __m256i larger(__m256i a, __m256i b) noexcept { return _mm256_max_epi32(a, b); }
};

struct LongKeys {
  static constexpr unsigned kCount = 4;
  using Bits = std::uint64_t;

  STRAND_AVX2_INLINE static __m256i set(Bits bits) noexcept { return _mm256_set1_epi64x(static_cast<long long>(bits)); }

  STRAND_AVX2_INLINE static __m256i load(const std::byte* at, std::size_t stride) noexcept {
    const __m256i low = _mm256_blend_epi32(broadcastLong(at), broadcastLong(at + stride), 0x0C);
    const __m256i high = _mm256_blend_epi32(broadcastLong(at + 2 * stride), broadcastLong(at + 3 * stride), 0xC0);
    return _mm256_blend_epi32(low, high, 0xF0);
  }

  /// There is no unsigned comparison of longs: both sides are moved by the sign bit.
  STRAND_AVX2_INLINE static __m256i inRange(__m256i keys, __m256i low, __m256i span) noexcept {
    const __m256i sign = set(std::uint64_t{1} << 63);
    const __m256i distance = _mm256_xor_si256(_mm256_sub_epi64(keys, low), sign);
    const __m256i outside = _mm256_cmpgt_epi64(distance, _mm256_xor_si256(span, sign));
    return _mm256_xor_si256(outside, _mm256_set1_epi64x(-1));
  }
  STRAND_AVX2_INLINE static unsigned bitsOf(__m256i lanes) noexcept {
    return static_cast<unsigned>(_mm256_movemask_pd(_mm256_castsi256_pd(lanes)));
  }
  STRAND_AVX2_INLINE static __m256i lanesOf(unsigned bits) noexcept {
    const __m256i own = _mm256_setr_epi64x(1, 2, 4, 8);
    return _mm256_cmpeq_epi64(_mm256_and_si256(set(bits), own), own);
  }
  STRAND_AVX2_INLINE static __m256i smaller(__m256i a, __m256i b) noexcept {
    return _mm256_blendv_epi8(a, b, _mm256_cmpgt_epi64(a, b));
  }
  STRAND_AVX2_INLINE static __m256i larger(__m256i a, __m256i b) noexcept {
    return _mm256_blendv_epi8(b, a, _mm256_cmpgt_epi64(a, b));
  }
};

template <>
struct Keys<Lane::kWord> : WordKeys {
  STRAND_AVX2_INLINE explicit Keys(const Column& column) noexcept
      : shift(_mm_cvtsi32_si128(column.shift)), flip(set(column.isUnsigned ? 0x80000000U : 0)) {}
  STRAND_AVX2_INLINE __m256i operator()(const std::byte* at, std::size_t stride) const noexcept {
    return _mm256_xor_si256(_mm256_sll_epi32(load(at, stride), shift), flip);
  }
  __m128i shift;
  __m256i flip;
};

template <>
struct Keys<Lane::kFloat> : WordKeys {
  STRAND_AVX2_INLINE explicit Keys(const Column& /*column*/) noexcept {}
  STRAND_AVX2_INLINE __m256i operator()(const std::byte* at, std::size_t stride) const noexcept {
    const __m256i bits = load(at, stride);
    return _mm256_xor_si256(bits, _mm256_srli_epi32(_mm256_srai_epi32(bits, 31), 1));
  }
};

template <>
struct Keys<Lane::kLong> : LongKeys {
  STRAND_AVX2_INLINE explicit Keys(const Column& column) noexcept
      : flip(set(column.isUnsigned ? std::uint64_t{1} << 63 : 0)) {}
  STRAND_AVX2_INLINE __m256i operator()(const std::byte* at, std::size_t stride) const noexcept {
    return _mm256_xor_si256(load(at, stride), flip);
  }
  __m256i flip;
};

template <>
struct Keys<Lane::kDouble> : LongKeys {
  STRAND_AVX2_INLINE explicit Keys(const Column& /*column*/) noexcept {}
  STRAND_AVX2_INLINE __m256i operator()(const std::byte* at, std::size_t stride) const noexcept {
    const __m256i bits = load(at, stride);
    const __m256i negative = _mm256_cmpgt_epi64(_mm256_setzero_si256(), bits);
    return _mm256_xor_si256(bits, _mm256_srli_epi64(negative, 1));
  }
};

template <Lane kLane>
STRAND_AVX2 void matchLane(const Column& column, const KeyRange& range, std::size_t words,
                           std::uint64_t* bits) noexcept {
  using K = Keys<kLane>;
  const K keys(column);
  const Span<typename K::Bits> span(range);
  const __m256i low = K::set(span.low);
  const __m256i width = K::set(span.span);
  const std::size_t stride = column.stride;
  const std::byte* at = column.first;
  for (std::size_t i = 0; i < words; ++i) {
    std::uint64_t word = 0;
    for (unsigned group = 0; group < kBitsPerWord; group += K::kCount, at += K::kCount * stride) {
      word |= std::uint64_t{K::bitsOf(K::inRange(keys(at, stride), low, width))} << group;
    }
    bits[i] = word;
  }
}

/// Words with fewer bits are gone through bit by bit.
constexpr int kDense = 16;

template <Lane kLane>
STRAND_AVX2 void extremesLane(const Column& column, const KeyRange& range, std::size_t words, const std::uint64_t* bits,
                              KeyExtremes& extremes) noexcept {
  using K = Keys<kLane>;
  using Key = typename KeyOf<kLane>::Key;
  const K keys(column);
  const Span<typename K::Bits> span(range);
  const __m256i low = K::set(span.low);
  const __m256i width = K::set(span.span);
  const __m256i highest = K::set(static_cast<typename K::Bits>(std::numeric_limits<Key>::max()));
  const __m256i lowest = K::set(static_cast<typename K::Bits>(std::numeric_limits<Key>::min()));
  __m256i least = highest;
  __m256i most = lowest;
  const std::size_t stride = column.stride;
  for (std::size_t i = 0; i < words; ++i) {
    const std::uint64_t word = bits[i];
    if (word == 0) continue;
    const std::byte* at = column.first + i * kBitsPerWord * stride;
    if (std::popcount(word) < kDense) {
      Column here = column;
      here.first = at;
      kGenericKernels.extremes(here, range, kBitsPerWord, &word, extremes);
      continue;
    }
    for (unsigned group = 0; group < kBitsPerWord; group += K::kCount, at += K::kCount * stride) {
      const __m256i here = keys(at, stride);
      const unsigned set = static_cast<unsigned>(word >> group) & ((1U << K::kCount) - 1);
      const __m256i counts = _mm256_and_si256(K::inRange(here, low, width), K::lanesOf(set));
      least = K::smaller(least, _mm256_blendv_epi8(highest, here, counts));
      most = K::larger(most, _mm256_blendv_epi8(lowest, here, counts));
    }
  }
  alignas(32) Key leasts[K::kCount];
  alignas(32) Key mosts[K::kCount];
  _mm256_store_si256(reinterpret_cast<__m256i*>(leasts), least);
  _mm256_store_si256(reinterpret_cast<__m256i*>(mosts), most);
  for (unsigned lane = 0; lane < K::kCount; ++lane) {
    if (leasts[lane] > mosts[lane]) continue;
    extremes.low = std::min<std::int64_t>(extremes.low, leasts[lane]);
    extremes.high = std::max<std::int64_t>(extremes.high, mosts[lane]);
  }
}

/// The values past the last whole word.
Column restOf(const Column& column, std::size_t words) noexcept {
  Column rest = column;
  rest.first += words * kBitsPerWord * column.stride;
  return rest;
}

}  // namespace

void matchAvx2(const Column& column, const KeyRange& range, std::size_t count, std::uint64_t* bits) noexcept {
  const std::size_t words = count / kBitsPerWord;
  withLane(column.lane, [&](auto lane) { matchLane<lane()>(column, range, words, bits); });
  if (count % kBitsPerWord == 0) return;
  kGenericKernels.match(restOf(column, words), range, count % kBitsPerWord, bits + words);
}

void extremesAvx2(const Column& column, const KeyRange& range, std::size_t count, const std::uint64_t* bits,
                  KeyExtremes& extremes) noexcept {
  const std::size_t words = count / kBitsPerWord;
  withLane(column.lane, [&](auto lane) { extremesLane<lane()>(column, range, words, bits, extremes); });
  if (count % kBitsPerWord == 0) return;
  kGenericKernels.extremes(restOf(column, words), range, count % kBitsPerWord, bits + words, extremes);
}

// Every processor with AVX2 has POPCNT; without the name the compiler may not use it.
__attribute__((target("avx2,popcnt"))) std::uint64_t countBitsAvx2(std::span<const std::uint32_t> words) noexcept {
  std::uint64_t count = 0;
  for (; words.size() >= 2; words = words.subspan(2)) {
    std::uint64_t both = 0;
    std::memcpy(&both, words.data(), sizeof both);
    count += static_cast<std::uint64_t>(__builtin_popcountll(both));
  }
  if (!words.empty()) count += static_cast<std::uint64_t>(__builtin_popcount(words.front()));
  return count;
}

const ColumnKernels kAvx2Kernels{"avx2", matchAvx2, matchRowsAvx2, extremesAvx2, countBitsAvx2};

}  // namespace strand::kernels

#endif
