#pragma once

#include <cstdint>

namespace strand::test {

/// Words and sleeping for a registry's table that one thread uses: a lock whose word was written over is given up at
/// once, and nobody is woken.
template <template <typename> class Word>
struct QuickPlatform {
  using Word32 = Word<std::uint32_t>;
  using Word64 = Word<std::uint64_t>;
  static constexpr int kSpins = 1;
  static constexpr int kSleeps = 1;

  static void relax() noexcept {}
  static void park(Word32 /*word*/, std::uint32_t /*expected*/) noexcept {}
  static void unpark(Word32 /*word*/) noexcept {}
  static void signal(Word32 /*doorbell*/, Word64 /*image*/) noexcept {}
};

}  // namespace strand::test
