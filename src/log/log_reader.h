#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "log/log_file.h"
#include "log/log_status.h"

namespace strand {

/// A reader's position in a log. Positions ("cursors") count from the log's first frame.
///
/// Lengths are loaded from memory that a writer may be changing, once each, and believed only inside what is committed:
/// nothing outside of that is ever read. One thread at a time.
class LogReader {
 public:
  /// Payloads of one call, by their addresses from `base` on, which is absolute.
  struct Batch {
    std::uint64_t base = 0;
    std::uint64_t bytes = 0;  ///< from base to the last payload's end
    std::uint32_t count = 0;
  };
  struct Limits {
    std::uint32_t messages = 0;
    std::uint64_t bytes = 0;  ///< of payloads
    bool debugChecks = false;
  };

  explicit LogReader(std::shared_ptr<LogFile> log) noexcept;

  /// The next frames, as many as the limits and the arrays take. A fault behind the first frame is left to the next call.
  /// @param starts where each payload begins, from batch.base
  /// @param lengths bytes of each payload
  /// @return kOk, kNone where nothing is left, kTooSmall where the limits have no room for the next frame (its payload's
  ///   size is in batch.bytes), kCorrupt, kGone or kCursor
  LogStatus next(const Limits& limits, std::span<std::uint32_t> starts, std::span<std::uint32_t> lengths,
                 Batch& batch) noexcept;
  /// The frames before the cursor, the nearest first.
  LogStatus previous(const Limits& limits, std::span<std::uint32_t> starts, std::span<std::uint32_t> lengths,
                     Batch& batch) noexcept;

  /// Moves to a frame's start, or to the end. Checked by walking from the nearest start that is known.
  LogStatus seek(std::uint64_t cursor) noexcept;
  [[nodiscard]] std::uint64_t cursor() const noexcept { return at_ - begin_; }
  /// Bytes of committed frames, as the log says; kept inside what the mapping can show.
  [[nodiscard]] std::uint64_t committed() const noexcept;
  /// Whether there is something to be said: frames behind the cursor, or a fault.
  [[nodiscard]] bool ready() const noexcept;
  /// Where the last call found no frame, absolute.
  [[nodiscard]] std::uint64_t faultAt() const noexcept { return at_; }

  [[nodiscard]] LogFile& log() const noexcept { return *log_; }

 private:
  /// Loads SIZE. → kOk, kGone, or kCursor where the log was cut back behind the cursor
  LogStatus look(std::uint64_t& end) const noexcept;
  [[nodiscard]] bool sound(std::uint64_t at, std::uint64_t total, bool debugChecks) const noexcept;
  void remember(std::uint64_t at) noexcept;
  [[nodiscard]] bool reachedForwards(std::uint64_t from, std::uint64_t target) const noexcept;
  [[nodiscard]] bool reachedBackwards(std::uint64_t from, std::uint64_t target) const noexcept;

  std::shared_ptr<LogFile> log_;
  std::uint64_t begin_;
  std::uint64_t at_;
  /// Frames' starts that were passed, ascending, some distance apart.
  std::vector<std::uint64_t> known_;
};

}  // namespace strand
