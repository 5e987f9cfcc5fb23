#include "kernels/column_avx2.h"

#if defined(STRAND_X86_KERNELS)

#include <array>
#include <type_traits>

#include "kernels/column_kernels.h"
#include "kernels/column_key.h"

#define STRAND_AVX512 __attribute__((target("avx512f,avx512vl"))) STRAND_RACY_LOADS
#define STRAND_AVX512_INLINE __attribute__((always_inline, target("avx512f,avx512vl"))) STRAND_RACY_LOADS inline

// Where the stride divides a register of 64 bytes, whole registers are loaded instead of single values. With S values'
// room from one value to the next, S loads fill a register; the i-th keeps its lanes i, i + S, i + 2S, … free of the
// others, because it begins 64 i bytes further and i lanes earlier:
//
//   S = 4, words      lane  0  1  2  3 | 4  5  6  7 | 8 …
//   load 0 at +0            v0         | v1         | v2 …
//   load 1 at +60              v4      |    v5      |    v6 …
//   load 2 at +120                v8   |       v9   |       v10 …
//   load 3 at +180                   v12           v13 …
//
// Lane S r + i holds value R i + r then (R = lanes ÷ S), which a permutation puts in order. The last load ends with
// the last value: nothing beside the column is read. Other strides, and extremes, are the AVX2 version's: wider
// registers do not make single loads faster.
namespace strand::kernels {
namespace {

constexpr std::size_t kRegisterBytes = 64;

/// Bits of every S-th lane.
template <unsigned kSpacing>
constexpr std::uint32_t everyLane(unsigned lanes) noexcept {
  std::uint32_t mask = 0;
  for (unsigned lane = 0; lane < lanes; lane += kSpacing) mask |= std::uint32_t{1} << lane;
  return mask;
}

/// Where the loads leave each value.
template <typename Bits, unsigned kCount, unsigned kSpacing>
constexpr std::array<Bits, kCount> laneOfValue() noexcept {
  constexpr unsigned kPerLoad = kCount / kSpacing;
  std::array<Bits, kCount> lanes{};
  for (unsigned value = 0; value < kCount; ++value) {
    lanes[value] = kSpacing * (value % kPerLoad) + value / kPerLoad;
  }
  return lanes;
}

template <unsigned kSpacing>
struct WordLoads {
  static constexpr unsigned kCount = 16;
  using Bits = std::uint32_t;

  STRAND_AVX512_INLINE static __m512i set(Bits bits) noexcept { return _mm512_set1_epi32(static_cast<int>(bits)); }

  STRAND_AVX512_INLINE static __m512i order() noexcept {
    alignas(kRegisterBytes) static constexpr auto kLanes = laneOfValue<Bits, kCount, kSpacing>();
    return _mm512_load_si512(kLanes.data());
  }

  template <unsigned kLoad>
  STRAND_AVX512_INLINE static __m512i add(__m512i into, const std::byte* at) noexcept {
    if constexpr (kLoad < kSpacing) {
      constexpr auto kMask = static_cast<__mmask16>(everyLane<kSpacing>(kCount) << kLoad);
      into = _mm512_mask_loadu_epi32(into, kMask, at + kLoad * (kRegisterBytes - sizeof(Bits)));
      return add<kLoad + 1>(into, at);
    }
    return into;
  }

  STRAND_AVX512_INLINE static __m512i load(const std::byte* at, __m512i order) noexcept {
    // Masked, too: behind the last value there need not be a byte.
    constexpr auto kMask = static_cast<__mmask16>(everyLane<kSpacing>(kCount));
    const __m512i values = add<1>(_mm512_maskz_loadu_epi32(kMask, at), at);
    return kSpacing == 1 ? values : _mm512_permutexvar_epi32(order, values);
  }

  STRAND_AVX512_INLINE static std::uint64_t inRange(__m512i keys, __m512i low, __m512i span) noexcept {
    return _mm512_cmple_epu32_mask(_mm512_sub_epi32(keys, low), span);
  }
};

template <unsigned kSpacing>
struct LongLoads {
  static constexpr unsigned kCount = 8;
  using Bits = std::uint64_t;

  STRAND_AVX512_INLINE static __m512i set(Bits bits) noexcept {
    return _mm512_set1_epi64(static_cast<long long>(bits));
  }

  STRAND_AVX512_INLINE static __m512i order() noexcept {
    alignas(kRegisterBytes) static constexpr auto kLanes = laneOfValue<Bits, kCount, kSpacing>();
    return _mm512_load_si512(kLanes.data());
  }

  template <unsigned kLoad>
  STRAND_AVX512_INLINE static __m512i add(__m512i into, const std::byte* at) noexcept {
    if constexpr (kLoad < kSpacing) {
      constexpr auto kMask = static_cast<__mmask8>(everyLane<kSpacing>(kCount) << kLoad);
      into = _mm512_mask_loadu_epi64(into, kMask, at + kLoad * (kRegisterBytes - sizeof(Bits)));
      return add<kLoad + 1>(into, at);
    }
    return into;
  }

  STRAND_AVX512_INLINE static __m512i load(const std::byte* at, __m512i order) noexcept {
    constexpr auto kMask = static_cast<__mmask8>(everyLane<kSpacing>(kCount));
    const __m512i values = add<1>(_mm512_maskz_loadu_epi64(kMask, at), at);
    return kSpacing == 1 ? values : _mm512_permutexvar_epi64(order, values);
  }

  STRAND_AVX512_INLINE static std::uint64_t inRange(__m512i keys, __m512i low, __m512i span) noexcept {
    return _mm512_cmple_epu64_mask(_mm512_sub_epi64(keys, low), span);
  }
};

template <Lane kLane, unsigned kSpacing>
STRAND_AVX512 void matchLane(const Column& column, const KeyRange& range, std::size_t words,
                             std::uint64_t* bits) noexcept {
  using K = KeyOf<kLane>;
  using Loads = std::conditional_t<K::kWide, LongLoads<kSpacing>, WordLoads<kSpacing>>;
  const Span<typename K::Bits> span(range);
  const __m512i low = Loads::set(span.low);
  const __m512i width = Loads::set(span.span);
  const __m512i order = Loads::order();
  const __m512i flip = Loads::set(column.isUnsigned ? K::kSign : 0);
  const __m128i shift = _mm_cvtsi32_si128(column.shift);
  const std::byte* at = column.first;
  for (std::size_t i = 0; i < words; ++i) {
    std::uint64_t word = 0;
    for (unsigned group = 0; group < kBitsPerWord; group += Loads::kCount, at += kSpacing * kRegisterBytes) {
      __m512i keys = Loads::load(at, order);
      if constexpr (kLane == Lane::kWord) {
        keys = _mm512_xor_si512(_mm512_sll_epi32(keys, shift), flip);
      } else if constexpr (kLane == Lane::kLong) {
        keys = _mm512_xor_si512(keys, flip);
      } else if constexpr (kLane == Lane::kFloat) {
        keys = _mm512_xor_si512(keys, _mm512_srli_epi32(_mm512_srai_epi32(keys, 31), 1));
      } else {
        keys = _mm512_xor_si512(keys, _mm512_srli_epi64(_mm512_srai_epi64(keys, 63), 1));
      }
      word |= Loads::inRange(keys, low, width) << group;
    }
    bits[i] = word;
  }
}

/// @return whether the column's stride is one of those that are loaded by whole registers
template <Lane kLane>
bool matchWords(const Column& column, const KeyRange& range, std::size_t words, std::uint64_t* bits) noexcept {
  constexpr std::size_t kWidth = KeyOf<kLane>::kWide ? 8 : 4;
  switch (column.stride) {
    case 4:
      if constexpr (kWidth == 4) matchLane<kLane, 1>(column, range, words, bits);
      return kWidth == 4;
    case 8:
      matchLane<kLane, 8 / kWidth>(column, range, words, bits);
      return true;
    case 16:
      matchLane<kLane, 16 / kWidth>(column, range, words, bits);
      return true;
    case 32:
      matchLane<kLane, 32 / kWidth>(column, range, words, bits);
      return true;
    default:
      return false;
  }
}

void match(const Column& column, const KeyRange& range, std::size_t count, std::uint64_t* bits) noexcept {
  const std::size_t words = count / kBitsPerWord;
  if (!withLane(column.lane, [&](auto lane) { return matchWords<lane()>(column, range, words, bits); })) {
    matchAvx2(column, range, count, bits);
    return;
  }
  if (count % kBitsPerWord == 0) return;
  Column rest = column;
  rest.first += words * kBitsPerWord * column.stride;
  kGenericKernels.match(rest, range, count % kBitsPerWord, bits + words);
}

}  // namespace

const ColumnKernels kAvx512Kernels{"avx512", match, matchRowsAvx512, extremesAvx2, countBitsAvx2};

}  // namespace strand::kernels

#endif
