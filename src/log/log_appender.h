#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "log/log_file.h"
#include "log/log_flusher.h"
#include "log/log_status.h"

namespace strand {

/// When what was committed reaches the disk.
struct Durability {
  enum class Kind : std::uint8_t {
    kNone,    ///< when the system likes: survives the process, not the machine
    kCommit,  ///< before it becomes visible
    kEvery,   ///< in the background, once an interval
  };
  Kind kind = Kind::kNone;
  std::chrono::milliseconds interval{0};
};

/// The writer of a log. One thread at a time.
///
/// Frames are laid out behind SIZE, where nobody looks, and become visible together when SIZE moves behind them. The
/// space for them is on the disk before they are stored, so no store meets a full disk.
class LogAppender {
 public:
  /// Of a log that was opened writable.
  LogAppender(std::shared_ptr<LogFile> log, Durability durability) noexcept;
  LogAppender(const LogAppender&) = delete;
  LogAppender& operator=(const LogAppender&) = delete;
  /// As close().
  ~LogAppender();

  /// Lays out a frame; its payload is the caller's to fill until commit().
  /// @param at absolute address of the frame
  LogStatus allocate(std::uint64_t payload, bool debugChecks, std::uint64_t& at) noexcept;
  /// Makes everything allocated since the last commit visible, in one step.
  LogStatus commit() noexcept;
  /// allocate, copy, commit.
  LogStatus append(std::span<const std::byte> payload) noexcept;
  /// Lays out frames whose payloads already lie where they belong, from nextPayload() on, and commits them.
  LogStatus adopt(std::span<const std::uint32_t> payloads) noexcept;

  /// Makes sure that `payloadBytes` and the lengths of `frames` frames fit behind what is allocated; grows the file. To be
  /// called before anything is stored there: were this process to die then, the next writer clears up to there.
  LogStatus reserve(std::uint64_t payloadBytes, std::uint64_t frames) noexcept;
  /// Absolute address of the next frame's payload, and how many bytes it may have without reserve(): less than 0 where
  /// not even an empty frame fits.
  [[nodiscard]] std::uint64_t nextPayload() const noexcept { return end_ + log_->format().lead(); }
  [[nodiscard]] std::int64_t room() const noexcept;

  /// Returns once all that is committed has reached the disk.
  LogStatus flush() noexcept;
  /// Gives uncommitted frames up and the lock away; what `durability` promises is flushed first.
  LogStatus close() noexcept;

  /// Whether a commit is a store to SIZE, and a look at who waits.
  [[nodiscard]] bool commitsInMemory() const noexcept {
    return durability_.kind == Durability::Kind::kNone && !log_->format().checked;
  }
  /// Takes note of frames that were laid out up to an address, in announced room, and of what was committed of them by
  /// storing SIZE: by who does so without a call.
  void catchUp(std::uint64_t end) noexcept;

  [[nodiscard]] bool closed() const noexcept { return closed_; }
  /// Absolute end of the allocated frames.
  [[nodiscard]] std::uint64_t end() const noexcept { return end_; }
  [[nodiscard]] LogFile& log() const noexcept { return *log_; }
  /// What the system said, behind kFile and kFull.
  [[nodiscard]] const Fault& fault() const noexcept { return fault_; }

 private:
  LogStatus usable() noexcept;
  LogStatus publish() noexcept;
  /// commit() of frames that the caller does not know as allocated: if it fails, those from an address on are given up.
  LogStatus commitFrom(std::uint64_t from) noexcept;
  LogStatus flushUpTo(std::uint64_t end) noexcept;
  void announce(std::uint64_t end) noexcept;
  void layOut(std::uint64_t payload) noexcept;

  std::shared_ptr<LogFile> log_;
  Durability durability_;
  std::uint64_t committed_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t limit_ = 0;      ///< bytes of the file
  std::uint64_t announced_ = 0;  ///< where stores may go without asking: RESERVED, in a log that has it
  bool closed_ = false;
  std::unique_ptr<LogFlusher> flusher_;
  Fault fault_;
};

}  // namespace strand
