#include "ring/strand_writer.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "memory/immortal.h"
#include "memory/little_endian.h"
#include "ring/reason.h"
#include "wait/shutdown.h"

namespace strand {
namespace {

using std::chrono::steady_clock;

/// How long an attaching writer sleeps between looks at a busy owner.
constexpr std::chrono::microseconds kOwnerPoll{100};
/// A producer that found no room sleeps until this part of what is unread is free, so that a consumer
/// which releases records one by one does not wake it for each.
constexpr std::uint64_t kWakeDivisor = 8;
/// A batch larger than the ring goes in steps of this part of it, so that both sides work at once.
constexpr std::uint64_t kStepDivisor = 4;

/// Producers of files' strands that nobody holds any more: their locks tell other processes that this one lives.
struct Detached {
  std::mutex mutex;
  std::vector<std::pair<Region, Owner>> all;
};

void keepUntilExit(const Region& region, const Owner& owner) noexcept {
  static Immortal<Detached> detached;
  const std::lock_guard lock((*detached).mutex);
  // Those that a newer writer has followed are of no interest any more.
  std::erase_if((*detached).all, [](auto& entry) {
    const bool over = !entry.second.mine();
    if (over) entry.second.resign();
    return over;
  });
  (*detached).all.emplace_back(region, owner);
}

/// EPOCH is odd while a reset is under way.
constexpr std::uint32_t nextEven(std::uint32_t epoch) noexcept { return (epoch | 1U) + 1; }

}  // namespace

Status StrandWriter::attach(const Region& region, Nanoseconds patience, StrandWriter& out, Fault& fault) noexcept {
  auto header = std::make_shared<StrandHeader>();
  fault = readHeader(region, *header);
  if (!fault.ok()) return Status::kClosed;
  StrandWriter writer(region, std::move(header));
  const auto deadline = steady_clock::now() + patience;
  while (!writer.owner_.take()) {
    if (steady_clock::now() >= deadline) return Status::kBusy;
    std::this_thread::sleep_for(kOwnerPoll);
  }
  if (const Status status = writer.recover(); status != Status::kOk) return status;
  clearReason(writer.words_.errorReason());
  writer.setStatus(StreamState::kInitializing);
  writer.owner_.release();
  // The older writer may be waiting for room that it has no use for any more.
  writer.words_.spaceEvent().notify();
  if (region.file() != nullptr) writer.monitor_ = RingMonitor::of(region, writer.header_);
  out = std::move(writer);
  return Status::kOk;
}

bool StrandWriter::endDead(const Region& region, const std::shared_ptr<const StrandHeader>& header) noexcept {
  StrandWriter writer(region, header);
  if (!writer.owner_.takeFromDead()) return false;
  if (writer.recover() != Status::kOk) return false;
  const std::uint32_t status = writer.words_.status().loadRelaxed();
  // The dead one may have begun to say why.
  if (status != layout::kStatusError && status != layout::kStatusEos) clearReason(writer.words_.errorReason());
  writer.close("the producer's process ended before finalize()");
  return true;
}

StrandWriter::StrandWriter(const Region& region, std::shared_ptr<const StrandHeader> header) noexcept
    : region_(region),
      header_(std::move(header)),
      words_(region, header_->geometry),
      owner_(words_),
      heap_(header_->geometry.heapCapacity),
      capacity_(header_->geometry.indexCapacity),
      mask_(capacity_ - 1) {}

StrandWriter::StrandWriter(StrandWriter&& other) noexcept { swap(other); }

StrandWriter& StrandWriter::operator=(StrandWriter&& other) noexcept {
  if (this != &other) {
    close();
    StrandWriter fresh;
    swap(fresh);
    swap(other);
  }
  return *this;
}

StrandWriter::~StrandWriter() { close(); }

void StrandWriter::swap(StrandWriter& other) noexcept {
  using std::swap;
  swap(region_, other.region_);
  swap(header_, other.header_);
  swap(monitor_, other.monitor_);
  swap(words_, other.words_);
  swap(owner_, other.owner_);
  swap(heap_, other.heap_);
  swap(capacity_, other.capacity_);
  swap(mask_, other.mask_);
  swap(base_, other.base_);
  swap(commit_, other.commit_);
  swap(heapCommit_, other.heapCommit_);
  swap(writeSeq_, other.writeSeq_);
  swap(heapWrite_, other.heapWrite_);
  swap(payloadBytes_, other.payloadBytes_);
  swap(gate_, other.gate_);
  swap(batch_, other.batch_);
  swap(publishedInBatch_, other.publishedInBatch_);
  swap(claims_, other.claims_);
  swap(stall_, other.stall_);
  swap(spinner_, other.spinner_);
  swap(closed_, other.closed_);
  swap(ended_, other.ended_);
  swap(scratch_, other.scratch_);
}

/// Of a writer that has just taken over: it is open from here on.
Status StrandWriter::recover() noexcept {
  base_ = words_.base().loadAcquire();
  commit_ = words_.commitSeq().loadAcquire();
  heapCommit_ = words_.heapCommit().loadAcquire();
  writeSeq_ = words_.writeSeq().loadAcquire();
  heapWrite_ = words_.heapWrite().loadAcquire();
  payloadBytes_ = words_.payloadBytes().loadRelaxed();
  // Not the base: slots and HEAP_BEGIN tell only of the last index_capacity records.
  refreshGate();
  rollBack();
  const std::uint32_t epoch = words_.epoch().loadAcquire();
  if ((epoch & 1U) != 0) {
    if (words_.file() == nullptr) {
      // No thread dies in a reset: somebody has damaged the word.
      words_.epoch().storeRelease(nextEven(epoch));
    } else if (const Status status = finishReset(); status != Status::kOk) {
      owner_.abandon();
      return status;
    }
  }
  closed_ = false;
  return Status::kOk;
}

Status StrandWriter::finishReset() noexcept {
  // A process died in the midst of a reset: any of its stores may be missing, and all of them come again.
  base_ = std::min(base_, commit_);
  return beginStream(layout::alignUp(std::max({words_.base().loadAcquire(), writeSeq_, commit_}), capacity_));
}

void StrandWriter::rollBack() noexcept {
  // The floors go up before the positions come down: whoever reads behind the gate sees one or the other.
  if (writeSeq_ > capacity_) words_.windowFloor().raiseTo(std::min(writeSeq_, commit_ + capacity_) - capacity_);
  // No higher than what the next record begins at, which a restarted heap's lap is.
  if (heapWrite_ > heap_.capacity()) {
    words_.heapFloor().raiseTo(std::min(heapWrite_ - heap_.capacity(), heapCommit_));
  }
  writeSeq_ = commit_;
  heapWrite_ = heapCommit_;
  words_.writeSeq().storeRelease(writeSeq_);
  words_.heapWrite().storeRelease(heapWrite_);
  batch_ = {};
  claims_ = {};
}

void StrandWriter::setStatus(StreamState state) noexcept {
  words_.status().storeRelease(static_cast<std::uint32_t>(state));
  words_.dataEvent().notify();
}

Status StrandWriter::state() const noexcept {
  if (closed_) return Status::kClosed;
  if (!owner_.mine()) return fenced();
  if (ended_) return Status::kEnded;
  return words_.abort().loadAcquire() != 0 ? Status::kAborted : Status::kOk;
}

Status StrandWriter::checkWritable(std::uint64_t records) const noexcept {
  if (closed_) return Status::kClosed;
  if (ended_) return owner_.mine() ? Status::kEnded : fenced();
  if (words_.abort().loadAcquire() != 0) return owner_.mine() ? Status::kAborted : fenced();
  if (records > layout::kMaxPosition - (commit_ + claims_.slots)) return Status::kPositionLimit;
  // A record takes at most a lap, and a lap that it skips.
  if (heapWrite_ > layout::kMaxPosition - 2 * heap_.capacity()) return Status::kPositionLimit;
  return Status::kOk;
}

// --- stream ---------------------------------------------------------------------------------------------

Status StrandWriter::begin() noexcept {
  if (closed_) return Status::kClosed;
  if (!owner_.hold()) return fenced();
  const bool ended = ended_;
  if (!ended) setStatus(StreamState::kStreaming);
  if (!batch_.open) releaseIfIdle();
  return ended ? Status::kEnded : Status::kOk;
}

Status StrandWriter::finalize() noexcept {
  if (closed_) return Status::kClosed;
  if (batch_.open) return Status::kBatchOpen;
  if (claimsOpen()) return Status::kClaimsOpen;
  if (!owner_.hold()) return fenced();
  ended_ = true;
  if (words_.status().loadRelaxed() != layout::kStatusError) {
    // Who wrote after an abort has written less than it wanted: the other consumers must not take that for all.
    if (words_.abort().loadAcquire() != 0) {
      fail(readReason(words_.abortReason()));
    } else {
      setStatus(StreamState::kEos);
    }
  }
  owner_.release();
  return Status::kOk;
}

Status StrandWriter::abort(std::string_view reason) noexcept {
  if (closed_) return Status::kClosed;
  if (!owner_.hold()) return fenced();
  rollBack();
  fail(reason);
  if (stall_.active) stallEnds();
  owner_.release();
  return Status::kOk;
}

void StrandWriter::fail(std::string_view reason) noexcept {
  ended_ = true;
  writeReason(words_.errorReason(), reason);
  setStatus(StreamState::kError);
}

Status StrandWriter::reset() noexcept {
  if (closed_) return Status::kClosed;
  if (!owner_.hold()) return fenced();
  const std::uint64_t base = layout::alignUp(std::max(writeSeq_, commit_), capacity_);
  if (base > layout::kMaxPosition - capacity_) {
    releaseIfIdle();
    return Status::kPositionLimit;
  }
  const Status begun = beginStream(base);
  if (stall_.active) stallEnds();
  owner_.release();
  words_.dataEvent().notify();
  words_.spaceEvent().notify();
  return begun;
}

Status StrandWriter::beginStream(std::uint64_t base) noexcept {
  return ConsumerSlots(words_).clear([&](const auto& voidSlots) {
    const std::uint32_t epoch = words_.epoch().loadRelaxed();
    // Odd while the words below do not belong together; a reader of COMMIT_SEQ that sees the new base sees
    // the new epoch too.
    words_.epoch().storeRelease(epoch | 1U);
    // Behind the epoch, so that whoever finds its token void finds out why.
    voidSlots();
    rollBack();
    if (heap_.capacity() != 0)
      heapCommit_ = heap_.restart(std::max(heapWrite_, words_.heapFloor().loadRelaxed() + heap_.capacity()));
    const std::uint64_t pastCommit = std::exchange(commit_, base);
    words_.pastRecords().storeRelaxed(words_.pastRecords().loadRelaxed() + pastCommit - base_);
    base_ = base;
    gate_ = base;
    words_.base().storeRelease(base);
    words_.readCursor().raiseTo(base);
    words_.gate().raiseTo(base);
    words_.heapCommit().storeRelease(heapCommit_);
    words_.commitSeq().storeRelease(base);
    words_.waitTarget().storeRelease(0);
    words_.status().storeRelease(layout::kStatusInitializing);
    clearReason(words_.errorReason());
    clearReason(words_.abortReason());
    words_.abort().storeRelease(0);
    ended_ = false;
    rollBack();
    words_.epoch().storeRelease(nextEven(epoch));
  });
}

void StrandWriter::close(std::string_view reason) noexcept {
  if (closed_) return;
  closed_ = true;
  if (owner_.hold()) {
    rollBack();
    const std::uint32_t status = words_.status().loadRelaxed();
    if (status == layout::kStatusInitializing || status == layout::kStatusStreaming) fail(reason);
  }
  owner_.resign();
  monitor_.reset();
}

void StrandWriter::detach() noexcept {
  if (closed_) return;
  closed_ = true;
  const bool held = owner_.hold();
  if (held) rollBack();
  const std::uint32_t status = words_.status().loadRelaxed();
  if (held && region_.file() != nullptr && status != layout::kStatusEos && status != layout::kStatusError) {
    owner_.release();
    keepUntilExit(region_, owner_);
  } else {
    owner_.resign();
  }
  monitor_.reset();
}

// --- room -----------------------------------------------------------------------------------------------

std::uint64_t StrandWriter::heapBegin(std::uint64_t seq) const noexcept {
  const std::uint64_t end = batch_.pending != 0 ? batch_.heapBegin : heapCommit_;
  // A word that somebody else has damaged must not lead past what this writer has placed.
  return seq >= commit_ ? end : std::min(words_.heapBegin(seq).loadRelaxed(), end);
}

bool StrandWriter::slotsFree(std::uint64_t end) noexcept {
  if (end - gate_ <= capacity_) return true;
  refreshGate();
  return end - gate_ <= capacity_;
}

void StrandWriter::refreshGate() noexcept { gate_ = std::min(Gate(words_).refresh(), commit_); }

Status StrandWriter::findHeap(HeapRing::Need need, bool mayPublish, HeapPlace& place) noexcept {
  if (need.atStart > heap_.capacity()) return Status::kHeapTooSmall;
  for (bool fresh = false;; fresh = true) {
    const std::uint64_t begin = handedOverHeapEnd();
    if (const auto found = heap_.find(begin, heapBegin(gate_) + heap_.capacity(), need)) {
      place = {begin, found->position, found->bytes};
      return Status::kOk;
    }
    if (gate_ >= commit_ && batch_.pending == 0) {
      // Nothing is unread or handed over: the heap restarts at its first byte, from where all fits that can.
      // Only then, since it leaves up to a lap unused, and takes what was released out of readers' reach.
      const std::uint64_t lap = heap_.restart(begin);
      place = {lap, lap, heap_.capacity()};
      return Status::kOk;
    }
    if (fresh) break;
    refreshGate();
  }
  const std::uint64_t requiredEnd = heap_.requiredEnd(handedOverHeapEnd(), need);
  if (mayPublish && batch_.pending != 0 && requiredEnd > batch_.heapBegin + heap_.capacity()) {
    // Waiting unpublished would be for ever: the batch's own bytes are in the way.
    if (const Status status = publishPending(); status != Status::kOk) return status;
  }
  return block(releasingSeq(requiredEnd - std::min(requiredEnd, heap_.capacity())));
}

std::uint64_t StrandWriter::releasingSeq(std::uint64_t requiredBegin) const noexcept {
  // Where even everything committed gives too little, the heap restarts once all of it is released.
  std::uint64_t low = gate_;
  std::uint64_t high = commit_;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (heapBegin(middle) >= requiredBegin) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

Status StrandWriter::block(std::uint64_t target) noexcept {
  if (!owner_.mine()) return fenced();
  releaseIfIdle();
  stall_.need = target;
  return Status::kWouldBlock;
}

void StrandWriter::releaseIfIdle() noexcept {
  if (!claimsOpen()) owner_.release();
}

bool StrandWriter::hasSpace() const noexcept {
  return closed_ || ended_ || Gate(words_).slowest() >= stall_.need || words_.abort().loadAcquire() != 0 ||
         !owner_.mine();
}

void StrandWriter::stallBegins() noexcept {
  if (stall_.active) return;
  stall_.active = true;
  stall_.start = steady_clock::now();
  words_.stalls().storeRelaxed(words_.stalls().loadRelaxed() + 1);
}

void StrandWriter::stallEnds() noexcept {
  stall_.active = false;
  const Nanoseconds total = steady_clock::now() - stall_.start;
  if (std::exchange(stall_.asleep, false)) spinner_.slept(total);
  const auto nanos = total.count();
  words_.stallNanos().storeRelaxed(words_.stallNanos().loadRelaxed() + static_cast<std::uint64_t>(nanos));
}

bool StrandWriter::awaitSpace(Nanoseconds timeout) noexcept {
  stallBegins();
  // The larger target only delays: after the time, what is really needed counts.
  // A part of what is unread, not of the ring: where the heap is full the ring may be nearly empty.
  const std::uint64_t part = (commit_ - gate_) / kWakeDivisor;
  const std::uint64_t target = std::max(stall_.need, std::min(commit_, stall_.need + part));
  words_.waitTarget().storeRelaxed(target);
  const auto enough = [&] {
    return Gate(words_).slowest() >= target || words_.abort().loadAcquire() != 0 || !owner_.mine();
  };
  return words_.spaceEvent().await(enough, timeout, spinner_) || hasSpace();
}

bool StrandWriter::spinForSpace() noexcept {
  stallBegins();
  return spinner_.spin([&] { return hasSpace(); });
}

void StrandWriter::announceWait() noexcept {
  stallBegins();
  stall_.asleep = true;
  words_.waitTarget().storeRelaxed(stall_.need);
  announceAsync(words_.spaceEvent(), monitor_.get());
}

void StrandWriter::announceWatch() noexcept {
  // No position is as high.
  words_.waitTarget().storeRelaxed(layout::kConsumerSlotVacant);
  announceAsync(words_.spaceEvent(), monitor_.get());
  // Stored over the target of a newer writer, perhaps, whom room would then not wake: it looks again.
  if (!owner_.mine()) words_.spaceEvent().notify();
}

// --- publishing -----------------------------------------------------------------------------------------

void StrandWriter::announceRun(std::uint64_t endSeq, std::uint64_t heapEnd) noexcept {
  if (endSeq > writeSeq_) {
    writeSeq_ = endSeq;
    words_.writeSeq().storeRelaxed(endSeq);
  }
  if (heapEnd > heapWrite_) {
    heapWrite_ = heapEnd;
    words_.heapWrite().storeRelaxed(heapEnd);
  }
  // Pairs with the acquire fence of readers behind the gate: who sees a byte of the filling sees these words.
  releaseFence();
  if (stall_.active) stallEnds();
}

void StrandWriter::commitTo(std::uint64_t seq, std::uint64_t heapEnd, std::uint64_t payloadBytes) noexcept {
  commit_ = seq;
  // Every store here may have to wait for a line that the consumer is looking at: only what has changed.
  if (payloadBytes != 0) {
    payloadBytes_ += payloadBytes;
    words_.payloadBytes().storeRelaxed(payloadBytes_);
  }
  if (heapEnd != heapCommit_) {
    heapCommit_ = heapEnd;
    words_.heapCommit().storeRelaxed(heapEnd);
  }
  words_.commitSeq().storeRelease(seq);
}

Status StrandWriter::publishPieces(std::span<const std::byte> slot, std::span<const std::span<const std::byte>> pieces,
                                   std::uint32_t alignment) noexcept {
  std::uint64_t heapBytes = 0;
  for (const std::span<const std::byte> piece : pieces) heapBytes += piece.size();
  if (const Status status = checkWritable(1); status != Status::kOk) return status;
  if (batch_.open) return Status::kBatchOpen;
  if (claimsOpen()) return Status::kClaimsOpen;
  if (!slotsFree(commit_ + 1)) return block(commit_ + 1 - capacity_);

  HeapPlace place{heapCommit_, heapCommit_, 0};
  std::uint64_t offset = 0;
  if (heapBytes != 0) {
    const HeapRing::Need need{heapBytes + alignment - 1, heapBytes};
    if (const Status status = findHeap(need, false, place); status != Status::kOk) return status;
    offset = layout::alignUp(heap_.offset(place.position), alignment);
    place.position += offset - heap_.offset(place.position) + heapBytes;
  }
  if (!owner_.hold()) return fenced();
  announceRun(commit_ + 1, place.position);
  std::byte* const at = region_.data() + slotOffset(commit_ - base_);
  std::memcpy(at, slot.data(), header_->geometry.recordStride);
  if (heapBytes != 0) {
    std::byte* to = region_.data() + header_->geometry.heapStart + offset;
    for (const std::span<const std::byte> piece : pieces) {
      if (!piece.empty()) std::memcpy(to, piece.data(), piece.size());
      to += piece.size();
    }
    relocatePointers(header_->schema.heapPointers(), at, static_cast<std::uint32_t>(offset));
  }
  if (heap_.capacity() != 0) words_.heapBegin(commit_).storeRelaxed(place.begin);
  commitTo(commit_ + 1, place.position, heapBytes);
  owner_.release();
  words_.dataEvent().notify();
  return Status::kOk;
}

// --- batches --------------------------------------------------------------------------------------------

Status StrandWriter::reserve(const BatchNeed& need, Run& run) noexcept {
  if (const Status status = checkWritable(batch_.pending + need.remaining); status != Status::kOk) return status;
  if (claimsOpen()) return Status::kClaimsOpen;
  if (!batch_.open) {
    batch_ = {.open = true, .stepwise = !need.partial && need.remaining > capacity_};
    publishedInBatch_ = 0;
  }
  if (batch_.stepwise) {
    if (const Status status = publishPending(); status != Status::kOk) return status;
  }

  const std::uint64_t next = commit_ + batch_.pending;
  const std::uint64_t required = batch_.stepwise || need.partial ? 1 : need.remaining;
  if (!slotsFree(next + required)) return block(next + required - capacity_);
  std::uint64_t slots = std::min({need.remaining, gate_ + capacity_ - next, capacity_ - (next & mask_)});
  if (batch_.stepwise) slots = std::min(slots, std::max<std::uint64_t>(1, capacity_ / kStepDivisor));

  HeapPlace place;
  if (heap_.capacity() != 0) {
    if (const Status status = findHeap(need.heap, !need.partial, place); status != Status::kOk) return status;
    place.bytes = std::min(place.bytes, std::max({need.heap.anywhere, need.heap.atStart, need.heapHint}));
  }
  if (!owner_.hold()) return fenced();
  // findHeap may have published what was handed over; `next` is still the next record.
  announceRun(next + slots, place.position + place.bytes);
  batch_.run = place;
  batch_.runSlots = static_cast<std::uint32_t>(slots);
  run.firstSeq = next - base_;
  run.slotOffset = slotOffset(run.firstSeq);
  run.slotCount = batch_.runSlots;
  run.heapOffset = heap_.capacity() == 0 ? 0 : header_->geometry.heapStart + heap_.offset(place.position);
  run.heapBytes = place.bytes;
  return Status::kOk;
}

void StrandWriter::advance(std::span<const std::uint32_t> ends) noexcept {
  if (heap_.capacity() == 0) return advance(static_cast<std::uint32_t>(ends.size()));
  const std::size_t count = std::min<std::size_t>(ends.size(), batch_.runSlots);
  if (count == 0) return;
  const std::uint64_t first = commit_ + batch_.pending;
  std::uint64_t begin = batch_.run.begin;
  if (batch_.pending == 0) batch_.heapBegin = begin;
  for (std::size_t i = 0; i < count; ++i) {
    words_.heapBegin(first + i).storeRelaxed(begin);
    begin = batch_.run.position + std::min<std::uint64_t>(ends[i], batch_.run.bytes);
  }
  batch_.heapEnd = begin;
  batch_.payloadBytes += begin - batch_.run.position;
  batch_.pending += count;
  batch_.runSlots = 0;
}

void StrandWriter::advance(std::uint32_t records) noexcept {
  const std::uint64_t count = std::min<std::uint64_t>(records, batch_.runSlots);
  if (count == 0) return;
  const std::uint64_t heap = handedOverHeapEnd();
  if (batch_.pending == 0) batch_.heapBegin = heap;
  if (heap_.capacity() != 0) {
    for (std::uint64_t i = 0; i < count; ++i) words_.heapBegin(commit_ + batch_.pending + i).storeRelaxed(heap);
  }
  batch_.heapEnd = heap;
  batch_.pending += count;
  batch_.runSlots = 0;
}

Status StrandWriter::publishPending() noexcept {
  if (batch_.pending == 0) return Status::kOk;
  // Not busy while it waited for room: a newer writer may have come.
  if (!owner_.hold()) return fenced();
  const std::uint64_t count = std::exchange(batch_.pending, 0);
  publishedInBatch_ += count;
  commitTo(commit_ + count, batch_.heapEnd, std::exchange(batch_.payloadBytes, 0));
  words_.dataEvent().notify();
  return Status::kOk;
}

Status StrandWriter::publish() noexcept {
  if (closed_) return Status::kClosed;
  if (!batch_.open) return Status::kOk;
  const Status status = publishPending();
  batch_ = {};
  owner_.release();
  return status;
}

void StrandWriter::abandon() noexcept {
  if (!batch_.open) return;
  if (closed_ || !owner_.hold()) {
    batch_ = {};
    return;
  }
  rollBack();
  if (stall_.active) stallEnds();
  owner_.release();
}

// --- looks ----------------------------------------------------------------------------------------------

std::string StrandWriter::abortReason() const noexcept { return readReason(words_.abortReason()); }

WriterStats StrandWriter::stats() const noexcept {
  const auto [records, bytes] = words_.produced(header_->geometry.recordStride);
  return {records,
          bytes,
          words_.stalls().loadRelaxed(),
          words_.stallNanos().loadRelaxed(),
          commit_ - std::min(commit_, Gate(words_).slowest()),
          words_.consumerWaits().loadRelaxed()};
}

}  // namespace strand
