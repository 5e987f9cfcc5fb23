#include "kernels/column_avx2.h"

#if defined(STRAND_X86_KERNELS)

#include <algorithm>
#include <array>

#include "kernels/column_key.h"
#include "kernels/row_test.h"

#define STRAND_AVX512 __attribute__((target("avx512f,avx512vl"))) STRAND_RACY_LOADS
#define STRAND_AVX512_INLINE __attribute__((always_inline, target("avx512f,avx512vl"))) STRAND_RACY_LOADS inline

// A register takes the windows of two slots, so that its mask has a byte for each.
namespace strand::kernels {
namespace {

/// Words of the result that are made at once. Their masks are stored first and read later, when the stores are done:
/// a load that spans several stores under way waits for them.
constexpr std::size_t kBatch = 8;
constexpr std::size_t kMasks = kBitsPerWord / 2;

STRAND_AVX512_INLINE __m256i load(const void* at) noexcept {
  return _mm256_loadu_si256(static_cast<const __m256i*>(at));
}

STRAND_AVX512_INLINE __m512i loadTwo(const void* low, const void* high) noexcept {
  return _mm512_inserti64x4(_mm512_castsi256_si512(load(low)), load(high), 1);
}

/// A bit for each of 32 bytes: whether all of its bits are set.
STRAND_AVX512_INLINE std::uint32_t fullBytes(const std::uint16_t* masks) noexcept {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(load(masks), _mm256_set1_epi8(-1))));
}

STRAND_AVX512 void matchWords(const RowTest& test, const std::byte* window, std::size_t words,
                              std::uint64_t* bits) noexcept {
  const RowTest::Words& each = test.words();
  const __m512i real = loadTwo(each.real.data(), each.real.data());
  const __m512i low = loadTwo(each.low.data(), each.low.data());
  const __m512i mask = loadTwo(each.mask.data(), each.mask.data());
  const __m512i span = loadTwo(each.span.data(), each.span.data());
  const std::size_t stride = test.stride();
  const std::size_t ahead = bytesAhead(stride);
  std::array<std::uint16_t, kBatch * kMasks> masks{};
  for (std::size_t from = 0; from < words; from += kBatch) {
    const std::size_t here = std::min(kBatch, words - from);
    for (std::size_t i = 0; i < here * kMasks; ++i, window += 2 * stride) {
      prefetch(window, ahead);
      prefetch(window + stride, ahead);
      __m512i keys = loadTwo(window, window + stride);
      constexpr int kFlipIfNegative = 0x78;  // keys ^ (sign & real)
      keys = _mm512_ternarylogic_epi32(keys, _mm512_srai_epi32(keys, 31), real, kFlipIfNegative);
      const __m512i distance = _mm512_and_si512(_mm512_sub_epi32(keys, low), mask);
      masks[i] = _mm512_cmple_epu32_mask(distance, span);
    }
    for (std::size_t i = 0; i < here; ++i) {
      const std::uint16_t* const own = masks.data() + i * kMasks;
      bits[from + i] = fullBytes(own) | std::uint64_t{fullBytes(own + kMasks / 2)} << 32;
    }
  }
}

}  // namespace

void matchRowsAvx512(const RowTest& test, const std::byte* slots, std::size_t count, std::uint64_t* bits) noexcept {
  const std::size_t words = count / kBitsPerWord;
  matchWords(test, slots + test.offset(), words, bits);
  if (count % kBitsPerWord == 0) return;
  kGenericKernels.matchRows(test, slots + words * kBitsPerWord * test.stride(), count % kBitsPerWord, bits + words);
}

}  // namespace strand::kernels

#endif
