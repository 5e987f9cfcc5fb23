#pragma once

#include <cstdint>

#include "memory/atomic_word.h"

namespace strand {

/// Words and sleeping of a registry's table, as BasicRegistryTable asks for them, in the memory of this process.
struct RegistryPlatform {
  using Word32 = AtomicWord<std::uint32_t>;
  using Word64 = AtomicWord<std::uint64_t>;

  static constexpr int kSpins = 64;
  /// Sleeps of at most 10 ms, after which a lock counts as lost: ten seconds.
  static constexpr int kSleeps = 1000;

  static void relax() noexcept;
  static void park(Word32 word, std::uint32_t expected) noexcept;
  static void unpark(Word32 word) noexcept;
  /// Wakes the event loops that wait for the doorbell, in every image of the code.
  static void signal(Word32 doorbell, Word64 image) noexcept;
};

}  // namespace strand
