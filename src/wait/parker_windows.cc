#include "wait/parker.h"

#if defined(STRAND_PARKER_WINDOWS)

#define WIN32_LEAN_AND_MEAN
#if !defined(NOMINMAX)
#define NOMINMAX
#endif
#include <windows.h>
// after windows.h
#include <synchapi.h>

#include <algorithm>

// WaitOnAddress works within one process; link with synchronization.lib. A word of Scope::kSystem is slept on in
// slices by BasicEventCount (kReachesOtherProcesses is false).

namespace strand::wait {
namespace {

DWORD millisecondsOf(std::chrono::nanoseconds left) noexcept {
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<DWORD>(std::min<std::int64_t>(rounded, INFINITE - 1));
}

}  // namespace

ParkResult PlatformParker::park(Word32 word, std::uint32_t expected, std::chrono::nanoseconds timeout,
                                Scope /*scope*/) noexcept {
  using Clock = std::chrono::steady_clock;
  const bool endless = timeout == kForever;
  const Clock::time_point start = endless ? Clock::time_point{} : Clock::now();
  for (;;) {
    if (word.loadAcquire() != expected) {
      return ParkResult::kChanged;
    }
    DWORD milliseconds = INFINITE;
    if (!endless) {
      const std::chrono::nanoseconds left = timeout - (Clock::now() - start);
      if (left <= std::chrono::nanoseconds::zero()) {
        return ParkResult::kTimedOut;
      }
      milliseconds = millisecondsOf(left);
    }
    // Time that ran out is judged above, since the clock here counts in milliseconds.
    if (WaitOnAddress(word.address(), &expected, sizeof expected, milliseconds) != FALSE ||
        GetLastError() != ERROR_TIMEOUT) {
      return ParkResult::kWoken;
    }
  }
}

void PlatformParker::unparkAll(Word32 word, Scope /*scope*/) noexcept { WakeByAddressAll(word.address()); }

}  // namespace strand::wait

#endif
