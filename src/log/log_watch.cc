#include "log/log_watch.h"

#include <chrono>
#include <system_error>
#include <thread>

#include "wait/shutdown.h"

namespace strand {
namespace {

constexpr std::chrono::milliseconds kLook{100};

}  // namespace

const std::uint32_t* LogWatch::address() const noexcept {
  return reinterpret_cast<const std::uint32_t*>(log_->data() + layout::kLogOffsetSize);
}

bool LogWatch::hold() noexcept {
  const std::lock_guard lock(mutex_);
  ++holders_;
  if (running_) return true;
  // Before the caller tests: what is committed behind its test differs from this.
  seen_ = log_->committed();
  try {
    std::thread([self = shared_from_this()] { self->run(); }).detach();
  } catch (const std::system_error&) {
    --holders_;
    return false;
  }
  running_ = true;
  return true;
}

void LogWatch::release() noexcept {
  const std::lock_guard lock(mutex_);
  if (--holders_ > 0) return;
  // Others who sleep on the word wake for nothing.
  if (const auto event = log_->event()) wait::PlatformParker::unparkAll(event->counter(), event->scope());
  released_.notify_one();
}

void LogWatch::run() noexcept {
  std::unique_lock lock(mutex_);
  while (holders_ > 0 && !wait::shuttingDown()) {
    const auto event = log_->event();
    const std::uint32_t key = event ? event->key() : 0;
    if (event) event->raise(wait::kSleeper);
    const std::uint64_t now = log_->committed();
    if (now != seen_ || log_->findTruncation()) {
      seen_ = now;
      wait::AsyncTable::instance().signal(address());
      if (log_->gone()) released_.wait_for(lock, kLook, [this] { return holders_ == 0; });
      continue;
    }
    if (event) {
      lock.unlock();
      (void)event->sleep(key, kLook);
      lock.lock();
    } else {
      released_.wait_for(lock, kLook, [this] { return holders_ == 0; });
    }
  }
  running_ = false;
}

}  // namespace strand
