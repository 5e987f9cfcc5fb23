#include <algorithm>
#include <utility>

#include "ring/strand_writer.h"

namespace strand {

Status StrandWriter::claimSlots(std::uint32_t count, std::uint64_t& firstSeq) noexcept {
  if (const Status status = checkWritable(count); status != Status::kOk) return status;
  if (batch_.open) return Status::kBatchOpen;
  if (count == 0) return Status::kOutOfOrder;
  if (claims_.slots + count > capacity_) return refusal(Status::kUnsatisfiable);
  const std::uint64_t first = commit_ + claims_.slots;
  const std::uint64_t end = first + count;
  if (!slotsFree(end)) return block(end - capacity_);
  if (!owner_.hold()) return fenced();
  announceRun(end, heapWrite_);
  firstSeq = first - base_;
  for (std::uint64_t seq = firstSeq; seq < firstSeq + count; ++seq) {
    std::fill_n(region_.data() + slotOffset(seq), header_->schema.bitmapBytes(), std::byte{0});
  }
  claims_.slots += count;
  return Status::kOk;
}

Status StrandWriter::commitSlots(std::uint64_t fromSeq, std::uint32_t count) noexcept {
  if (closed_) return Status::kClosed;
  if (!owner_.mine()) return fenced();
  if (count == 0 || fromSeq != commit_ - base_ || count > claims_.slots) return Status::kOutOfOrder;
  const std::uint64_t heapEnd = claims_.heap ? claims_.heapEnd : heapCommit_;
  if (heap_.capacity() != 0) {
    // All heap claimed so far belongs to the first slot committed after it.
    words_.heapBegin(commit_).storeRelaxed(claims_.heap ? claims_.heapBegin : heapCommit_);
    for (std::uint64_t i = 1; i < count; ++i) words_.heapBegin(commit_ + i).storeRelaxed(heapEnd);
  }
  claims_.heap = false;
  claims_.slots -= count;
  claims_.heapCommittedLate = std::exchange(claims_.heapUnchecked, false);
  commitTo(commit_ + count, heapEnd, std::exchange(claims_.payloadBytes, 0));
  releaseIfIdle();
  words_.dataEvent().notify();
  return Status::kOk;
}

Status StrandWriter::findClaimedHeap(std::uint64_t bytes, std::uint32_t alignment, HeapPlace& place) noexcept {
  const auto padded = [&](std::uint64_t position) { return paddingAt(position, alignment) + bytes; };
  if (bytes > heap_.capacity() || padded(0) > heap_.capacity()) return Status::kHeapTooSmall;
  for (bool fresh = false;; fresh = true) {
    const std::uint64_t begin = claims_.heap ? claims_.heapEnd : heapCommit_;
    const HeapRing::Need need{padded(begin), padded(0)};
    const std::uint64_t held = claims_.heap && gate_ >= commit_ ? claims_.heapBegin : heapBegin(gate_);
    if (const auto found = heap_.find(begin, held + heap_.capacity(), need)) {
      place = {begin, found->position, padded(found->position)};
      return Status::kOk;
    }
    if (!claims_.heap && gate_ >= commit_) {
      // As in findHeap: nothing is in the way.
      const std::uint64_t lap = heap_.restart(begin);
      place = {lap, lap, padded(lap)};
      return Status::kOk;
    }
    const std::uint64_t requiredEnd = heap_.requiredEnd(begin, need);
    if (claims_.heap && requiredEnd > claims_.heapBegin + heap_.capacity()) return Status::kHeapTooSmall;
    if (fresh) return block(releasingSeq(requiredEnd - std::min(requiredEnd, heap_.capacity())));
    refreshGate();
  }
}

std::uint64_t StrandWriter::paddingAt(std::uint64_t position, std::uint32_t alignment) const noexcept {
  const std::uint64_t address = header_->geometry.heapStart + heap_.offset(position);
  return layout::alignUp(address, alignment) - address;
}

Status StrandWriter::claimHeap(std::uint64_t bytes, std::uint32_t alignment, std::uint64_t& offset) noexcept {
  if (const Status status = checkWritable(0); status != Status::kOk) return status;
  if (batch_.open) return Status::kBatchOpen;
  if (heap_.capacity() == 0) return refusal(Status::kHeapTooSmall);
  HeapPlace place;
  if (const Status status = findClaimedHeap(bytes, alignment, place); status != Status::kOk) return refusal(status);
  if (!owner_.hold()) return fenced();
  const std::uint64_t end = place.position + place.bytes;
  announceRun(writeSeq_, end);
  if (!claims_.heap) claims_.heapBegin = place.begin;
  claims_.heap = true;
  claims_.heapEnd = end;
  claims_.payloadBytes += bytes;
  claims_.heapUnchecked = true;
  offset = heap_.offset(place.position) + paddingAt(place.position, alignment);
  return Status::kOk;
}

Status StrandWriter::commitHeap() noexcept {
  if (closed_) return Status::kClosed;
  if (!owner_.mine()) return fenced();
  claims_.heapUnchecked = false;
  return std::exchange(claims_.heapCommittedLate, false) ? Status::kOutOfOrder : Status::kOk;
}

}  // namespace strand
