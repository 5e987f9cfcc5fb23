#pragma once

// Parts of the AVX2 version that the AVX-512 version shares.

#include "kernels/column_kernels.h"

#if defined(STRAND_X86_KERNELS)

// GCC calls the undefined operand of AVX-512 intrinsics uninitialized (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "memory/atomic_word.h"

// ThreadSanitizer would report these loads against the producer's plain stores; see detail::loadRacy.
#if defined(STRAND_TSAN)
#define STRAND_RACY_LOADS __attribute__((no_sanitize("thread")))
#else
#define STRAND_RACY_LOADS
#endif

namespace strand::kernels {

/// How far ahead rows are asked for, in slots of a cache line or more. What the processor fetches by itself ends with
/// each page: on a Zen 5, three tests of slots in memory take 1.5 times as long as reading them, the same with 2 KiB
/// asked for ahead, and 1.1 times with 8 KiB.
inline constexpr std::size_t kLinesAhead = 128;
constexpr std::size_t bytesAhead(std::size_t stride) noexcept {
  constexpr std::size_t kLine = 64;
  return kLinesAhead * std::max(stride, kLine);
}
/// There need not be any memory: a prefetch never faults. Hence an address that no pointer is made for.
inline void prefetch(const std::byte* at, std::size_t ahead) noexcept {
  _mm_prefetch(reinterpret_cast<const char*>(reinterpret_cast<std::uintptr_t>(at) + ahead), _MM_HINT_T0);
}

void matchAvx2(const Column& column, const KeyRange& range, std::size_t count, std::uint64_t* bits) noexcept;
void matchRowsAvx2(const RowTest& test, const std::byte* slots, std::size_t count, std::uint64_t* bits) noexcept;
void matchRowsAvx512(const RowTest& test, const std::byte* slots, std::size_t count, std::uint64_t* bits) noexcept;
void extremesAvx2(const Column& column, const KeyRange& range, std::size_t count, const std::uint64_t* bits,
                  KeyExtremes& extremes) noexcept;
std::uint64_t countBitsAvx2(std::span<const std::uint32_t> words) noexcept;

}  // namespace strand::kernels

#endif
