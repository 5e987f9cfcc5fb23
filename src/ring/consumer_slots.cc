#include "ring/consumer_slots.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "ring/gate.h"
#include "wait/image.h"

namespace strand {
namespace {

/// Longer than any holder needs; only a damaged header keeps the lock bit for ever.
constexpr std::chrono::seconds kLockPatience{1};
/// The lock of a file is tried by a system call, and a process may be stopped while it has it.
constexpr std::chrono::microseconds kLockPoll{100};

std::uint64_t lockOf(ConsumerToken token) noexcept { return layout::kLockConsumer + token.packed(); }

}  // namespace

std::uint64_t currentThreadId() noexcept {
  static std::atomic<std::uint64_t> last{0};
  // Every image of the library counts for itself, from a random number of its own.
  thread_local const std::uint64_t kId = wait::imageId() + last.fetch_add(1, std::memory_order_relaxed);
  return kId;
}

bool ConsumerSlots::lock() const noexcept {
  const auto deadline = std::chrono::steady_clock::now() + kLockPatience;
  SharedFile* const file = words_.file();
  for (;;) {
    // ACTIVE may still show the lock of a process that died with it.
    if (file != nullptr && file->lock(layout::kLockConsumers)) return true;
    std::uint32_t seen = words_.active().loadRelaxed() & ~kLocked;
    if (file == nullptr && words_.active().compareExchange(seen, seen | kLocked)) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    if (file == nullptr) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(kLockPoll);
    }
  }
}

void ConsumerSlots::unlock(std::uint32_t mask) const noexcept {
  words_.active().storeRelease(mask);
  if (words_.file() != nullptr) words_.file()->unlock(layout::kLockConsumers);
}

void ConsumerSlots::vacate(std::uint32_t slot) const noexcept {
  words_.slotCursor(slot).storeRelease(layout::kConsumerSlotVacant);
  words_.slotGeneration(slot).storeRelease(words_.slotGeneration(slot).loadRelaxed() + 1);
  words_.slotOwner(slot).storeRelease(0);
}

Status ConsumerSlots::add(std::uint32_t epoch, ConsumerToken& token) const noexcept {
  if (!lock()) return Status::kBusy;
  const std::uint32_t mask = words_.active().loadRelaxed() & kMask;
  if (words_.epoch().loadAcquire() != epoch) {
    unlock(mask);
    return words_.gone() ? Status::kGone : Status::kReset;
  }
  std::uint32_t slot = 0;
  while (slot < layout::kMaxConsumers && ((mask >> slot) & 1U) != 0) ++slot;
  if (slot == layout::kMaxConsumers) {
    unlock(mask);
    return Status::kNoVacantSlot;
  }
  token = tokenOf(slot);
  // Before the slot counts: without the lock it is a dead consumer's.
  if (words_.file() != nullptr && !words_.file()->lock(lockOf(token))) {
    unlock(mask);
    return Status::kBusy;
  }
  words_.slotOwner(slot).storeRelease(currentThreadId());
  (void)Gate(words_).refresh();
  std::uint64_t cursor = words_.gate().loadAcquire();
  words_.slotCursor(slot).storeRelease(cursor);
  words_.active().storeRelease(mask | (1U << slot) | kLocked);
  // Pairs with the fence in Gate::refresh: either the producer's second look sees this slot, or the loop
  // here sees the GATE that the producer went by.
  fullFence();
  for (std::uint64_t gate = words_.gate().loadAcquire(); gate > cursor; gate = words_.gate().loadAcquire()) {
    cursor = gate;
    words_.slotCursor(slot).storeRelease(cursor);
    fullFence();
  }
  unlock(mask | (1U << slot));
  return Status::kOk;
}

Status ConsumerSlots::remove(ConsumerToken token, bool ofAnyThread) const noexcept {
  if (!lock()) return Status::kBusy;
  const bool valid = ofAnyThread ? registered(token) : live(token);
  if (valid) leave(token.slot);
  unlock(words_.active().loadRelaxed() & kMask);
  return valid ? Status::kOk : Status::kBadToken;
}

void ConsumerSlots::leave(std::uint32_t slot) const noexcept {
  const std::uint32_t rest = words_.active().loadRelaxed() & kMask & ~(1U << slot);
  if (rest == 0) words_.readCursor().raiseTo(words_.slotCursor(slot).loadAcquire());
  // The slot leaves the mask before its cursor goes, so that no scan takes a vacant cursor for a position.
  words_.active().storeRelease(rest | kLocked);
  vacate(slot);
}

std::uint32_t ConsumerSlots::removeDead() const noexcept {
  const SharedFile& file = *words_.file();
  const auto isDead = [&](std::uint32_t slot) {
    return ((words_.active().loadAcquire() >> slot) & 1U) != 0 && !file.locked(lockOf(tokenOf(slot)));
  };
  std::uint32_t removed = 0;
  for (std::uint32_t slot = 0; slot < layout::kMaxConsumers; ++slot) {
    // Looked at without the lock first, since hardly ever one is dead.
    if (!isDead(slot) || !lock()) continue;
    if (isDead(slot)) {
      leave(slot);
      ++removed;
    }
    unlock(words_.active().loadRelaxed() & kMask);
  }
  return removed;
}

void ConsumerSlots::forget(ConsumerToken token) const noexcept {
  if (words_.file() != nullptr) words_.file()->unlock(lockOf(token));
}

bool ConsumerSlots::registered(ConsumerToken token) const noexcept {
  return token.slot < layout::kMaxConsumers && ((words_.active().loadAcquire() >> token.slot) & 1U) != 0 &&
         words_.slotGeneration(token.slot).loadAcquire() == token.generation;
}

bool ConsumerSlots::live(ConsumerToken token) const noexcept {
  return registered(token) && words_.slotOwner(token.slot).loadAcquire() == currentThreadId();
}

}  // namespace strand
