#include "log/log_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace strand {
namespace {

/// How far apart starts are remembered. A seek walks at most so far where the log was read before.
constexpr std::uint64_t kKnownDistance = std::uint64_t{1} << 20U;
/// A batch's payloads lie within 32 bits of its base.
constexpr std::uint64_t kMostSpan = std::numeric_limits<std::uint32_t>::max();

/// Bytes that a batch may still take.
class Intake {
 public:
  explicit Intake(std::uint64_t most) noexcept
      : most_(std::min(most, kMostSpan)), left_(std::min(most, kMostSpan / 2)) {}

  /// @param span from the batch's first byte to the payload's last
  [[nodiscard]] bool takes(std::uint64_t payload, std::uint64_t span, bool isFirst) noexcept {
    // One frame is given whatever the span, so that the largest can be read.
    if (payload > left_ || span > kMostSpan) {
      left_ = 0;
      return isFirst && payload <= most_;
    }
    left_ -= payload;
    return true;
  }

 private:
  std::uint64_t most_;
  std::uint64_t left_;
};

}  // namespace

LogReader::LogReader(std::shared_ptr<LogFile> log) noexcept
    : log_(std::move(log)), begin_(log_->header().dataOffset), at_(begin_), known_{begin_} {}

std::uint64_t LogReader::committed() const noexcept {
  const std::uint64_t end = std::min(log_->committed(), log_->memory().reserved());
  return end > begin_ ? end - begin_ : 0;
}

LogStatus LogReader::look(std::uint64_t& end) const noexcept {
  end = log_->committed();
  if (!log_->usable(end)) return LogStatus::kGone;
  if (end >= at_) return LogStatus::kOk;
  return log_->findTruncation() ? LogStatus::kGone : LogStatus::kCursor;
}

bool LogReader::ready() const noexcept {
  std::uint64_t end = 0;
  return look(end) != LogStatus::kOk || end != at_;
}

bool LogReader::sound(std::uint64_t at, std::uint64_t total, bool debugChecks) const noexcept {
  const FrameFormat& format = log_->format();
  if (format.checked && !format.checksumFits(log_->data(), at, total)) return false;
  return !debugChecks || format.loadTotal(log_->data() + at + total - format.width) == total;
}

void LogReader::remember(std::uint64_t at) noexcept {
  if (at >= known_.back() + kKnownDistance) known_.push_back(at);
}

LogStatus LogReader::next(const Limits& limits, std::span<std::uint32_t> starts, std::span<std::uint32_t> lengths,
                          Batch& batch) noexcept {
  std::uint64_t end = 0;
  batch = {};
  if (const LogStatus status = look(end); status != LogStatus::kOk) return status;
  const FrameFormat format = log_->format();
  const std::byte* base = log_->data();
  const std::size_t most = std::min({starts.size(), lengths.size(), std::size_t{limits.messages}});
  const bool checks = limits.debugChecks || format.checked;
  Intake intake(limits.bytes);
  std::uint64_t at = at_;
  std::uint32_t count = 0;
  LogStatus status = LogStatus::kNone;
  batch.base = at_ + format.lead();
  // Of the frames behind the first one each is the next one's neighbour.
  if (limits.debugChecks && !format.neighbourSound(base, at_, begin_)) {
    (void)log_->findTruncation();
    return log_->gone() ? LogStatus::kGone : LogStatus::kCorrupt;
  }
  for (; count < most && at != end; ++count) {
    const std::uint64_t total = format.totalAt(base, at, end);
    if (total == 0 || (checks && !sound(at, total, limits.debugChecks))) {
      status = LogStatus::kCorrupt;
      break;
    }
    const std::uint64_t payload = total - format.overhead();
    const std::uint64_t start = at - at_;
    if (!intake.takes(payload, start + payload, count == 0)) {
      status = LogStatus::kTooSmall;
      batch.bytes = payload;
      break;
    }
    starts[count] = static_cast<std::uint32_t>(start);
    lengths[count] = static_cast<std::uint32_t>(payload);
    at += total;
  }
  // Whatever was read behind a truncation is thrown away. One inside of a page raises no signal: all bytes behind it turn
  // zero, the last length before anything it ends.
  if (status == LogStatus::kCorrupt || (count > 0 && format.loadTotal(base + at - format.width) !=
                                                         lengths[count - 1] + std::uint64_t{format.overhead()})) {
    (void)log_->findTruncation();
  }
  if (log_->gone()) return LogStatus::kGone;
  if (count == 0) return most == 0 && at != end ? LogStatus::kTooSmall : status;
  batch.bytes = starts[count - 1] + std::uint64_t{lengths[count - 1]};
  batch.count = count;
  at_ = at;
  remember(at_);
  return LogStatus::kOk;
}

LogStatus LogReader::previous(const Limits& limits, std::span<std::uint32_t> starts, std::span<std::uint32_t> lengths,
                              Batch& batch) noexcept {
  std::uint64_t end = 0;
  batch = {};
  if (const LogStatus status = look(end); status != LogStatus::kOk) return status;
  const FrameFormat format = log_->format();
  const std::byte* base = log_->data();
  const std::size_t most = std::min({starts.size(), lengths.size(), std::size_t{limits.messages}});
  Intake intake(limits.bytes);
  std::uint64_t at = at_;
  std::uint32_t count = 0;
  LogStatus status = LogStatus::kNone;
  for (; count < most && at != begin_; ++count) {
    const std::uint64_t total = format.totalBefore(base, at, begin_);
    if (total == 0 || (format.checked && !format.checksumFits(base, at - total, total)) ||
        (limits.debugChecks && !format.neighbourSound(base, at - total, begin_))) {
      status = LogStatus::kCorrupt;
      break;
    }
    const std::uint64_t payload = total - format.overhead();
    if (!intake.takes(payload, at_ - (at - total), count == 0)) {
      status = LogStatus::kTooSmall;
      batch.bytes = payload;
      break;
    }
    at -= total;
    // Of the absolute address, until the base is known.
    starts[count] = static_cast<std::uint32_t>(at_ - at);
    lengths[count] = static_cast<std::uint32_t>(payload);
  }
  if (status == LogStatus::kCorrupt) (void)log_->findTruncation();
  if (log_->gone()) return LogStatus::kGone;
  if (count == 0) return most == 0 && at != begin_ ? LogStatus::kTooSmall : status;
  batch.base = at + format.lead();
  batch.bytes = at_ - format.trail() - batch.base;
  batch.count = count;
  const auto whole = static_cast<std::uint32_t>(at_ - at);
  for (std::uint32_t i = 0; i < count; ++i) starts[i] = whole - starts[i];
  at_ = at;
  return LogStatus::kOk;
}

bool LogReader::reachedForwards(std::uint64_t from, std::uint64_t target) const noexcept {
  const FrameFormat format = log_->format();
  while (from < target) {
    const std::uint64_t total = format.totalAt(log_->data(), from, target);
    if (total == 0) return false;
    from += total;
  }
  return true;
}

bool LogReader::reachedBackwards(std::uint64_t from, std::uint64_t target) const noexcept {
  const FrameFormat format = log_->format();
  while (from > target) {
    const std::uint64_t total = format.totalBefore(log_->data(), from, target);
    if (total == 0) return false;
    from -= total;
  }
  return true;
}

LogStatus LogReader::seek(std::uint64_t cursor) noexcept {
  const std::uint64_t end = log_->committed();
  if (!log_->usable(end)) return LogStatus::kGone;
  const auto refuse = [&] { return log_->findTruncation() ? LogStatus::kGone : LogStatus::kCursor; };
  if (end < begin_ || cursor > end - begin_) return refuse();
  const std::uint64_t target = begin_ + cursor;
  if (target != end && target != at_) {
    // A log that was cut back may have lost remembered starts, and has other frames there now.
    while (known_.back() > end) known_.pop_back();
    const auto above = std::upper_bound(known_.begin(), known_.end(), target);
    std::uint64_t below = *(above - 1);
    std::uint64_t over = above == known_.end() ? end : *above;
    if (at_ <= target) below = std::max(below, at_);
    if (at_ >= target && at_ <= end) over = std::min(over, at_);
    const bool backwards = over - target < target - below;
    if (!(backwards && reachedBackwards(over, target)) && !reachedForwards(below, target)) return refuse();
    if (log_->gone()) return LogStatus::kGone;
  }
  at_ = target;
  return LogStatus::kOk;
}

}  // namespace strand
