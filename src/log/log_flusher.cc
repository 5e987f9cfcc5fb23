#include "log/log_flusher.h"

#include <system_error>
#include <utility>

namespace strand {

using namespace layout;

bool flushLog(LogFile& log, Fault& fault) noexcept {
  const std::uint64_t committed = log.committed();
  if (!log.header().extended) return log.memory().flush(0, committed, fault);
  const std::uint64_t durable = log.durable(committed);
  if (durable == committed) return true;
  if (!log.memory().flush(durable, committed - durable, fault)) return false;
  log.word(kLogOffsetDurable).storeRelease(committed);
  return log.memory().flush(0, log.header().headerSize, fault);
}

LogFlusher::LogFlusher(std::shared_ptr<LogFile> log, std::chrono::milliseconds interval) noexcept
    : log_(std::move(log)), interval_(interval) {
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    fault_ = Fault::file("the system has no thread that could flush '" + log_->memory().file().path() +
                         "': " + error.code().message());
  }
}

LogFlusher::~LogFlusher() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Fault LogFlusher::takeFault() noexcept {
  const std::lock_guard lock(mutex_);
  return thread_.joinable() ? std::exchange(fault_, {}) : fault_;
}

void LogFlusher::run() noexcept {
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, interval_, [this] { return stop_; })) {
    lock.unlock();
    Fault fault;
    (void)flushLog(*log_, fault);
    lock.lock();
    if (!fault.ok()) fault_ = std::move(fault);
  }
}

}  // namespace strand
