#include "ring/owner.h"

#include <chrono>
#include <thread>

namespace strand {
namespace {

using std::chrono::steady_clock;

/// For how long one attempt to take over looks at a busy owner.
constexpr std::chrono::microseconds kTakePatience{200};
/// An attempt takes hardly longer than that; only a damaged header shows one for a second.
constexpr std::chrono::seconds kVerdictPatience{1};

}  // namespace

bool Owner::take() noexcept {
  std::uint64_t seen = words_.owner().loadAcquire();
  if (stateOf(seen) != kIdle) return false;
  const std::uint32_t older = fenceOf(seen);
  fence_ = older + 1;
  if (!words_.owner().compareExchange(seen, pack(kTaking))) return false;
  heavyFence();
  if (words_.fastOwner().loadAcquire() == older) {
    const auto deadline = steady_clock::now() + kTakePatience;
    while (words_.fastBusy().loadAcquire() != 0) {
      if (steady_clock::now() >= deadline) {
        words_.owner().storeRelease(older);
        return false;
      }
      std::this_thread::yield();
    }
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

bool Owner::holdAfterVerdict() noexcept {
  const auto deadline = steady_clock::now() + kVerdictPatience;
  for (;;) {
    if (fast_) words_.fastBusy().storeRelease(0);
    while (stateOf(words_.owner().loadAcquire()) == kTaking) {
      if (steady_clock::now() >= deadline) return false;
      std::this_thread::yield();
    }
    if (!mine()) return false;
    if (fast_) {
      words_.fastBusy().storeRelaxed(1);
      lightFence();
      if (words_.owner().loadAcquire() == pack(kIdle)) return true;
    } else if (holdByExchange()) {
      return true;
    }
    if (steady_clock::now() >= deadline) return false;
  }
}

void Owner::resign() noexcept {
  release();
  if (!fast_) return;
  fast_ = false;
  words_.fastBusy().storeRelease(0);
  std::uint32_t own = fence_;
  (void)words_.fastOwner().compareExchange(own, 0);
}

}  // namespace strand
