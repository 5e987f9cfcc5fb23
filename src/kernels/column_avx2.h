#pragma once

// Parts of the AVX2 version that the AVX-512 version shares.

#include "kernels/column_kernels.h"

#if defined(STRAND_X86_KERNELS)

// GCC calls the undefined operand of AVX-512 intrinsics uninitialized (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif

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

void matchAvx2(const Column& column, const KeyRange& range, std::size_t count, std::uint64_t* bits) noexcept;
void extremesAvx2(const Column& column, const KeyRange& range, std::size_t count, const std::uint64_t* bits,
                  KeyExtremes& extremes) noexcept;
std::uint64_t countBitsAvx2(std::span<const std::uint32_t> words) noexcept;

}  // namespace strand::kernels

#endif
