#include "ring/owner.h"

#include <chrono>
#include <thread>
#include <utility>

namespace strand {
namespace {

using std::chrono::steady_clock;

/// For how long one attempt to take over looks at a busy owner.
constexpr std::chrono::microseconds kTakePatience{200};
/// An attempt takes hardly longer than that; only a damaged header shows one for a second.
constexpr std::chrono::seconds kVerdictPatience{1};

}  // namespace

bool Owner::take() noexcept {
  settle();
  return takeOver(words_.owner().loadAcquire());
}

bool Owner::takeFromDead() noexcept {
  settle();
  // Loaded in front of RESIGNED, which a writer stores before its lock goes.
  const std::uint64_t seen = words_.owner().loadAcquire();
  return isDead(fenceOf(seen)) && words_.resigned().loadAcquire() != fenceOf(seen) && takeOver(seen);
}

bool Owner::takeOver(std::uint64_t seen) noexcept {
  if (stateOf(seen) != kIdle) return false;
  const std::uint32_t older = fenceOf(seen);
  fence_ = older + 1;
  SharedFile* const file = words_.file();
  if (file != nullptr && !file->lock(lockOf(fence_))) return false;
  if (!words_.owner().compareExchange(seen, pack(kTaking))) {
    if (file != nullptr) file->unlock(lockOf(fence_));
    return false;
  }
  words_.heavyFence();
  if (!awaitFastOwner(older)) {
    words_.owner().storeRelease(older);
    if (file != nullptr) file->unlock(lockOf(fence_));
    return false;
  }
  std::uint32_t vacant = 0;
  // Fence 0 is nobody's in FAST_OWNER; after 2^32 writers one goes without.
  fast_ = fence_ != 0 && words_.fastOwner().compareExchange(vacant, fence_);
  if (fast_) {
    words_.fastBusy().storeRelease(1);
    words_.owner().storeRelease(pack(kIdle));
  } else {
    words_.owner().storeRelease(pack(kHeld));
  }
  return held_ = true;
}

bool Owner::awaitFastOwner(std::uint32_t older) const noexcept {
  std::uint32_t fast = words_.fastOwner().loadAcquire();
  if (fast == 0) return true;
  SharedFile* const file = words_.file();
  // A process that dies while it takes over leaves an older owner behind the one that is named.
  if (file == nullptr && fast != older) return true;
  const auto deadline = steady_clock::now() + kTakePatience;
  while (words_.fastBusy().loadAcquire() != 0 && !isDead(fast)) {
    if (steady_clock::now() >= deadline) return false;
    std::this_thread::yield();
  }
  if (isDead(fast)) {
    // Nobody else stores there any more.
    words_.fastBusy().storeRelease(0);
    (void)words_.fastOwner().compareExchange(fast, 0);
  }
  return true;
}

bool Owner::isDead(std::uint32_t fence) const noexcept {
  // What is left of our own number is from one that died before it had taken over.
  return words_.file() != nullptr && (fence == fence_ || !words_.file()->locked(lockOf(fence)));
}

void Owner::settle() const noexcept {
  SharedFile* const file = words_.file();
  std::uint64_t seen = words_.owner().loadAcquire();
  if (file == nullptr || stateOf(seen) == kIdle) return;
  const std::uint32_t fence = fenceOf(seen);
  // Locked, not looked at: nobody else begins with this number meanwhile.
  if (!file->lock(lockOf(fence))) return;
  // An attempt has changed nothing; a holder that was not the fast owner has nothing else to give back.
  (void)words_.owner().compareExchange(seen, stateOf(seen) == kTaking ? fence - 1 : fence);
  file->unlock(lockOf(fence));
}

bool Owner::holdAfterVerdict() noexcept {
  const auto deadline = steady_clock::now() + kVerdictPatience;
  for (;;) {
    if (fast_) words_.fastBusy().storeRelease(0);
    while (stateOf(words_.owner().loadAcquire()) == kTaking) {
      settle();
      if (steady_clock::now() >= deadline) return false;
      std::this_thread::yield();
    }
    if (!mine()) return false;
    if (fast_) {
      words_.fastBusy().storeRelaxed(1);
      words_.lightFence();
      if (words_.owner().loadAcquire() == pack(kIdle)) return true;
    } else if (holdByExchange()) {
      return true;
    }
    if (steady_clock::now() >= deadline) return false;
  }
}

void Owner::abandon() noexcept {
  release();
  words_.file()->unlock(lockOf(fence_));
}

void Owner::resign() noexcept {
  release();
  if (std::exchange(fast_, false)) {
    words_.fastBusy().storeRelease(0);
    std::uint32_t own = fence_;
    (void)words_.fastOwner().compareExchange(own, 0);
  }
  if (words_.file() == nullptr) return;
  std::uint32_t resigned = words_.resigned().loadAcquire();
  const auto isNewer = [&] { return static_cast<std::int32_t>(fence_ - resigned) > 0; };
  while (isNewer() && !words_.resigned().compareExchange(resigned, fence_)) {
  }
  words_.file()->unlock(lockOf(fence_));
}

}  // namespace strand
