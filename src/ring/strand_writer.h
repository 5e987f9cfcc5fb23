#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "memory/region.h"
#include "record/encode.h"
#include "ring/consumer_slots.h"
#include "ring/gate.h"
#include "ring/heap_ring.h"
#include "ring/owner.h"
#include "ring/ring_monitor.h"
#include "ring/status.h"
#include "ring/strand_header.h"
#include "ring/strand_words.h"
#include "wait/spin.h"

namespace strand {

struct WriterStats {
  std::uint64_t records = 0;  ///< published since the strand was created
  std::uint64_t bytes = 0;    ///< slots and payloads of those
  std::uint64_t stalls = 0;   ///< waits for room
  std::uint64_t stallNanos = 0;
  std::uint64_t queueDepth = 0;  ///< records that the slowest consumer has not released
  std::uint64_t consumerWaits = 0;
};

/// The producer of a strand. One thread at a time; positions are counted from the stream's base.
///
/// Calls that need room do not block: they answer kWouldBlock, and awaitSpace() sleeps until room may be
/// there. `write` and `writeBatch` do both.
class StrandWriter {
 public:
  using Nanoseconds = std::chrono::nanoseconds;

  /// What a batch still needs. `remaining` counts the records not yet handed over, `heap` is what the next
  /// record needs (zero while unknown), `heapHint` what the rest may take.
  struct BatchNeed {
    std::uint64_t remaining = 0;
    HeapRing::Need heap;
    std::uint64_t heapHint = 0;
    /// Takes whatever room there is, and never publishes before publish() does.
    bool partial = false;
  };

  /// A contiguous run of slots and of heap, by byte offsets in the region.
  struct Run {
    std::uint64_t firstSeq = 0;
    std::uint64_t slotOffset = 0;
    std::uint32_t slotCount = 0;
    std::uint64_t heapOffset = 0;
    std::uint64_t heapBytes = 0;
  };

  /// Checks the header, waits up to `patience` for an older writer to finish what it is filling, takes the
  /// strand over and rolls back what was claimed and not committed.
  /// @return kOk, kBusy where the older writer stayed busy (nothing has changed), or a fault of the header
  static Status attach(const Region& region, Nanoseconds patience, StrandWriter& out, Fault& fault) noexcept;

  /// Of a strand in a file: if its writer's process has died without letting go, rolls back what that one claimed and
  /// ends its stream with an error. @return whether there was such a writer
  static bool endDead(const Region& region, const std::shared_ptr<const StrandHeader>& header) noexcept;

  StrandWriter() noexcept = default;
  StrandWriter(const StrandWriter&) = delete;
  StrandWriter& operator=(const StrandWriter&) = delete;
  StrandWriter(StrandWriter&& other) noexcept;
  StrandWriter& operator=(StrandWriter&& other) noexcept;
  /// As close().
  ~StrandWriter();

  Status begin() noexcept;
  Status finalize() noexcept;
  /// Status error, also after finalize(). The first reason stays.
  Status abort(std::string_view reason) noexcept;
  /// A fresh stream on the same memory: new epoch, positions from a new base, tokens void, abort cleared.
  Status reset() noexcept;
  /// Lets go. An unfinished stream becomes an error with `reason`.
  void close(std::string_view reason = "the writer was closed before the end of the stream") noexcept;
  /// Lets go of what was claimed, and of the strand, and leaves the stream as it is. Of a strand in a file it remains the
  /// producer until its process ends: who waits for it is told then.
  void detach() noexcept;

  /// Writes one record, blocking while there is no room.
  Status write(std::span<const Value> row, EncodeFault& fault) noexcept;
  /// Writes rows of `schema().fields().size()` values each. At most index_capacity rows whose payloads take
  /// at most half the heap become visible in one step; a fault then leaves nothing visible.
  /// @param written how many rows became visible
  Status writeBatch(std::span<const Value> rows, std::uint64_t& written, EncodeFault& fault) noexcept;

  /// Copies one record, encoded in private memory (see RecordImage), into the ring and publishes it.
  Status publishRecord(std::span<const std::byte> slot, std::span<const std::byte> heap,
                       std::uint32_t alignment) noexcept {
    // With both sides at work the next store waits until the consumer's core gives COMMIT_SEQ back, and the core runs
    // ahead as far as its store buffer reaches: the fewer stores a record takes, the more records that is. So the plain
    // case keeps nothing in private memory but the count, and stays inline.
    if (plainRecord(slot, heap) && owner_.enter()) {
      words_.writeSeq().storeRelaxed(commit_ + 1);
      releaseFence();
      copyWords(region_.data() + slotOffset(commit_ - base_), slot);
      ++commit_;
      words_.commitSeq().storeRelease(commit_);
      owner_.leave();
      words_.dataEvent().notify();
      return Status::kOk;
    }
    return publishPieces(slot, {&heap, 1}, alignment);
  }
  /// The same where the heap part is not in one piece: `pieces` follow each other in the ring.
  Status publishPieces(std::span<const std::byte> slot, std::span<const std::span<const std::byte>> pieces,
                       std::uint32_t alignment) noexcept;

  /// Begins or continues a batch: a run that the caller fills. Ends with publish() or abandon().
  Status reserve(const BatchNeed& need, Run& run) noexcept;
  /// Hands over the first `ends.size()` slots of the last run; ends[i] is where record i's payloads end, in
  /// bytes from the run's heap. They stay invisible.
  void advance(std::span<const std::uint32_t> ends) noexcept;
  /// The same for records without payloads.
  void advance(std::uint32_t records) noexcept;
  /// Makes everything handed over visible, in one step, and ends the batch.
  Status publish() noexcept;
  /// Ends the batch; what was not published never becomes visible.
  void abandon() noexcept;
  /// Whether a batch is between reserve() and its end.
  [[nodiscard]] bool batchOpen() const noexcept { return batch_.open; }
  /// Records of the present or last batch that are visible.
  [[nodiscard]] std::uint64_t publishedInBatch() const noexcept { return publishedInBatch_; }

  /// Claims `count` slots, at least one, in order, validity bitmaps cleared. @param firstSeq the first one's position
  Status claimSlots(std::uint32_t count, std::uint64_t& firstSeq) noexcept;
  Status commitSlots(std::uint64_t fromSeq, std::uint32_t count) noexcept;
  /// Claims heap for the next slot that is committed. Alignment is of the address, a power of two up to 8.
  /// @param offset from the heap's start: the value that a slot stores
  Status claimHeap(std::uint64_t bytes, std::uint32_t alignment, std::uint64_t& offset) noexcept;
  /// Checks that no bytes were claimed for a slot that is already committed.
  Status commitHeap() noexcept;
  [[nodiscard]] std::uint64_t slotOffset(std::uint64_t seq) const noexcept {
    const Geometry& geometry = header_->geometry;
    return geometry.headerSize + ((base_ + seq) & mask_) * geometry.recordStride;
  }

  /// Sleeps until the room that the last kWouldBlock asked for may be there, or until the stream, this
  /// writer's ownership or an abort says otherwise. One stall is counted until a call succeeds.
  /// @return whether it is worth calling again at once (false: the time is over)
  bool awaitSpace(Nanoseconds timeout) noexcept;
  /// For asynchronous waits: looks for a moment, as awaitSpace() does before it sleeps. → whether there is room
  bool spinForSpace() noexcept;
  /// Then announces the wait. Test hasSpace() behind it.
  void announceWait() noexcept;
  /// The same for who only wants to hear of an abort or of a newer writer: room wakes nobody. Test state() behind it.
  void announceWatch() noexcept;
  [[nodiscard]] bool hasSpace() const noexcept;

  /// kOk, or why writing is over: kClosed, kFenced, kEnded, kAborted.
  [[nodiscard]] Status state() const noexcept;
  [[nodiscard]] std::string abortReason() const noexcept;
  [[nodiscard]] WriterStats stats() const noexcept;
  [[nodiscard]] const StrandHeader& header() const noexcept { return *header_; }
  [[nodiscard]] const Schema& schema() const noexcept { return header_->schema; }
  [[nodiscard]] std::uint64_t committed() const noexcept { return commit_ - base_; }
  [[nodiscard]] std::byte* data() const noexcept { return region_.data(); }
  [[nodiscard]] wait::EventCount spaceEvent() const noexcept { return words_.spaceEvent(); }

 private:
  /// Heap given to a run: where the heap stood before padding and skip, and the contiguous space itself.
  struct HeapPlace {
    std::uint64_t begin = 0;
    std::uint64_t position = 0;
    std::uint64_t bytes = 0;
  };

  /// Records between reserve and publish.
  struct Batch {
    bool open = false;
    bool stepwise = false;        ///< larger than the ring: becomes visible in steps
    std::uint64_t pending = 0;    ///< records handed over, not visible
    std::uint64_t heapBegin = 0;  ///< where the heap stood before the first of them
    std::uint64_t heapEnd = 0;    ///< where their payloads end
    std::uint64_t payloadBytes = 0;
    HeapPlace run{};
    std::uint32_t runSlots = 0;
  };

  struct Claims {
    std::uint64_t slots = 0;  ///< claimed and not committed
    bool heap = false;        ///< likewise heap bytes, from heapBegin (before padding and skip) to heapEnd
    std::uint64_t heapBegin = 0;
    std::uint64_t heapEnd = 0;
    std::uint64_t payloadBytes = 0;
    bool heapUnchecked = false;      ///< claimed, and no commitHeap() since
    bool heapCommittedLate = false;  ///< such bytes were published with a slot
  };

  /// The present wait for room: the position that the gate must reach.
  struct Stall {
    bool active = false;
    bool asleep = false;  ///< spinning has not ended it, and an event loop is to be woken
    std::uint64_t need = 0;
    std::chrono::steady_clock::time_point start;
  };

  StrandWriter(const Region& region, std::shared_ptr<const StrandHeader> header) noexcept;

  void swap(StrandWriter& other) noexcept;
  /// @return kBusy where a reset that was left unfinished could not be finished
  [[nodiscard]] Status recover() noexcept;
  [[nodiscard]] Status finishReset() noexcept;
  void rollBack() noexcept;
  /// The present stream ends unread; the next one's positions count from `base`.
  [[nodiscard]] Status beginStream(std::uint64_t base) noexcept;
  void fail(std::string_view reason) noexcept;
  void setStatus(StreamState state) noexcept;
  [[nodiscard]] Status checkWritable(std::uint64_t records) const noexcept;
  /// What a call that cannot be met answers: a newer writer is the reason, if there is one.
  [[nodiscard]] Status refusal(Status status) const noexcept { return owner_.mine() ? status : fenced(); }
  /// Memory that is gone is zero, and no writer's fence is.
  [[nodiscard]] Status fenced() const noexcept { return region_.gone() ? Status::kGone : Status::kFenced; }
  [[nodiscard]] bool claimsOpen() const noexcept { return claims_.slots != 0 || claims_.heap; }
  void releaseIfIdle() noexcept;

  /// A record that touches nothing but its slot, on a writer in the middle of nothing.
  [[nodiscard]] bool plainRecord(std::span<const std::byte> slot, std::span<const std::byte> heap) const noexcept {
    return heap_.capacity() == 0 && heap.empty() && !closed_ && !ended_ && !batch_.open && !claimsOpen() &&
           !stall_.active && commit_ - gate_ < capacity_ && writeSeq_ <= commit_ && commit_ < layout::kMaxPosition &&
           slot.size() == header_->geometry.recordStride && words_.abort().loadAcquire() == 0;
  }

  /// Slots are multiples of 4 bytes; small ones are copied faster by words than by a call.
  static void copyWords(std::byte* to, std::span<const std::byte> from) noexcept {
    constexpr std::size_t kInline = 64;
    if (from.size() > kInline) {
      std::memcpy(to, from.data(), from.size());
      return;
    }
    std::size_t at = 0;
    for (; at + 8 <= from.size(); at += 8) std::memcpy(to + at, from.data() + at, 8);
    if (at < from.size()) std::memcpy(to + at, from.data() + at, 4);
  }

  [[nodiscard]] bool slotsFree(std::uint64_t end) noexcept;
  void refreshGate() noexcept;
  [[nodiscard]] Status findHeap(HeapRing::Need need, bool mayPublish, HeapPlace& place) noexcept;
  [[nodiscard]] Status findClaimedHeap(std::uint64_t bytes, std::uint32_t alignment, HeapPlace& place) noexcept;
  [[nodiscard]] std::uint64_t paddingAt(std::uint64_t position, std::uint32_t alignment) const noexcept;
  [[nodiscard]] std::uint64_t handedOverHeapEnd() const noexcept {
    return batch_.pending != 0 ? batch_.heapEnd : heapCommit_;
  }
  [[nodiscard]] std::uint64_t heapBegin(std::uint64_t seq) const noexcept;
  /// First position of the gate at which the heap is free up to `requiredBegin` + capacity.
  [[nodiscard]] std::uint64_t releasingSeq(std::uint64_t requiredBegin) const noexcept;
  [[nodiscard]] Status block(std::uint64_t target) noexcept;
  void stallBegins() noexcept;
  void stallEnds() noexcept;
  [[nodiscard]] bool sleepForSpace() noexcept;

  void announceRun(std::uint64_t endSeq, std::uint64_t heapEnd) noexcept;
  [[nodiscard]] Status publishPending() noexcept;
  void commitTo(std::uint64_t seq, std::uint64_t heapEnd, std::uint64_t payloadBytes) noexcept;

  Region region_;
  std::shared_ptr<const StrandHeader> header_;
  std::shared_ptr<RingMonitor> monitor_;
  StrandWords words_;
  Owner owner_;
  HeapRing heap_;
  std::uint64_t capacity_ = 0;
  std::uint64_t mask_ = 0;

  // This writer's own copies: shared words that only the producer writes are not read again after attaching.
  std::uint64_t base_ = 0;
  std::uint64_t commit_ = 0;
  std::uint64_t heapCommit_ = 0;
  std::uint64_t writeSeq_ = 0;  ///< where it is past commit_
  std::uint64_t heapWrite_ = 0;
  std::uint64_t payloadBytes_ = 0;
  std::uint64_t gate_ = 0;  ///< last seen; the real one may be further

  Batch batch_;
  std::uint64_t publishedInBatch_ = 0;
  Claims claims_;
  Stall stall_;
  wait::Spinner spinner_;
  bool closed_ = true;
  bool ended_ = false;
  RecordImage scratch_;
};

}  // namespace strand
