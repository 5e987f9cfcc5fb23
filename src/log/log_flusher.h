#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "log/log_file.h"

namespace strand {

/// Brings what is committed to the disk: data first, then the header that speaks of it. DURABLE moves in between.
[[nodiscard]] bool flushLog(LogFile& log, Fault& fault) noexcept;

/// A thread that flushes a log once an interval, while there is something to flush.
class LogFlusher {
 public:
  LogFlusher(std::shared_ptr<LogFile> log, std::chrono::milliseconds interval) noexcept;
  LogFlusher(const LogFlusher&) = delete;
  LogFlusher& operator=(const LogFlusher&) = delete;
  ~LogFlusher();

  /// What the system said to a flush since the last call; empty if all went well. Where it gave no thread: always that.
  [[nodiscard]] Fault takeFault() noexcept;

 private:
  void run() noexcept;

  std::shared_ptr<LogFile> log_;
  std::chrono::milliseconds interval_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stop_ = false;
  Fault fault_;
  std::thread thread_;
};

}  // namespace strand
