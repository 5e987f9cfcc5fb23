#pragma once

#include <cstdint>

#include "memory/asymmetric_fence.h"
#include "ring/strand_words.h"

namespace strand {

/// Who may produce, and whether that writer is filling slots. Whoever holds is alone; a fenced writer finds out before
/// it touches a slot; an attempt to take over that gave up has changed nothing.
///
///     OWNER       {fence u32 low, state u32 high}: idle, held, or taking (a newer writer waits for the older one)
///     FAST_OWNER  fence of the one writer that may store FAST_BUSY, 0 without one; kept until that writer is closed
///     FAST_BUSY   1 while that writer holds
///
///     fast owner, for each batch               newer writer, once
///     ─────                                    ────────────
///     FAST_BUSY = 1                            OWNER {f, idle} → {f + 1, taking} by CAS
///     LIGHT FENCE                              HEAVY FENCE
///     OWNER == {f, idle} ? go on               wait until FAST_BUSY == 0 if FAST_OWNER == f
///     else FAST_BUSY = 0, await the verdict    OWNER = {f + 1, held}, or given up {f, idle}
///
/// Either the owner sees OWNER move and stays out, or the newer writer sees it busy and waits. A fenced writer may still
/// store FAST_BUSY at any moment, so nobody else uses that word before it has let go of FAST_OWNER: an owner that does
/// not get it holds by CAS on OWNER instead (5 ns, and a full fence's wait for lines that the consumer is looking at).
///
/// Between processes a writer may die at any instruction. So one that wants to take a file's strand over first locks the
/// number of its fence-to-be, and keeps it until it resigns: whatever these words say of a fence whose lock is free was
/// left behind by a dead one. RESIGNED tells a writer that has let go from one that has died.
class Owner {
 public:
  Owner() noexcept = default;
  explicit Owner(const StrandWords& words) noexcept : words_(words) {}

  /// Takes the strand over and holds it. @return false while the present owner is busy, or another writer is at it
  bool take() noexcept;
  /// The same of a file's strand whose owner has died without resigning. @return false where it lives, or has resigned
  bool takeFromDead() noexcept;
  /// Undoes what a writer left behind that died while it was taking a file's strand over, or held it.
  void settle() const noexcept;

  /// @return false once a newer writer owns the strand
  bool hold() noexcept {
    if (held_) return true;
    if (!fast_) return held_ = holdByExchange() || holdAfterVerdict();
    words_.fastBusy().storeRelaxed(1);
    words_.lightFence();
    // Acquire: pairs with the release of the writer that gave its attempt up.
    held_ = words_.owner().loadAcquire() == pack(kIdle);
    return held_ || (held_ = holdAfterVerdict());
  }

  void release() noexcept {
    if (!held_) return;
    held_ = false;
    if (fast_) {
      words_.fastBusy().storeRelease(0);
    } else {
      words_.owner().storeRelease(pack(kIdle));
    }
  }

  /// hold() for a few instructions of the fast owner, with nothing to remember: leave() ends it.
  [[nodiscard]] bool enter() noexcept {
    if (!fast_ || held_) return false;
    words_.fastBusy().storeRelaxed(1);
    words_.lightFence();
    if (words_.owner().loadAcquire() == pack(kIdle)) return true;
    leave();
    return false;
  }
  void leave() noexcept { words_.fastBusy().storeRelease(0); }

  /// For good: a later writer may become the fast one.
  void resign() noexcept;
  /// Of a file's strand: leaves it as a process does that dies now.
  void abandon() noexcept;

  /// Whether no newer writer has taken over. One that is still waiting for this one has not.
  [[nodiscard]] bool mine() const noexcept {
    const std::uint64_t seen = words_.owner().loadAcquire();
    return fenceOf(seen) == fence_ || (stateOf(seen) == kTaking && fenceOf(seen) == fence_ + 1);
  }

 private:
  static constexpr std::uint32_t kIdle = 0;
  static constexpr std::uint32_t kHeld = 1;
  static constexpr std::uint32_t kTaking = 2;

  static constexpr std::uint32_t fenceOf(std::uint64_t owner) noexcept { return static_cast<std::uint32_t>(owner); }
  static constexpr std::uint32_t stateOf(std::uint64_t owner) noexcept {
    return static_cast<std::uint32_t>(owner >> 32);
  }
  [[nodiscard]] std::uint64_t pack(std::uint32_t state) const noexcept { return (std::uint64_t{state} << 32) | fence_; }

  [[nodiscard]] bool holdByExchange() noexcept {
    std::uint64_t expected = pack(kIdle);
    return words_.owner().compareExchange(expected, pack(kHeld));
  }
  /// Waits until a newer writer has taken over or given up.
  bool holdAfterVerdict() noexcept;
  bool takeOver(std::uint64_t seen) noexcept;
  /// Waits until no fast owner is busy that could still be filling slots. → false where one stays so
  [[nodiscard]] bool awaitFastOwner(std::uint32_t older) const noexcept;
  [[nodiscard]] bool isDead(std::uint32_t fence) const noexcept;
  [[nodiscard]] static std::uint64_t lockOf(std::uint32_t fence) noexcept { return layout::kLockWriter + fence; }

  StrandWords words_;
  std::uint32_t fence_ = 0;
  bool fast_ = false;
  bool held_ = false;
};

}  // namespace strand
