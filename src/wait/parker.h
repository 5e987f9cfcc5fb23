#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>

#include "memory/atomic_word.h"

/// Parking: the one mechanism by which a thread sleeps until a word of shared memory changes.
///
/// The contract, kept by one file per platform and tested by one suite over all of them (test/contract/wait):
///  - `park` sleeps only while the word holds `expected`; the comparison and the falling asleep are one step with
///    respect to a waker that changes the word and then calls `unparkAll`. So no wake-up is lost.
///  - `unparkAll` wakes every thread that sleeps on the word.
///  - a return of `woken` promises nothing: whoever parks tests its predicate again.
///
/// The kernel's sleepers and JavaScript's `Atomics.wait` do not wake each other: everybody waits through here.
namespace strand::wait {

/// Who maps the word: threads of this process, or several processes through a shared mapping.
enum class Scope : std::uint8_t { kProcess, kSystem };

enum class ParkResult : std::uint8_t {
  kWoken,     ///< by `unparkAll`, or spuriously
  kChanged,   ///< the word did not hold `expected`
  kTimedOut,  ///< the time is over
};

/// A timeout that never ends.
inline constexpr std::chrono::nanoseconds kForever = std::chrono::nanoseconds::max();

// clang-format off
#if defined(STRAND_PORTABLE_WAIT)
#define STRAND_PARKER_PORTABLE 1
#elif defined(__linux__)
#define STRAND_PARKER_LINUX 1
#elif defined(__APPLE__)
#define STRAND_PARKER_DARWIN 1
#elif defined(_WIN32)
#define STRAND_PARKER_WINDOWS 1
#else
#define STRAND_PARKER_PORTABLE 1
#endif
// clang-format on

/// What this platform sleeps with, defined by the one file among parker_*.cc that the selector above names.
/// Defining STRAND_PORTABLE_WAIT forces the portable one anywhere.
struct PlatformParker {
#if defined(STRAND_PARKER_LINUX)
  static constexpr const char* kName = "linux futex";
  static constexpr bool kReachesOtherProcesses = true;
#elif defined(STRAND_PARKER_DARWIN)
  static constexpr const char* kName = "darwin ulock";
  static constexpr bool kReachesOtherProcesses = true;
#elif defined(STRAND_PARKER_WINDOWS)
  static constexpr const char* kName = "windows WaitOnAddress";
  static constexpr bool kReachesOtherProcesses = false;
#else
  static constexpr const char* kName = "platform (portable mutex and condition variable)";
  static constexpr bool kReachesOtherProcesses = false;
#endif

  /// @param timeout relative; zero or less only compares; `kForever` has no end.
  static ParkResult park(Word32 word, std::uint32_t expected, std::chrono::nanoseconds timeout, Scope scope) noexcept;

  static void unparkAll(Word32 word, Scope scope) noexcept;
};

/// The contract as a type. `kReachesOtherProcesses` says whether `unparkAll` with `Scope::kSystem` wakes sleepers
/// of other processes; where it does not, `BasicEventCount::await` looks at the word itself from time to time.
template <typename P>
concept Parker = requires(Word32 word, std::uint32_t expected, std::chrono::nanoseconds timeout, Scope scope) {
  { P::kName } -> std::convertible_to<const char*>;
  { P::kReachesOtherProcesses } -> std::convertible_to<bool>;
  // clang-format off
  { P::park(word, expected, timeout, scope) } noexcept -> std::same_as<ParkResult>;
  { P::unparkAll(word, scope) } noexcept;
  // clang-format on
};

static_assert(Parker<PlatformParker>);

}  // namespace strand::wait
