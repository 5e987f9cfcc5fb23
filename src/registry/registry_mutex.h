#pragma once

#include <cstdint>

#include "registry/registry_status.h"

namespace strand {

/// A lock in shared memory that is held only inside native code, where a thread cannot be terminated.
///
///     0  free        1  held        2  held, and somebody sleeps or is about to
///
/// Source: U. Drepper, "Futexes Are Tricky", 2011, mutex 2. Bounded, because the word may hold anything.
///
/// @tparam P as of BasicRegistryTable
template <class P>
class RegistryMutex {
 public:
  using Word32 = typename P::Word32;

  explicit RegistryMutex(Word32 word) noexcept : word_(word) {
    std::uint32_t seen = kFree;
    held_ = word_.compareExchange(seen, kHeld) || lockSlowly();
  }
  ~RegistryMutex() { unlock(); }
  RegistryMutex(const RegistryMutex&) = delete;
  RegistryMutex& operator=(const RegistryMutex&) = delete;

  /// False after kSleeps: whoever has it is not coming back.
  [[nodiscard]] bool held() const noexcept { return held_; }

  void unlock() noexcept {
    if (!held_) return;
    held_ = false;
    if (word_.exchangeAcqRel(kFree) == kContended) P::unpark(word_);
  }

 private:
  static constexpr std::uint32_t kFree = 0;
  static constexpr std::uint32_t kHeld = 1;
  static constexpr std::uint32_t kContended = 2;

  bool lockSlowly() noexcept {
    // What is done under it takes less than a microsecond, unless its thread does not run just now.
    for (int i = 0; i < P::kSpins; ++i) {
      std::uint32_t seen = word_.loadRelaxed();
      if (seen == kFree && word_.compareExchange(seen, kHeld)) return true;
      P::relax();
    }
    for (int i = 0; i < P::kSleeps; ++i) {
      if (word_.exchangeAcqRel(kContended) == kFree) return true;
      P::park(word_, kContended);
    }
    return false;
  }

  Word32 word_;
  bool held_ = false;
};

}  // namespace strand
