#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/column.h"
#include "kernels/row_test.h"

// GCC for Windows does not align the stack for wide registers, and code that spills them crashes (GCC bug 54412).
#if defined(__x86_64__) && !(defined(_WIN32) && !defined(__clang__))
#define STRAND_X86_KERNELS 1
#endif

namespace strand::kernels {

/// The work on columns and their bits, in one of several versions that give the same results. All of them read only the
/// bytes from the first value to the end of the last one, and read them though another thread may be writing: what they
/// make of a value that was being overwritten is any result, and the caller discards it.
struct ColumnKernels {
  std::string_view name;

  /// Bit j of `bits` (least significant first) says whether the key of value j is in the range; wordsFor(count) words
  /// are written, bits past `count` as 0.
  void (*match)(const Column& column, const KeyRange& range, std::size_t count, std::uint64_t* bits) noexcept;

  /// Bit j of `bits` says whether all words of slot j pass; as `match`, but all bytes of the slots may be read.
  ///
  /// @param slots the first one, aligned to 4
  void (*matchRows)(const RowTest& test, const std::byte* slots, std::size_t count, std::uint64_t* bits) noexcept;

  /// Widens `extremes` by the keys in `range` of the values whose bits are set. Bits past `count` must be 0.
  void (*extremes)(const Column& column, const KeyRange& range, std::size_t count, const std::uint64_t* bits,
                   KeyExtremes& extremes) noexcept;

  /// How many bits are set.
  std::uint64_t (*countBits)(std::span<const std::uint32_t> words) noexcept;
};

/// The version for this processor: the last of supportedKernels(), or the one that the environment variable
/// STRAND_KERNELS named (generic, avx2, avx512) when the core was loaded. A name that is unknown, or whose version
/// this processor cannot run, counts as not given.
const ColumnKernels& columnKernels() noexcept;

/// The choice for a value of the variable, which may be null.
const ColumnKernels& chooseKernels(const char* wanted) noexcept;

/// Every version that this processor can run, the generic one first, each faster than those before it.
std::span<const ColumnKernels* const> supportedKernels() noexcept;

// One file each.
extern const ColumnKernels kGenericKernels;
#if defined(STRAND_X86_KERNELS)
extern const ColumnKernels kAvx2Kernels;
extern const ColumnKernels kAvx512Kernels;
#endif

}  // namespace strand::kernels
