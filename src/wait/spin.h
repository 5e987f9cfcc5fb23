#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#if defined(_MSC_VER)
#include <intrin.h>
#endif

/// Spinning before sleeping. A round trip between two spinning threads costs 0.2 µs, between two sleeping ones
/// tens of µs, nearly all of it the kernel's. So a waiter spins for a moment that depends on what spinning
/// brought it lately, and then sleeps.
namespace strand::wait {

/// Tells the core that this is a spin loop.
inline void cpuRelax() noexcept {
#if defined(_MSC_VER) && defined(_M_X64)
  _mm_pause();
#elif defined(_MSC_VER)
  __yield();
#elif defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  // `yield` is a no-op on most of these cores; an instruction barrier waits about as long as x86's pause.
  asm volatile("isb" ::: "memory");
#elif defined(__arm__)
  asm volatile("yield" ::: "memory");
#endif
}

/// How many cores this process may run on (its main thread's affinity where the platform has one); at least 1.
[[nodiscard]] unsigned usableCores() noexcept;

/// One waiter's spinning budget. Belongs to one thread at a time.
class Spinner {
 public:
  using Nanoseconds = std::chrono::nanoseconds;

  static constexpr Nanoseconds kMinBudget{1'500};
  static constexpr Nanoseconds kMaxBudget{50'000};
  /// Roughly what falling asleep and being woken adds to a wait.
  static constexpr Nanoseconds kSleepCost{25'000};

  /// Reading the clock costs about as much as a pause; it is done once in so many.
  static constexpr int kPausesPerClock = 16;

  explicit Spinner(unsigned cores = usableCores()) noexcept : enabled_(cores > 1) {}

  /// Tests `predicate` until it is true, the budget is used up, or `limit` is over.
  /// With one core it does not spin: what it would wait for cannot run meanwhile.
  /// @return whether the predicate was true.
  template <class Predicate>
  bool spin(Predicate&& predicate, Nanoseconds limit = Nanoseconds::max()) noexcept;

  /// What a successful wait that did not end by spinning took in all. Where spinning to the full would have been
  /// enough the budget grows, so that two threads that put each other to sleep find back to spinning.
  void slept(Nanoseconds total) noexcept {
    if (total <= kMaxBudget + kSleepCost) {
      budget_ = grown();
    } else {
      missed();
    }
  }

  /// The wait ended without success, or so late that no spinning would have helped.
  void missed() noexcept { budget_ = std::max(budget_ / 2, kMinBudget); }

  /// The present budget; zero where this spinner never spins.
  [[nodiscard]] Nanoseconds budget() const noexcept { return enabled_ ? budget_ : Nanoseconds::zero(); }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] Nanoseconds grown() const noexcept { return std::min(budget_ * 2, kMaxBudget); }

  Nanoseconds budget_ = kMaxBudget / 2;
  bool enabled_;
};

template <class Predicate>
bool Spinner::spin(Predicate&& predicate, Nanoseconds limit) noexcept {
  if (!enabled_) {
    return predicate();
  }
  const Nanoseconds allowed = std::min(budget_, limit);
  const Clock::time_point start = Clock::now();
  do {
    for (int i = 0; i < kPausesPerClock; ++i) {
      if (predicate()) {
        budget_ = grown();
        return true;
      }
      cpuRelax();
    }
  } while (Clock::now() - start < allowed);
  return false;
}

}  // namespace strand::wait
