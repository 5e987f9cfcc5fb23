#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "memory/region.h"
#include "record/encode.h"
#include "ring/consumer_slots.h"
#include "ring/gate.h"
#include "ring/ring_monitor.h"
#include "ring/status.h"
#include "ring/strand_header.h"
#include "ring/strand_words.h"
#include "wait/spin.h"

namespace strand {

/// What a wait has come to.
enum class Progress : std::uint8_t {
  kPending,  ///< nothing past the position yet (a synchronous wait: the time is over)
  kReady,    ///< records past the position
  kEnded,    ///< the stream has ended or failed; the count is final
  kReset,    ///< the stream that the wait belongs to is gone
  kClosed,
  kGone,  ///< so is the memory: the file was cut
};

struct WaitResult {
  Progress progress = Progress::kPending;
  std::uint64_t committed = 0;
};

struct ViewStats {
  std::uint64_t recordsProduced = 0;  ///< since the strand was created
  std::uint64_t bytesProduced = 0;
  std::uint64_t producerStalls = 0;
  std::uint64_t producerStallNanos = 0;
  std::uint64_t consumerWaits = 0;  ///< of all views
  std::uint64_t queueDepth = 0;     ///< committed and not released by the slowest consumer
};

/// Records whose slots may be read.
struct Window {
  std::uint64_t start = 0;      ///< oldest record whose slot is intact
  std::uint64_t safeFrom = 0;   ///< oldest record that the producer cannot overwrite while this view holds it
  std::uint64_t committed = 0;  ///< behind the newest
  /// GATE as it was before the look at the others: while it stays, so does what `safeFrom` says.
  std::uint64_t gate = 0;
};

/// Where a registered consumer starts.
enum class StartAt : std::uint8_t { kOldest, kLatest, kSeq };

/// A consumer of a strand. One thread at a time; positions are counted from the stream's base.
///
/// Either nobody is registered and this view releases records for all (acknowledge), or consumers register,
/// up to eight, and each releases with its token; the producer then waits for the slowest.
class StrandView {
 public:
  using Nanoseconds = std::chrono::nanoseconds;

  static Status attach(const Region& region, StrandView& out, Fault& fault) noexcept;

  StrandView() noexcept = default;
  StrandView(const StrandView&) = delete;
  StrandView& operator=(const StrandView&) = delete;
  StrandView(StrandView&&) noexcept;
  StrandView& operator=(StrandView&&) noexcept;
  /// As close().
  ~StrandView();

  /// Releases the tokens that this view registered.
  void close() noexcept;

  /// One look: is there something past `after`, or is the stream over? A final count that is returned here
  /// lets status() show the end.
  WaitResult check(std::uint64_t after) noexcept;
  /// Waits for check() to be more than kPending. `after` 0 enters a new stream first.
  /// @param counted whether this goes on with a wait that is in the statistics already
  WaitResult wait(std::uint64_t after, Nanoseconds timeout, bool counted = false) noexcept;
  /// Leaves a stream that was reset for the present one. Nothing to do where it is the same.
  void enter() noexcept;
  [[nodiscard]] bool closed() const noexcept { return closed_; }
  /// Whether the stream is not this view's any more; lost() says why.
  [[nodiscard]] bool wasReset() const noexcept { return words_.epoch().loadAcquire() != epoch_; }
  /// Memory that is gone is zero, and no stream's epoch is.
  [[nodiscard]] Status lost() const noexcept { return region_.gone() ? Status::kGone : Status::kReset; }
  /// Changes with every stream that this view enters.
  [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
  /// For asynchronous waits: looks for a moment, as wait() does before it sleeps, and counts that if it was enough.
  WaitResult spin(std::uint64_t after) noexcept;
  /// Then announces the wait. Call check() behind it.
  void announceWait() noexcept;
  /// Counts an asynchronous wait in the statistics; wait() counts itself.
  void countWait() noexcept;

  /// Releases every record below `upTo` to the producer.
  /// @return kPastCommitted, kBehind, kTokenRequired, kReset
  Status acknowledge(std::uint64_t upTo) noexcept;
  Status acknowledge(std::uint64_t upTo, ConsumerToken token) noexcept;

  Status registerConsumer(StartAt start, std::uint64_t seq, ConsumerToken& token) noexcept;
  Status releaseConsumer(ConsumerToken token) noexcept;

  /// Committed records of the present stream, also of one that this view has not entered.
  [[nodiscard]] std::uint64_t committed() const noexcept;
  [[nodiscard]] std::uint64_t effectiveReadCursor() const noexcept;
  [[nodiscard]] Window window() const noexcept;
  /// Whether a record's slot and payloads were intact until now. Behind an acquire fence of its own.
  [[nodiscard]] bool intact(std::uint64_t seq) const noexcept;

  /// Shows kEos only once this view has been given, or has acknowledged, the final count.
  [[nodiscard]] StreamState status() const noexcept;
  [[nodiscard]] StreamState producerStatus() const noexcept;
  [[nodiscard]] std::string errorReason() const noexcept;

  /// Wakes and stops the producer; stays set until reset().
  void signalAbort(std::string_view reason) noexcept;
  /// close() of a reader that leaves before the end: if nobody else is registered, it stops the producer, too.
  void abandon(std::string_view reason) noexcept;

  /// Lower bound in a sorted field over the intact window: ascending the first record >= key, descending the
  /// first <= key. A null counts as less than every number.
  /// @param found position, or -1 where there is none
  /// @return kBadField for a field that is not flagged sorted or not numeric; kReset
  Status findFirst(std::size_t index, const Value& key, std::int64_t& found) const noexcept;

  [[nodiscard]] ViewStats stats() const noexcept;
  [[nodiscard]] const StrandHeader& header() const noexcept { return *header_; }
  [[nodiscard]] const Schema& schema() const noexcept { return header_->schema; }
  [[nodiscard]] std::span<const std::byte> slot(std::uint64_t seq) const noexcept {
    const Geometry& geometry = header_->geometry;
    const std::uint64_t index = (base_ + seq) & (geometry.indexCapacity - 1);
    return {region_.data() + geometry.headerSize + index * geometry.recordStride, geometry.recordStride};
  }
  /// How many slots from record `seq` on lie behind each other.
  [[nodiscard]] std::uint64_t slotsToEnd(std::uint64_t seq) const noexcept {
    const std::uint64_t capacity = header_->geometry.indexCapacity;
    return capacity - ((base_ + seq) & (capacity - 1));
  }
  [[nodiscard]] std::span<const std::byte> heap() const noexcept {
    return {region_.data() + header_->geometry.heapStart, header_->geometry.heapCapacity};
  }
  [[nodiscard]] wait::EventCount dataEvent() const noexcept { return words_.dataEvent(); }

 private:
  void swap(StrandView& other) noexcept;
  /// What a call that found itself refused answers: a reset in its midst is the reason, if there was one.
  [[nodiscard]] Status refusal(Status status) const noexcept { return wasReset() ? lost() : status; }
  [[nodiscard]] std::uint64_t committedHere() const noexcept;
  [[nodiscard]] std::uint64_t windowStart(std::uint64_t committed) const noexcept;
  void released() const noexcept;

  Region region_;
  std::shared_ptr<const StrandHeader> header_;
  std::shared_ptr<RingMonitor> monitor_;
  StrandWords words_;
  std::uint32_t epoch_ = 0;
  std::uint64_t base_ = 0;
  std::uint64_t acknowledged_ = 0;  ///< by this view without a token
  std::uint64_t seen_ = 0;          ///< committed count that check() saw last; spares the producer's line
  std::uint64_t delivered_ = 0;     ///< final count that check() has given, or what a token has acknowledged
  bool closed_ = true;
  std::vector<ConsumerToken> tokens_;
  wait::Spinner spinner_;
  /// Since when an asynchronous wait lasts that spinning did not end.
  std::optional<std::chrono::steady_clock::time_point> asleepSince_;
};

}  // namespace strand
