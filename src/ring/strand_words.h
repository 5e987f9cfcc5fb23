#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "layout/strand_layout.h"
#include "memory/asymmetric_fence.h"
#include "memory/atomic_word.h"
#include "memory/region.h"
#include "ring/strand_header.h"
#include "wait/event_count.h"

namespace strand {

/// The control words of one strand by name. Cheap to copy; the memory must outlive it.
class StrandWords {
 public:
  StrandWords() noexcept = default;
  StrandWords(const Region& region, const Geometry& geometry) noexcept
      : data_(region.data()),
        heapBegin_(region.data() + geometry.heapBeginStart),
        mask_(geometry.indexCapacity - 1),
        file_(region.file()) {}

  /// Null where the strand is memory of this process alone. Whoever may die while it holds something of a file's strand
  /// has a lock there that says it lives.
  [[nodiscard]] SharedFile* file() const noexcept { return file_; }
  [[nodiscard]] bool gone() const noexcept { return file_ != nullptr && file_->gone(); }

  /// lightFence() and heavyFence() where one process has all the threads; full fences between processes.
  void lightFence() const noexcept {
    if (file_ == nullptr) {
      strand::lightFence();
    } else {
      fullFence();
    }
  }
  void heavyFence() const noexcept {
    if (file_ == nullptr) {
      strand::heavyFence();
    } else {
      fullFence();
    }
  }

  [[nodiscard]] Word32 epoch() const noexcept { return w32(layout::kOffsetEpoch); }
  [[nodiscard]] Word64 base() const noexcept { return w64(layout::kOffsetBase); }

  [[nodiscard]] Word64 writeSeq() const noexcept { return w64(layout::kOffsetWriteSeq); }
  [[nodiscard]] Word64 heapWrite() const noexcept { return w64(layout::kOffsetHeapWrite); }
  [[nodiscard]] Word64 windowFloor() const noexcept { return w64(layout::kOffsetWindowFloor); }
  [[nodiscard]] Word64 heapFloor() const noexcept { return w64(layout::kOffsetHeapFloor); }
  [[nodiscard]] Word64 waitTarget() const noexcept { return w64(layout::kOffsetWaitTarget); }
  [[nodiscard]] Word64 payloadBytes() const noexcept { return w64(layout::kOffsetPayloadBytes); }
  [[nodiscard]] Word64 pastRecords() const noexcept { return w64(layout::kOffsetPastRecords); }
  [[nodiscard]] Word64 stalls() const noexcept { return w64(layout::kOffsetStalls); }
  [[nodiscard]] Word64 stallNanos() const noexcept { return w64(layout::kOffsetStallNanos); }

  [[nodiscard]] Word64 commitSeq() const noexcept { return w64(layout::kOffsetCommitSeq); }
  [[nodiscard]] Word64 heapCommit() const noexcept { return w64(layout::kOffsetHeapCommit); }
  [[nodiscard]] Word32 status() const noexcept { return w32(layout::kOffsetStatus); }

  [[nodiscard]] Word64 owner() const noexcept { return w64(layout::kOffsetOwner); }
  [[nodiscard]] Word32 fastOwner() const noexcept { return w32(layout::kOffsetFastOwner); }
  [[nodiscard]] Word32 fastBusy() const noexcept { return w32(layout::kOffsetFastBusy); }
  [[nodiscard]] Word32 resigned() const noexcept { return w32(layout::kOffsetResigned); }
  [[nodiscard]] std::byte* errorReason() const noexcept { return data_ + layout::kOffsetErrorReason; }

  [[nodiscard]] Word64 readCursor() const noexcept { return w64(layout::kOffsetReadCursor); }
  [[nodiscard]] Word64 gate() const noexcept { return w64(layout::kOffsetGate); }
  [[nodiscard]] Word32 active() const noexcept { return w32(layout::kOffsetActive); }
  [[nodiscard]] Word64 consumerWaits() const noexcept { return w64(layout::kOffsetConsumerWaits); }

  [[nodiscard]] Word32 abort() const noexcept { return w32(layout::kOffsetAbort); }
  [[nodiscard]] std::byte* abortReason() const noexcept { return data_ + layout::kOffsetAbortReason; }

  [[nodiscard]] Word64 slotCursor(std::uint32_t slot) const noexcept {
    return w64(slotOffset(slot) + layout::kSlotCursor);
  }
  [[nodiscard]] Word64 slotOwner(std::uint32_t slot) const noexcept {
    return w64(slotOffset(slot) + layout::kSlotOwner);
  }
  [[nodiscard]] Word32 slotGeneration(std::uint32_t slot) const noexcept {
    return w32(slotOffset(slot) + layout::kSlotGeneration);
  }

  /// Records published in all streams, and bytes of their slots and payloads.
  struct Produced {
    std::uint64_t records;
    std::uint64_t bytes;
  };
  [[nodiscard]] Produced produced(std::uint32_t recordStride) const noexcept {
    const std::uint64_t base = this->base().loadAcquire();
    const std::uint64_t commit = commitSeq().loadAcquire();
    const std::uint64_t records = pastRecords().loadRelaxed() + (commit - std::min(base, commit));
    return {records, records * recordStride + payloadBytes().loadRelaxed()};
  }

  /// Where the heap stood before record `seq`. Only for strands with a heap.
  [[nodiscard]] Word64 heapBegin(std::uint64_t seq) const noexcept {
    return {heapBegin_, static_cast<std::size_t>(seq & mask_) * 8};
  }

  /// Consumers wait here for records and for the end.
  [[nodiscard]] wait::EventCount dataEvent() const noexcept { return event(layout::kOffsetDataEvent); }
  /// The producer waits here for room.
  [[nodiscard]] wait::EventCount spaceEvent() const noexcept { return event(layout::kOffsetSpaceEvent); }

 private:
  static constexpr std::uint32_t slotOffset(std::uint32_t slot) noexcept {
    return layout::kOffsetConsumerSlots + slot * layout::kConsumerSlotSize;
  }
  [[nodiscard]] Word64 w64(std::uint32_t offset) const noexcept { return {data_, offset}; }
  [[nodiscard]] Word32 w32(std::uint32_t offset) const noexcept { return {data_, offset}; }
  [[nodiscard]] wait::EventCount event(std::uint32_t offset) const noexcept {
    // An image of another process has nothing to do with our tables: see RingMonitor.
    if (file_ != nullptr) return {w32(offset), w32(offset + 4), wait::Scope::kSystem};
    return {w32(offset), w32(offset + 4), wait::Scope::kProcess, w64(layout::kOffsetImage)};
  }

  std::byte* data_ = nullptr;
  std::byte* heapBegin_ = nullptr;
  std::uint64_t mask_ = 0;
  SharedFile* file_ = nullptr;
};

}  // namespace strand
