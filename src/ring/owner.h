#pragma once

#include <cstdint>

#include "memory/atomic_word.h"

namespace strand {

/// The owner word {fence u32 low, busy u32 high}: who may produce, and whether that writer is filling slots.
///
/// A writer raises busy by CAS when it has room and lowers it when it publishes or abandons. A newer writer
/// takes the word only while it is not busy, by one CAS to the next fence. So whoever holds busy is alone,
/// and a fenced writer finds out before it touches a slot.
class Owner {
 public:
  Owner() noexcept = default;
  explicit Owner(Word64 word) noexcept : word_(word.address()) {}

  /// Takes the word over, busy. @return false while the present owner is busy.
  bool take() noexcept {
    std::uint64_t seen = word().loadAcquire();
    if (busyOf(seen)) return false;
    fence_ = static_cast<std::uint32_t>(seen) + 1;
    held_ = word().compareExchange(seen, pack(true));
    return held_;
  }

  /// @return false once a newer writer owns the strand.
  bool hold() noexcept {
    if (held_) return mine();
    std::uint64_t expected = pack(false);
    held_ = word().compareExchange(expected, pack(true));
    return held_;
  }

  void release() noexcept {
    if (!held_) return;
    held_ = false;
    // Nobody else writes the word while it is busy with our fence.
    if (mine()) word().storeRelease(pack(false));
  }

  [[nodiscard]] bool held() const noexcept { return held_; }
  [[nodiscard]] bool mine() const noexcept {
    return static_cast<std::uint32_t>(word().loadAcquire()) == fence_;
  }

 private:
  static constexpr bool busyOf(std::uint64_t value) noexcept { return (value >> 32) != 0; }
  [[nodiscard]] std::uint64_t pack(bool busy) const noexcept {
    return (std::uint64_t{busy ? 1U : 0U} << 32) | fence_;
  }
  [[nodiscard]] Word64 word() const noexcept { return Word64(word_); }

  std::uint64_t* word_ = nullptr;
  std::uint32_t fence_ = 0;
  bool held_ = false;
};

}  // namespace strand
