#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "log/log_file.h"
#include "wait/async_table.h"

namespace strand {

/// What wakes event loops that wait for a log: a thread, while there are any, that sleeps on the log's event and signals
/// this process's table when the committed size has changed.
///
/// The size is looked at ten times a second besides: a writer that knows the plain format only wakes nobody, and a reader
/// that may not write to the file cannot ask to be woken.
class LogWatch : public std::enable_shared_from_this<LogWatch> {
 public:
  explicit LogWatch(std::shared_ptr<LogFile> log) noexcept : log_(std::move(log)) {}
  LogWatch(const LogWatch&) = delete;
  LogWatch& operator=(const LogWatch&) = delete;
  ~LogWatch() = default;

  /// What waiters are registered on in the table.
  [[nodiscard]] const std::uint32_t* address() const noexcept;
  /// Begins to watch. Test the predicate behind it. → false where the system gives no thread
  bool hold() noexcept;
  /// Takes one hold() back; with the last the thread ends.
  void release() noexcept;

 private:
  void run() noexcept;

  std::shared_ptr<LogFile> log_;
  std::mutex mutex_;
  std::condition_variable released_;
  std::uint32_t holders_ = 0;
  bool running_ = false;
  std::uint64_t seen_ = 0;
};

}  // namespace strand
