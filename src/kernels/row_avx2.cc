#include "kernels/column_avx2.h"

#if defined(STRAND_X86_KERNELS)

#include "kernels/column_key.h"
#include "kernels/row_test.h"

#define STRAND_AVX2 __attribute__((target("avx2"))) STRAND_RACY_LOADS
#define STRAND_AVX2_INLINE __attribute__((always_inline, target("avx2"))) STRAND_RACY_LOADS inline

// A register takes one slot's window. The answers of four slots, all or no bits of a word each, are narrowed to bytes
// until they fill one register, in which a slot has a word in each half:
//
//   slot       0   1   2   3 | 0   1   2   3
//   words of  0-3 0-3 0-3 0-3|4-7 4-7 4-7 4-7
namespace strand::kernels {
namespace {

constexpr std::size_t kSlots = 4;

struct Row {
  STRAND_AVX2_INLINE explicit Row(const RowTest& test) noexcept
      : real(load(test.words().real.data())),
        low(load(test.words().low.data())),
        mask(load(test.words().mask.data())),
        span(load(test.words().span.data())) {}

  STRAND_AVX2_INLINE static __m256i load(const void* at) noexcept {
    return _mm256_loadu_si256(static_cast<const __m256i*>(at));
  }

  /// All bits of every word that passes.
  STRAND_AVX2_INLINE __m256i passed(const std::byte* window) const noexcept {
    __m256i keys = load(window);
    keys = _mm256_xor_si256(keys, _mm256_and_si256(_mm256_srai_epi32(keys, 31), real));
    const __m256i distance = _mm256_and_si256(_mm256_sub_epi32(keys, low), mask);
    return _mm256_cmpeq_epi32(_mm256_min_epu32(distance, span), distance);
  }

  /// One bit for each of four slots.
  STRAND_AVX2_INLINE unsigned operator()(const std::byte* window, std::size_t stride) const noexcept {
    const __m256i first = _mm256_packs_epi32(passed(window), passed(window + stride));
    const __m256i second = _mm256_packs_epi32(passed(window + 2 * stride), passed(window + 3 * stride));
    const __m256i halves = _mm256_cmpeq_epi32(_mm256_packs_epi16(first, second), _mm256_set1_epi32(-1));
    const auto bits = static_cast<unsigned>(_mm256_movemask_ps(_mm256_castsi256_ps(halves)));
    return bits & bits >> kSlots;
  }

  __m256i real;
  __m256i low;
  __m256i mask;
  __m256i span;
};

STRAND_AVX2 void matchWords(const RowTest& test, const std::byte* window, std::size_t words,
                            std::uint64_t* bits) noexcept {
  const Row row(test);
  const std::size_t stride = test.stride();
  const std::size_t ahead = bytesAhead(stride);
  for (std::size_t i = 0; i < words; ++i) {
    std::uint64_t word = 0;
    for (unsigned group = 0; group < kBitsPerWord; group += kSlots, window += kSlots * stride) {
      for (std::size_t slot = 0; slot < kSlots; ++slot) prefetch(window + slot * stride, ahead);
      word |= std::uint64_t{row(window, stride)} << group;
    }
    bits[i] = word;
  }
}

}  // namespace

void matchRowsAvx2(const RowTest& test, const std::byte* slots, std::size_t count, std::uint64_t* bits) noexcept {
  const std::size_t words = count / kBitsPerWord;
  matchWords(test, slots + test.offset(), words, bits);
  if (count % kBitsPerWord == 0) return;
  kGenericKernels.matchRows(test, slots + words * kBitsPerWord * test.stride(), count % kBitsPerWord, bits + words);
}

}  // namespace strand::kernels

#endif
