#pragma once

#include <cstdint>

#include "ring/status.h"
#include "ring/strand_words.h"

namespace strand {

/// Names a registered consumer: slot, generation of the slot, and by way of the slot the thread.
struct ConsumerToken {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;

  /// One number below 2^53, as JavaScript holds it.
  [[nodiscard]] std::uint64_t packed() const noexcept {
    return std::uint64_t{generation} * layout::kMaxConsumers + slot;
  }
  /// What no token packs to names a slot that does not exist.
  static ConsumerToken unpack(std::uint64_t packed) noexcept {
    const std::uint64_t generation = packed / layout::kMaxConsumers;
    if (generation > UINT32_MAX) return {layout::kMaxConsumers, 0};
    return {static_cast<std::uint32_t>(packed % layout::kMaxConsumers), static_cast<std::uint32_t>(generation)};
  }
  friend bool operator==(const ConsumerToken&, const ConsumerToken&) noexcept = default;
};

/// The eight consumer slots. Coming and going is rare and happens under a lock bit in ACTIVE, held for some
/// dozen instructions of native code only, where no thread can die; the producer's scans need no lock. A process can die
/// there, so the lock of a file's strand is the file's, and what it is left with at any instruction is sound: a slot counts
/// with its bit in ACTIVE, and is a dead consumer's where its token's lock is free.
class ConsumerSlots {
 public:
  static constexpr std::uint32_t kMask = (1U << layout::kMaxConsumers) - 1;

  ConsumerSlots() noexcept = default;
  explicit ConsumerSlots(const StrandWords& words) noexcept : words_(words) {}

  /// Takes a slot for this thread at the oldest record that nobody has released.
  /// @return kNoVacantSlot, kReset where the epoch is no longer `epoch`, kBusy
  Status add(std::uint32_t epoch, ConsumerToken& token) const noexcept;

  /// Gives a slot back. The last one to go leaves its position in READ_CURSOR.
  /// @param ofAnyThread for the view that registered it, which may end on another thread
  Status remove(ConsumerToken token, bool ofAnyThread = false) const noexcept;

  /// Of a file's strand: gives back the slots of processes that have died. @return how many
  std::uint32_t removeDead() const noexcept;
  /// Gives up the lock of a token that is of no use any more. One that could not be removed is a dead consumer's then.
  void forget(ConsumerToken token) const noexcept;

  /// Runs `inside` under the lock, with a function that voids every slot.
  template <class Inside>
  Status clear(Inside inside) const noexcept {
    if (!lock()) return Status::kBusy;
    inside([this] {
      words_.active().storeRelease(kLocked);
      for (std::uint32_t slot = 0; slot < layout::kMaxConsumers; ++slot) vacate(slot);
    });
    unlock(0);
    return Status::kOk;
  }

  /// Whether the token is live and this thread's.
  [[nodiscard]] bool live(ConsumerToken token) const noexcept;
  [[nodiscard]] bool any() const noexcept { return (words_.active().loadAcquire() & kMask) != 0; }
  [[nodiscard]] Word64 cursor(ConsumerToken token) const noexcept { return words_.slotCursor(token.slot); }
  /// Moves a live token's cursor. Raised, not stored, although only one thread moves it: a reset may have given the
  /// slot to another consumer since the token was looked at, whose cursor is higher. Taken back, it would hold the
  /// producer up for records that this consumer has released, and will not release again.
  void advance(ConsumerToken token, std::uint64_t position) const noexcept { cursor(token).raiseTo(position); }

 private:
  static constexpr std::uint32_t kLocked = 1U << 31;

  [[nodiscard]] bool lock() const noexcept;
  void unlock(std::uint32_t mask) const noexcept;
  void vacate(std::uint32_t slot) const noexcept;
  void leave(std::uint32_t slot) const noexcept;
  [[nodiscard]] ConsumerToken tokenOf(std::uint32_t slot) const noexcept {
    return {slot, words_.slotGeneration(slot).loadRelaxed()};
  }
  [[nodiscard]] bool registered(ConsumerToken token) const noexcept;

  StrandWords words_;
};

/// A number that no other thread of this process has had.
std::uint64_t currentThreadId() noexcept;

}  // namespace strand
