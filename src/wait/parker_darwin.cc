#include "wait/parker.h"

#if defined(STRAND_PARKER_DARWIN)

#include <algorithm>
#include <cerrno>
#include <limits>

// What libc++ sleeps with. The public os_sync_wait_on_address does the same from macOS 14.4 on only.
// Written after the kernel's bsd/sys/ulock.h; compiled and run on no Mac so far.
extern "C" int __ulock_wait(std::uint32_t operation, void* address, std::uint64_t value, std::uint32_t microseconds);
extern "C" int __ulock_wake(std::uint32_t operation, void* address, std::uint64_t value);

namespace strand::wait {
namespace {

constexpr std::uint32_t kCompareAndWait = 1;
constexpr std::uint32_t kCompareAndWaitShared = 3;
constexpr std::uint32_t kWakeAll = 0x00000100;
constexpr std::uint32_t kNoErrno = 0x01000000;  // errors come back as negative results

constexpr std::uint32_t operation(Scope scope) noexcept {
  return (scope == Scope::kProcess ? kCompareAndWait : kCompareAndWaitShared) | kNoErrno;
}

// 0 microseconds would mean for ever, so what is left is rounded up.
std::uint32_t microsecondsOf(std::chrono::nanoseconds left) noexcept {
  const auto rounded = std::chrono::ceil<std::chrono::microseconds>(left).count();
  return static_cast<std::uint32_t>(std::min<std::int64_t>(rounded, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

ParkResult PlatformParker::park(Word32 word, std::uint32_t expected, std::chrono::nanoseconds timeout,
                                Scope scope) noexcept {
  using Clock = std::chrono::steady_clock;
  const bool endless = timeout == kForever;
  const Clock::time_point start = endless ? Clock::time_point{} : Clock::now();
  for (;;) {
    if (word.loadAcquire() != expected) {
      return ParkResult::kChanged;
    }
    std::uint32_t microseconds = 0;
    if (!endless) {
      const std::chrono::nanoseconds left = timeout - (Clock::now() - start);
      if (left <= std::chrono::nanoseconds::zero()) {
        return ParkResult::kTimedOut;
      }
      microseconds = microsecondsOf(left);
    }
    const int result = __ulock_wait(operation(scope), word.address(), expected, microseconds);
    // An interrupted call, or one whose time had to be cut to 32 bits, starts over with what is left.
    if (result != -EINTR && result != -ETIMEDOUT) {
      return ParkResult::kWoken;
    }
  }
}

void PlatformParker::unparkAll(Word32 word, Scope scope) noexcept {
  while (__ulock_wake(operation(scope) | kWakeAll, word.address(), 0) == -EINTR) {
  }
}

}  // namespace strand::wait

#endif
