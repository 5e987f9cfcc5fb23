#include <cstring>
#include <utility>
#include <vector>

#include "ring/strand_writer.h"
#include "wait/shutdown.h"

namespace strand {

bool StrandWriter::sleepForSpace() noexcept {
  (void)awaitSpace(wait::kShutdownSlice);
  return !wait::shuttingDown();
}

Status StrandWriter::write(std::span<const Value> row, EncodeFault& fault) noexcept {
  if (closed_) return Status::kClosed;
  const Geometry& geometry = header_->geometry;
  fault = encodeRecord(schema(), row, {geometry.heapStart, geometry.heapCapacity}, scratch_);
  if (fault.error != EncodeError::kNone) return Status::kBadField;
  for (;;) {
    const Status status = publishRecord(scratch_.slot, scratch_.heap, scratch_.alignment);
    if (status != Status::kWouldBlock) return status;
    if (!sleepForSpace()) return Status::kClosed;
  }
}

Status StrandWriter::writeBatch(std::span<const Value> rows, std::uint64_t& written, EncodeFault& fault) noexcept {
  written = 0;
  fault = {};
  if (closed_) return Status::kClosed;
  if (batch_.open) return Status::kBatchOpen;
  const std::size_t width = schema().fields().size();
  const std::size_t count = rows.size() / width;
  if (count == 0) return state();
  const Geometry& geometry = header_->geometry;
  Run run;
  std::vector<std::uint32_t> ends;
  std::size_t handedOver = 0;
  const auto nextRun = [&](HeapRing::Need need) {
    advance(ends);
    handedOver += std::exchange(ends, {}).size();
    for (;;) {
      const Status status = reserve({count - handedOver, need, geometry.heapCapacity}, run);
      written = publishedInBatch_;
      if (status != Status::kWouldBlock) return status;
      if (!sleepForSpace()) return Status::kClosed;
    }
  };
  const auto giveUp = [&](Status status) {
    if (status != Status::kBatchOpen && status != Status::kClaimsOpen) abandon();
    return status;
  };
  for (std::size_t i = 0; i < count; ++i) {
    fault =
        encodeRecord(schema(), rows.subspan(i * width, width), {geometry.heapStart, geometry.heapCapacity}, scratch_);
    if (fault.error != EncodeError::kNone) {
      fault.record = i;
      return giveUp(Status::kBadField);
    }
    const std::uint64_t size = scratch_.heap.size();
    const HeapRing::Need need{size == 0 ? 0 : size + scratch_.alignment - 1, size};
    const auto offsetInHeap = [&] { return run.heapOffset - geometry.heapStart + (ends.empty() ? 0 : ends.back()); };
    const auto fits = [&] {
      return ends.size() < run.slotCount && (size == 0 || layout::alignUp(offsetInHeap(), scratch_.alignment) + size <=
                                                              run.heapOffset - geometry.heapStart + run.heapBytes);
    };
    if (!fits()) {
      if (const Status status = nextRun(need); status != Status::kOk) return giveUp(status);
    }
    std::byte* const slot = data() + run.slotOffset + ends.size() * geometry.recordStride;
    std::memcpy(slot, scratch_.slot.data(), scratch_.slot.size());
    std::uint64_t end = ends.empty() ? 0 : ends.back();
    if (size != 0) {
      const std::uint64_t offset = layout::alignUp(offsetInHeap(), scratch_.alignment);
      std::memcpy(data() + geometry.heapStart + offset, scratch_.heap.data(), size);
      relocatePointers(schema().heapPointers(), slot, static_cast<std::uint32_t>(offset));
      end = geometry.heapStart + offset + size - run.heapOffset;
    }
    ends.push_back(static_cast<std::uint32_t>(end));
  }
  advance(ends);
  const Status status = publish();
  written = publishedInBatch_;
  return status;
}

}  // namespace strand
