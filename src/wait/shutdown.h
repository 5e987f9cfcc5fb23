#pragma once

#include <chrono>

namespace strand::wait {

/// A blocked call that the end of the process has to wait for looks at the flag this often.
inline constexpr std::chrono::milliseconds kShutdownSlice{10};

/// Whether this process is ending: every native wait then returns false instead of sleeping on.
///
/// The flag wakes nobody. A sleeping thread sees it when it is woken, or at the end of its timeout; threads that
/// the end of the process has to wait for (a blocked JavaScript worker) therefore wait in slices of
/// kShutdownSlice.
[[nodiscard]] bool shuttingDown() noexcept;

/// Sets the flag, for good. Callable from any thread.
void beginShutdown() noexcept;

}  // namespace strand::wait
