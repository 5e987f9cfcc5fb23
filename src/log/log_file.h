#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "log/log_header.h"
#include "memory/atomic_word.h"
#include "memory/mapped_file.h"
#include "wait/event_count.h"

namespace strand {

struct LogOptions {
  std::string path;
  bool writable = false;
  /// Bytes of a file that does not exist yet. Existing files keep their size.
  std::uint64_t capacity = 0;
  /// Bytes it may grow to; 0 for its capacity. Fixed when the file is made.
  std::uint64_t maxCapacity = 0;
  /// Frame format: of a new file, and what an existing one is expected to have.
  std::uint64_t maxFrameBytes = 0;  ///< 0: whatever there is, 16-bit frames in a new file
  bool checksum = false;
  /// Which boot of the machine this is; 0 asks the system.
  std::uint64_t bootId = 0;
  /// What tells a new file from others; 0 draws it.
  std::uint64_t identity = 0;
  MappedFile::FlushObserver onFlush;
};

/// An open log: the mapped file, its format and its words. Shared by its appender, its readers and the buffers over it;
/// closed with the last of them.
class LogFile {
 public:
  /// Opens a log, makes it where it does not exist and `writable` is set, or finishes one whose making was interrupted.
  /// A writable one is locked against other writers and recovered before anything else: what an earlier writer
  /// allocated and did not commit is cleared, and after a loss of power the log is cut back to what had reached the disk
  /// (see recovery.h). A file that is no log is left untouched.
  static std::shared_ptr<LogFile> open(const LogOptions& options, Fault& fault) noexcept;

  LogFile(std::shared_ptr<MappedFile> memory, const LogHeader& header) noexcept;
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  /// Gives the writer's lock away: the pages, which may live on, would keep it.
  ~LogFile();

  [[nodiscard]] const LogHeader& header() const noexcept { return header_; }
  [[nodiscard]] const FrameFormat& format() const noexcept { return header_.format; }
  [[nodiscard]] MappedFile& memory() const noexcept { return *memory_; }
  /// What Buffers over the log keep: not the file, which is closed with the log.
  [[nodiscard]] const std::shared_ptr<MappedPages>& pages() const noexcept { return memory_->pages(); }
  [[nodiscard]] const std::byte* data() const noexcept { return memory_->data(); }

  /// Absolute end of the committed frames, as the word says: check `usable` before going there.
  [[nodiscard]] std::uint64_t committed() const noexcept { return word(layout::kLogOffsetSize).loadAcquire(); }
  /// Whether all bytes before `end` are there to be read. False for good once the file was truncated.
  [[nodiscard]] bool usable(std::uint64_t end) const noexcept {
    if (!gone() && !memory_->reaches(end)) lost_.store(true, std::memory_order_relaxed);
    return !gone();
  }
  [[nodiscard]] bool gone() const noexcept { return lost_.load(std::memory_order_relaxed) || memory_->gone(); }
  /// Asks the system whether the file still reaches the committed size, and `bytes`.
  bool findTruncation(std::uint64_t bytes = 0) noexcept;

  /// What lies before it has reached the disk; the first frame where the word is no position up to `committed`. Of
  /// extended logs.
  [[nodiscard]] std::uint64_t durable(std::uint64_t committed) const noexcept;

  /// A word of the header. Only a writable log stores there.
  [[nodiscard]] Word64 word(std::uint32_t offset) const noexcept { return {memory_->data(), offset}; }
  /// What waits and wakes; absent in plain logs, and where the file may not be written.
  [[nodiscard]] std::optional<wait::EventCount> event() const noexcept;

 private:
  std::shared_ptr<MappedFile> memory_;
  LogHeader header_;
  /// The file was found too short.
  mutable std::atomic<bool> lost_{false};
};

}  // namespace strand
