#include "wait/parker.h"

#if defined(STRAND_PARKER_LINUX)

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <ctime>

namespace strand::wait {
namespace {

static_assert(sizeof(timespec::tv_sec) == 8, "SYS_futex is called with 64-bit time");

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

// A private futex is looked up by virtual address alone; a shared one by the page behind it.
int operation(int op, Scope scope) noexcept { return scope == Scope::kProcess ? (op | FUTEX_PRIVATE_FLAG) : op; }

timespec monotonicAfter(std::chrono::nanoseconds timeout) noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  // kForever in seconds plus the clock stays far below 2^63, so nothing overflows.
  const std::int64_t nanos = now.tv_nsec + timeout.count() % kNanosPerSecond;
  timespec deadline{};
  deadline.tv_sec = now.tv_sec + timeout.count() / kNanosPerSecond + nanos / kNanosPerSecond;
  deadline.tv_nsec = nanos % kNanosPerSecond;
  return deadline;
}

}  // namespace

ParkResult PlatformParker::park(Word32 word, std::uint32_t expected, std::chrono::nanoseconds timeout,
                                Scope scope) noexcept {
  if (timeout <= std::chrono::nanoseconds::zero()) {
    return word.loadAcquire() == expected ? ParkResult::kTimedOut : ParkResult::kChanged;
  }
  // FUTEX_WAIT_BITSET takes an absolute time, so a signal handler that interrupts it does not prolong the wait.
  timespec deadline{};
  const bool endless = timeout == kForever;
  if (!endless) {
    deadline = monotonicAfter(timeout);
  }
  for (;;) {
    const long result = syscall(SYS_futex, word.address(), operation(FUTEX_WAIT_BITSET, scope), expected,
                                endless ? nullptr : &deadline, nullptr, FUTEX_BITSET_MATCH_ANY);
    if (result == 0) {
      return ParkResult::kWoken;
    }
    switch (errno) {
      case EINTR:
        continue;
      case EAGAIN:
        return ParkResult::kChanged;
      case ETIMEDOUT:
        return ParkResult::kTimedOut;
      default:
        return ParkResult::kWoken;  // the kernel refused to sleep: the caller's loop goes on testing
    }
  }
}

void PlatformParker::unparkAll(Word32 word, Scope scope) noexcept {
  syscall(SYS_futex, word.address(), operation(FUTEX_WAKE, scope), INT_MAX, nullptr, nullptr, 0);
}

}  // namespace strand::wait

#endif
