#pragma once

#include <cstdint>

#include "log/log_file.h"

namespace strand {

/// Puts a log right before its writer begins.
///
/// The process of an earlier writer died, the machine did not: memory is as it was left. SIZE ends the committed frames,
/// and what was allocated behind them is cleared, so that it is never taken for frames later.
///
/// The machine died: any page may be older than another, as they were written back in any order. DURABLE was stored only
/// after everything before it had been flushed. Frames behind it count as far as each is sound; SIZE is cut back to there,
/// and the rest of the file is cleared. Only checksums make that certain: without them lengths alone are compared.
///
/// Where the system does not tell boots apart (`bootId` 0) every writer recovers as after a loss of power.
/// A plain log has neither word: all its frames are walked, and a file in which they do not add up is refused.
[[nodiscard]] bool recoverLog(LogFile& log, std::uint64_t bootId, Fault& fault) noexcept;

/// Where the sound frames from `from` on end, at most at `to`.
[[nodiscard]] std::uint64_t soundUpTo(const LogFile& log, std::uint64_t from, std::uint64_t to) noexcept;

}  // namespace strand
