#include "log/log_appender.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

namespace strand {

using namespace layout;

namespace {

/// A file that grows doubles, by this much at least and at most.
constexpr std::uint64_t kLeastGrowth = std::uint64_t{1} << 20U;
constexpr std::uint64_t kMostGrowth = std::uint64_t{1} << 30U;
/// Room is announced, and its pages are made present, so far ahead: a fault for each page would cost as much as the frames
/// in it.
constexpr std::uint64_t kAhead = std::uint64_t{256} << 10U;

}  // namespace

LogAppender::LogAppender(std::shared_ptr<LogFile> log, Durability durability) noexcept
    : log_(std::move(log)),
      durability_(durability),
      committed_(log_->committed()),
      end_(committed_),
      limit_(std::min(log_->memory().file().size(), log_->memory().reserved())),
      announced_(committed_) {
  if (durability_.kind == Durability::Kind::kEvery) {
    flusher_ = std::make_unique<LogFlusher>(log_, durability_.interval);
  }
}

LogAppender::~LogAppender() { (void)close(); }

std::int64_t LogAppender::room() const noexcept {
  return closed_ ? -1 : static_cast<std::int64_t>(announced_ - end_) - std::int64_t{log_->format().overhead()};
}

void LogAppender::catchUp(std::uint64_t end) noexcept {
  end_ = std::clamp(end, end_, std::max(end_, announced_));
  committed_ = std::clamp(log_->committed(), committed_, end_);
}

LogStatus LogAppender::usable() noexcept {
  if (closed_) return LogStatus::kClosed;
  return log_->gone() ? LogStatus::kGone : LogStatus::kOk;
}

LogStatus LogAppender::reserve(std::uint64_t payloadBytes, std::uint64_t frames) noexcept {
  const std::uint64_t needed = payloadBytes + frames * log_->format().overhead();
  if (end_ <= limit_ && needed <= limit_ - end_) {
    announce(end_ + needed);
    return LogStatus::kOk;
  }
  if (const LogStatus status = usable(); status != LogStatus::kOk) return status;
  const std::uint64_t most = std::min(log_->header().maxCapacity, log_->memory().reserved());
  if (end_ > most || needed > most - end_) {
    fault_ =
        Fault::file("Shared memory exhausted: '" + log_->memory().file().path() + "' has " + std::to_string(most) +
                    " bytes at most, of which " + std::to_string(most - std::min(end_, most)) + " are free; " +
                    std::to_string(needed) +
                    " are needed. Begin another file, or make one with a larger capacityBytes or maxCapacityBytes");
    return LogStatus::kFull;
  }
  // A file that was cut would be put back to its length, with nothing in it.
  if (log_->findTruncation(limit_)) return LogStatus::kGone;
  const std::uint64_t step = std::clamp(limit_, kLeastGrowth, kMostGrowth);
  const std::uint64_t wanted = std::min(most, std::max(end_ + needed, limit_ + step));
  // A disk that has no room for the comfortable step may have it for the needed one.
  Fault fault;
  if (log_->memory().grow(wanted, fault)) {
    limit_ = wanted;
  } else if (log_->memory().grow(end_ + needed, fault_)) {
    limit_ = end_ + needed;
  } else {
    return LogStatus::kFile;
  }
  announce(end_ + needed);
  return LogStatus::kOk;
}

void LogAppender::announce(std::uint64_t end) noexcept {
  if (end <= announced_) return;
  const std::uint64_t from = announced_;
  announced_ = std::min(limit_, end + kAhead);
  if (log_->header().extended) log_->word(kLogOffsetReserved).storeRelaxed(announced_);
  log_->memory().prefault(from, announced_ - from);
}

void LogAppender::layOut(std::uint64_t payload) noexcept {
  const FrameFormat& format = log_->format();
  const std::uint64_t total = payload + format.overhead();
  std::byte* base = log_->memory().data();
  format.storeTotal(base + end_, total);
  format.storeTotal(base + end_ + total - format.width, total);
  end_ += total;
}

LogStatus LogAppender::allocate(std::uint64_t payload, bool debugChecks, std::uint64_t& at) noexcept {
  if (const LogStatus status = usable(); status != LogStatus::kOk) return status;
  if (payload > log_->format().maxPayload()) return LogStatus::kTooLarge;
  if (const LogStatus status = reserve(payload, 1); status != LogStatus::kOk) return status;
  if (debugChecks && !log_->format().neighbourSound(log_->data(), end_, log_->header().dataOffset)) {
    return LogStatus::kCorrupt;
  }
  at = end_;
  layOut(payload);
  return LogStatus::kOk;
}

LogStatus LogAppender::append(std::span<const std::byte> payload) noexcept {
  std::uint64_t at = 0;
  if (const LogStatus status = allocate(payload.size(), false, at); status != LogStatus::kOk) return status;
  if (!payload.empty()) {
    std::memcpy(log_->memory().data() + at + log_->format().lead(), payload.data(), payload.size());
  }
  return commitFrom(at);
}

LogStatus LogAppender::adopt(std::span<const std::uint32_t> payloads) noexcept {
  if (const LogStatus status = usable(); status != LogStatus::kOk) return status;
  const std::uint64_t bytes = std::accumulate(payloads.begin(), payloads.end(), std::uint64_t{0});
  const auto largest = payloads.empty() ? 0 : *std::max_element(payloads.begin(), payloads.end());
  if (largest > log_->format().maxPayload()) return LogStatus::kTooLarge;
  if (const LogStatus status = reserve(bytes, payloads.size()); status != LogStatus::kOk) return status;
  const std::uint64_t from = end_;
  for (const std::uint32_t payload : payloads) layOut(payload);
  return commitFrom(from);
}

LogStatus LogAppender::commitFrom(std::uint64_t from) noexcept {
  const LogStatus status = commit();
  // Whoever is told that a frame was not written may write it again.
  if (status != LogStatus::kOk && committed_ != end_) end_ = from;
  return status;
}

LogStatus LogAppender::commit() noexcept {
  if (const LogStatus status = usable(); status != LogStatus::kOk) return status;
  return end_ == committed_ ? LogStatus::kOk : publish();
}

LogStatus LogAppender::publish() noexcept {
  const FrameFormat& format = log_->format();
  std::byte* base = log_->memory().data();
  if (format.checked) {
    for (std::uint64_t at = committed_; at < end_;) {
      const std::uint64_t total = format.totalAt(base, at, end_);
      if (total == 0) return LogStatus::kCorrupt;  // the caller has written over its neighbour
      format.storeChecksum(base, at, total);
      at += total;
    }
  }
  if (flusher_ != nullptr) {
    Fault fault = flusher_->takeFault();
    if (!fault.ok()) {
      fault_ = std::move(fault);
      return LogStatus::kFile;
    }
  }
  const bool flushFirst = durability_.kind == Durability::Kind::kCommit;
  if (flushFirst) {
    // What earlier writers left to the system lies before DURABLE too, once it has moved.
    const std::uint64_t from = log_->header().extended ? log_->durable(committed_) : committed_;
    if (!log_->memory().flush(from, end_ - from, fault_)) return LogStatus::kFile;
  }
  if (log_->gone()) return LogStatus::kGone;
  // Release: pairs with the readers' acquire. All frames before it are whole.
  log_->word(kLogOffsetSize).storeRelease(end_);
  committed_ = end_;
  // The frames are there to be read, whether or not the disk takes the header.
  const LogStatus flushed = flushFirst ? flushUpTo(end_) : LogStatus::kOk;
  if (const auto event = log_->event()) event->notify();
  return flushed;
}

LogStatus LogAppender::flushUpTo(std::uint64_t end) noexcept {
  if (log_->header().extended) log_->word(kLogOffsetDurable).storeRelease(end);
  return log_->memory().flush(0, log_->header().headerSize, fault_) ? LogStatus::kOk : LogStatus::kFile;
}

LogStatus LogAppender::flush() noexcept {
  if (const LogStatus status = usable(); status != LogStatus::kOk) return status;
  return flushLog(*log_, fault_) ? LogStatus::kOk : LogStatus::kFile;
}

LogStatus LogAppender::close() noexcept {
  if (closed_) return LogStatus::kOk;
  flusher_.reset();
  LogStatus status = LogStatus::kOk;
  if (!log_->gone() && durability_.kind != Durability::Kind::kNone && !flushLog(*log_, fault_)) {
    status = LogStatus::kFile;
  }
  closed_ = true;
  log_->memory().file().unlock(kLogWriterLock);
  return status;
}

}  // namespace strand
