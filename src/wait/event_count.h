#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "memory/asymmetric_fence.h"
#include "memory/atomic_word.h"
#include "wait/parker.h"
#include "wait/shutdown.h"
#include "wait/spin.h"

/// Waiting for a predicate over shared memory, with wakers that pay one load when nobody waits.
///
/// Two words in shared memory, on a cache line of their own:
///
///     COUNTER  u32  bumped by a waker that found a flag; sleepers sleep on its value. It wraps around.
///     WAITERS  u32  flags: kSleeper, kAsync. Waiters set them (fetch-or), wakers clear all (exchange with 0).
///
///     waiter                                         waker
///     ──────                                         ─────
///     predicate?  spin a while  predicate?           store what changes the predicate
///     loop:                                          LIGHT FENCE                          (B)
///       key = COUNTER            (acquire)           WAITERS == 0 ?  done                 (relaxed)
///       WAITERS |= kSleeper                          bits = WAITERS.exchange(0)
///       HEAVY FENCE              (A)                 COUNTER += 1                         (release)
///       predicate?  done                             bits & kSleeper: unpark all on COUNTER
///       park while COUNTER == key                    bits & kAsync: signal COUNTER's address
///       predicate?  done
///
/// Why no wake-up is lost: A and B order as if both were full fences (memory/asymmetric_fence.h; with Scope::kSystem
/// both are). Either the waker sees the flag, or the waiter's test behind A sees the store in front of B. A waker that
/// takes a flag bumps COUNTER after taking it, so a waiter whose flag was taken either read its key before the bump,
/// and does not sleep, or raised its flag after the exchange, and then sees the store. Nothing stops a flag from
/// staying behind when its waiter found the predicate true: the next waker makes one system call for nothing.
///
/// A waker that knows more (notifyIf) tests the predicate itself, and that may depend on other wakers' stores too: of
/// two consumers that both release, each might miss what the other has stored and leave the waking to it. So a full
/// fence stands between the waker's own stores and its test: the later of the two fences sees both stores.
///
/// A waker that took the flags and died before it could wake leaves sleepers behind. A thread cannot die there,
/// a process can be killed: with Scope::kSystem a sleeper therefore comes back by itself now and then.
namespace strand::wait {

inline constexpr std::uint32_t kSleeper = 1U << 0;  ///< a thread sleeps, or is about to
inline constexpr std::uint32_t kAsync = 1U << 1;    ///< an event loop waits: see AsyncTable

namespace detail {

/// Wakes the event loops that wait for the counter, in this image and, where the strand's IMAGE word is not
/// ours alone, in the others.
void signalAsync(Word32 counter, const std::optional<Word64>& image) noexcept;

}  // namespace detail

template <Parker P>
class BasicEventCount {
 public:
  using Nanoseconds = std::chrono::nanoseconds;
  using Clock = std::chrono::steady_clock;

  /// How long a sleeper with Scope::kSystem trusts the wakers of other processes.
  static constexpr Nanoseconds kSystemSlice =
      P::kReachesOtherProcesses ? std::chrono::milliseconds(500) : std::chrono::milliseconds(10);

  /// @param image the strand's IMAGE word (wait/image.h); without one only this image's event loops are woken.
  BasicEventCount(Word32 counter, Word32 waiters, Scope scope, std::optional<Word64> image = std::nullopt) noexcept
      : counter_(counter), waiters_(waiters), image_(image), scope_(scope) {}

  /// To be called after every store that can make a waiter's predicate true.
  void notify() const noexcept {
    fenceBetweenStoreAndFlags();
    if (waiters_.loadRelaxed() != 0) {
      wakeAll();
    }
  }

  /// As notify(), where the waker knows more: waiters are woken only if `worthwhile()` says that the store can have
  /// made a predicate true, alone or together with those of other wakers.
  template <class Worthwhile>
  void notifyIf(Worthwhile&& worthwhile) const noexcept {
    fenceBetweenStoreAndFlags();
    if (waiters_.loadRelaxed() == 0) return;
    fullFence();
    if (worthwhile()) wakeAll();
  }

  /// What to sleep on. Load it before the predicate is tested.
  [[nodiscard]] std::uint32_t key() const noexcept { return counter_.loadAcquire(); }

  /// Announces a waiter (kSleeper, kAsync). Test the predicate between this and sleeping.
  void raise(std::uint32_t bits) const noexcept {
    waiters_.fetchOrAcqRel(bits);
    // A
    if (scope_ == Scope::kProcess) {
      heavyFence();
    } else {
      fullFence();
    }
  }

  /// Sleeps until the counter has left `key`, or spuriously less.
  ParkResult sleep(std::uint32_t key, Nanoseconds timeout) const noexcept {
    return P::park(counter_, key, timeout, scope_);
  }

  /// Waits until `predicate` is true: spins, then sleeps. The predicate is called on this thread, often, and
  /// must load what it tests with acquire order.
  /// @param timeout zero or less only tests; kForever has no end.
  /// @return whether the predicate was true at the last test. False: the time is over, or `shuttingDown()`.
  template <class Predicate>
  [[nodiscard]] bool await(Predicate&& predicate, Nanoseconds timeout, Spinner& spinner) const noexcept;

  [[nodiscard]] Word32 counter() const noexcept { return counter_; }
  [[nodiscard]] const std::optional<Word64>& image() const noexcept { return image_; }
  [[nodiscard]] Scope scope() const noexcept { return scope_; }

 private:
  [[gnu::cold, gnu::noinline]] void wakeAll() const noexcept;

  void fenceBetweenStoreAndFlags() const noexcept {
    // B
    if (scope_ == Scope::kProcess) {
      lightFence();
    } else {
      fullFence();
    }
  }

  Word32 counter_;
  Word32 waiters_;
  std::optional<Word64> image_;
  Scope scope_;
};

template <Parker P>
void BasicEventCount<P>::wakeAll() const noexcept {
  const std::uint32_t bits = waiters_.exchangeAcqRel(0);
  if (bits == 0) {
    return;  // another waker took them after our load, and after our store
  }
  counter_.fetchAddRelease(1);
  if ((bits & kSleeper) != 0) {
    P::unparkAll(counter_, scope_);
  }
  if ((bits & kAsync) != 0) {
    detail::signalAsync(counter_, image_);
  }
}

template <Parker P>
template <class Predicate>
bool BasicEventCount<P>::await(Predicate&& predicate, Nanoseconds timeout, Spinner& spinner) const noexcept {
  if (predicate()) {
    return true;
  }
  if (timeout <= Nanoseconds::zero()) {
    return false;
  }
  const Clock::time_point start = Clock::now();
  if (spinner.spin(predicate, timeout)) {
    return true;
  }
  for (;;) {
    const std::uint32_t seen = key();
    raise(kSleeper);
    if (predicate()) {
      break;
    }
    const Nanoseconds waited = Clock::now() - start;
    if (waited >= timeout || shuttingDown()) {
      spinner.missed();
      return false;
    }
    Nanoseconds remaining = timeout == kForever ? kForever : timeout - waited;
    if (scope_ == Scope::kSystem) {
      remaining = std::min(remaining, kSystemSlice);
    }
    (void)sleep(seen, remaining);
    if (predicate()) {
      break;
    }
  }
  spinner.slept(Clock::now() - start);
  return true;
}

extern template class BasicEventCount<PlatformParker>;

using EventCount = BasicEventCount<PlatformParker>;

}  // namespace strand::wait
