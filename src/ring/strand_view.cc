#include "ring/strand_view.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "record/decode.h"
#include "ring/reason.h"
#include "ring/search_key.h"
#include "wait/shutdown.h"

namespace strand {

Status StrandView::attach(const Region& region, StrandView& out, Fault& fault) noexcept {
  auto header = std::make_shared<StrandHeader>();
  fault = readHeader(region, *header);
  if (!fault.ok()) return Status::kClosed;
  StrandView view;
  view.region_ = region;
  view.words_ = StrandWords(region, header->geometry);
  view.header_ = std::move(header);
  if (region.file() != nullptr) view.monitor_ = RingMonitor::of(region, view.header_);
  view.closed_ = false;
  view.enter();
  out = std::move(view);
  return Status::kOk;
}

StrandView::StrandView(StrandView&& other) noexcept { swap(other); }

StrandView& StrandView::operator=(StrandView&& other) noexcept {
  if (this != &other) {
    close();
    StrandView fresh;
    swap(fresh);
    swap(other);
  }
  return *this;
}

StrandView::~StrandView() { close(); }

void StrandView::swap(StrandView& other) noexcept {
  using std::swap;
  swap(region_, other.region_);
  swap(header_, other.header_);
  swap(monitor_, other.monitor_);
  swap(words_, other.words_);
  swap(epoch_, other.epoch_);
  swap(base_, other.base_);
  swap(acknowledged_, other.acknowledged_);
  swap(seen_, other.seen_);
  swap(delivered_, other.delivered_);
  swap(closed_, other.closed_);
  swap(tokens_, other.tokens_);
  swap(spinner_, other.spinner_);
  swap(asleepSince_, other.asleepSince_);
}

void StrandView::close() noexcept {
  if (closed_) return;
  closed_ = true;
  for (const ConsumerToken token : tokens_) {
    (void)ConsumerSlots(words_).remove(token, true);
    ConsumerSlots(words_).forget(token);
  }
  tokens_.clear();
  released();
  monitor_.reset();
}

void StrandView::enter() noexcept {
  const auto deadline = std::chrono::steady_clock::now() + kResetPatience;
  for (;;) {
    const std::uint32_t epoch = words_.epoch().loadAcquire();
    if ((epoch & 1U) == 0) {
      const std::uint64_t base = words_.base().loadAcquire();
      if (words_.epoch().loadAcquire() == epoch) {
        // There is none to enter; what the words show then is nothing.
        if (region_.gone()) return;
        if (epoch == epoch_ && base == base_) return;
        epoch_ = epoch;
        base_ = base;
        break;
      }
    }
    if (std::chrono::steady_clock::now() >= deadline) break;
    std::this_thread::yield();
  }
  acknowledged_ = 0;
  seen_ = 0;
  delivered_ = 0;
  for (const ConsumerToken token : tokens_) ConsumerSlots(words_).forget(token);
  tokens_.clear();
}

WaitResult StrandView::check(std::uint64_t after) noexcept {
  if (closed_) return {Progress::kClosed, 0};
  // STATUS before COMMIT_SEQ: an end seen here makes the count loaded behind it the final one.
  const std::uint32_t status = words_.status().loadAcquire();
  const std::uint64_t committed = committedHere();
  // The epoch moves before COMMIT_SEQ does in a reset, so this look covers both loads.
  if (wasReset()) return {region_.gone() ? Progress::kGone : Progress::kReset, 0};
  seen_ = committed;
  const bool over = status == layout::kStatusEos || status == layout::kStatusError;
  if (!over && committed <= after) return {Progress::kPending, committed};
  if (asleepSince_) spinner_.slept(std::chrono::steady_clock::now() - *std::exchange(asleepSince_, std::nullopt));
  if (!over) return {Progress::kReady, committed};
  delivered_ = committed;
  return {Progress::kEnded, committed};
}

WaitResult StrandView::spin(std::uint64_t after) noexcept {
  WaitResult result = check(after);
  if (result.progress != Progress::kPending) return result;
  const auto start = std::chrono::steady_clock::now();
  const auto done = [&] {
    result = check(after);
    return result.progress != Progress::kPending;
  };
  if (spinner_.spin(done)) {
    countWait();
  } else {
    asleepSince_ = start;
  }
  return result;
}

WaitResult StrandView::wait(std::uint64_t after, Nanoseconds timeout, bool counted) noexcept {
  if (after == 0) enter();
  WaitResult result = check(after);
  if (result.progress != Progress::kPending || timeout <= Nanoseconds::zero()) return result;
  if (!counted) countWait();
  const auto done = [&] {
    result = check(after);
    return result.progress != Progress::kPending;
  };
  const auto start = std::chrono::steady_clock::now();
  for (;;) {
    const Nanoseconds waited = std::chrono::steady_clock::now() - start;
    const Nanoseconds rest = timeout == wait::kForever ? timeout : timeout - waited;
    if (words_.dataEvent().await(done, std::min<Nanoseconds>(rest, wait::kShutdownSlice), spinner_)) return result;
    if (rest <= wait::kShutdownSlice || wait::shuttingDown()) return result;
  }
}

void StrandView::countWait() noexcept { words_.consumerWaits().fetchAddRelaxed(1); }

void StrandView::announceWait() noexcept { announceAsync(words_.dataEvent(), monitor_.get()); }

void StrandView::released() const noexcept {
  // The producer names the position that it waits for; releasing less is no reason to wake it.
  words_.spaceEvent().notifyIf([&] { return Gate(words_).slowest() >= words_.waitTarget().loadAcquire(); });
}

Status StrandView::acknowledge(std::uint64_t upTo) noexcept {
  if (closed_) return Status::kClosed;
  if (wasReset()) return lost();
  if (ConsumerSlots(words_).any()) return refusal(Status::kTokenRequired);
  if (upTo > seen_ && upTo > committedHere()) return Status::kPastCommitted;
  if (upTo < acknowledged_) return Status::kBehind;
  acknowledged_ = upTo;
  words_.readCursor().raiseTo(base_ + upTo);
  released();
  return Status::kOk;
}

Status StrandView::acknowledge(std::uint64_t upTo, ConsumerToken token) noexcept {
  if (closed_) return Status::kClosed;
  if (wasReset()) return lost();
  const ConsumerSlots slots(words_);
  if (!slots.live(token)) return refusal(Status::kBadToken);
  if (upTo > seen_ && upTo > committedHere()) return Status::kPastCommitted;
  if (base_ + upTo < slots.cursor(token).loadAcquire()) return refusal(Status::kBehind);
  // Not acknowledged_: once no token is left, the view may release from the last one's position on.
  delivered_ = std::max(delivered_, upTo);
  slots.advance(token, base_ + upTo);
  released();
  return Status::kOk;
}

Status StrandView::registerConsumer(StartAt start, std::uint64_t seq, ConsumerToken& token) noexcept {
  if (closed_) return Status::kClosed;
  const ConsumerSlots slots(words_);
  if (const Status status = slots.add(epoch_, token); status != Status::kOk) return status;
  tokens_.push_back(token);
  if (start == StartAt::kOldest) return Status::kOk;
  const std::uint64_t wanted = start == StartAt::kLatest ? committed() : seq;
  const Status status = acknowledge(wanted, token);
  if (status != Status::kOk) (void)releaseConsumer(token);
  return status;
}

Status StrandView::releaseConsumer(ConsumerToken token) noexcept {
  if (closed_) return Status::kClosed;
  const bool own = std::erase(tokens_, token) != 0;
  const Status status = ConsumerSlots(words_).remove(token);
  if (own || status == Status::kOk) ConsumerSlots(words_).forget(token);
  if (status == Status::kOk) released();
  return status == Status::kBadToken ? refusal(status) : status;
}

std::uint64_t StrandView::committedHere() const noexcept {
  const std::uint64_t commit = words_.commitSeq().loadAcquire();
  return commit - std::min(base_, commit);
}

std::uint64_t StrandView::committed() const noexcept {
  const std::uint64_t base = words_.base().loadAcquire();
  const std::uint64_t commit = words_.commitSeq().loadAcquire();
  return commit - std::min(base, commit);
}

std::uint64_t StrandView::effectiveReadCursor() const noexcept {
  const std::uint64_t base = words_.base().loadAcquire();
  const std::uint64_t slowest = Gate(words_).slowest();
  return slowest - std::min(base, slowest);
}

std::uint64_t StrandView::windowStart(std::uint64_t committed) const noexcept {
  const std::uint64_t capacity = header_->geometry.indexCapacity;
  const std::uint64_t write = std::max(words_.writeSeq().loadAcquire(), base_ + committed);
  // WRITE_SEQ first: it comes down only after the floor has gone up.
  const std::uint64_t floor = words_.windowFloor().loadAcquire();
  const std::uint64_t start = std::max({base_, floor, write - std::min(write, capacity)});
  return std::min(start - base_, committed);
}

Window StrandView::window() const noexcept {
  Window window;
  window.gate = words_.gate().loadAcquire();
  window.committed = committedHere();
  const ConsumerSlots slots(words_);
  // Records are safe from the producer from this view's own position on, or from the common one while
  // nobody is registered. Beside registered consumers a view without a token holds nothing.
  std::uint64_t safe = layout::kConsumerSlotVacant;
  for (const ConsumerToken token : tokens_) {
    if (slots.live(token)) safe = std::min(safe, slots.cursor(token).loadAcquire());
  }
  if (safe == layout::kConsumerSlotVacant && !slots.any()) safe = words_.readCursor().loadAcquire();
  window.start = windowStart(window.committed);
  // Empty only because the producer has gone around since the count was loaded: there never was such a window.
  while (window.start == window.committed && committedHere() != window.committed) {
    window.committed = committedHere();
    window.start = windowStart(window.committed);
  }
  window.safeFrom = std::min(safe - std::min(safe, base_), window.committed);
  return window;
}

bool StrandView::intact(std::uint64_t seq) const noexcept {
  // Pairs with the release fence that the producer puts behind WRITE_SEQ and HEAP_WRITE before it fills.
  acquireFence();
  const Geometry& geometry = header_->geometry;
  const std::uint64_t absolute = base_ + seq;
  if (geometry.heapCapacity != 0) {
    const std::uint64_t begin = words_.heapBegin(absolute).loadAcquire();
    const std::uint64_t heapWrite = words_.heapWrite().loadAcquire();
    if (heapWrite > begin + geometry.heapCapacity || words_.heapFloor().loadAcquire() > begin) return false;
  }
  // Last, since HEAP_BEGIN belongs to this record only while its slot does.
  const std::uint64_t write = words_.writeSeq().loadAcquire();
  return write <= absolute + geometry.indexCapacity && words_.windowFloor().loadAcquire() <= absolute;
}

StreamState StrandView::status() const noexcept {
  const StreamState state = producerStatus();
  if (state != StreamState::kEos) return state;
  // The end of another stream, or of the same one under a later producer, is no end for who has not seen its count.
  const bool delivered = !wasReset() && std::max(delivered_, acknowledged_) == committedHere();
  return delivered ? state : StreamState::kStreaming;
}

StreamState StrandView::producerStatus() const noexcept {
  if (region_.gone()) return StreamState::kError;
  const std::uint32_t status = words_.status().loadAcquire();
  return static_cast<StreamState>(std::min(status, layout::kStatusError));
}

std::string StrandView::errorReason() const noexcept {
  if (region_.gone()) return "the file of this strand was cut";
  return producerStatus() == StreamState::kError ? readReason(words_.errorReason()) : std::string();
}

void StrandView::signalAbort(std::string_view reason) noexcept {
  writeReason(words_.abortReason(), reason);
  words_.abort().storeRelease(1);
  words_.spaceEvent().notify();
}

void StrandView::abandon(std::string_view reason) noexcept {
  if (closed_) return;
  const bool reset = wasReset();
  close();
  const StreamState state = producerStatus();
  const bool over = state == StreamState::kEos || state == StreamState::kError;
  if (!over && !reset && !ConsumerSlots(words_).any()) signalAbort(reason);
}

ViewStats StrandView::stats() const noexcept {
  const std::uint64_t slowest = Gate(words_).slowest();
  const std::uint64_t commit = words_.commitSeq().loadAcquire();
  const auto [records, bytes] = words_.produced(header_->geometry.recordStride);
  return {records,
          bytes,
          words_.stalls().loadRelaxed(),
          words_.stallNanos().loadRelaxed(),
          words_.consumerWaits().loadRelaxed(),
          commit - std::min(commit, slowest)};
}

// --- findFirst ------------------------------------------------------------------------------------------

namespace {

/// Stored is the field's C++ type, Domain the type that its values are compared in.
template <typename Stored, typename Domain = Stored>
Status searchWindow(const StrandView& view, const Field& field, const Value& value, std::int64_t& found) noexcept {
  const bool ascending = (field.flags & kFieldSortedAscending) != 0;
  Key<Domain> key;
  if (!makeKey(value, ascending, key)) return Status::kBadField;
  found = -1;
  if (key.none) return Status::kOk;
  for (;;) {
    const Window window = view.window();
    std::uint64_t low = window.start;
    std::uint64_t high = window.committed;
    bool foundNull = false;
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      const RecordReader record(view.slot(middle), {});
      const bool null = !record.present(field);
      const auto number = static_cast<Domain>(record.template number<Stored>(field));
      const bool qualifies = null ? !ascending : ascending ? number >= key.value : number <= key.value;
      if (qualifies) {
        high = middle;
        foundNull = null;
      } else {
        low = middle + 1;
      }
    }
    if (view.wasReset()) return view.lost();
    // Overwritten meanwhile: what was compared below the new window says nothing.
    acquireFence();
    if (view.window().start > window.start) continue;
    found = low == window.committed || foundNull ? -1 : static_cast<std::int64_t>(low);
    return Status::kOk;
  }
}

}  // namespace

Status StrandView::findFirst(std::size_t index, const Value& key, std::int64_t& found) const noexcept {
  if (closed_) return Status::kClosed;
  if (wasReset()) return lost();
  if (index >= schema().fields().size()) return Status::kBadField;
  const Field& field = schema().fields()[index];
  if ((field.flags & (kFieldSortedAscending | kFieldSortedDescending)) == 0) return Status::kBadField;
  switch (field.type) {
    case FieldType::kU8:
      return searchWindow<std::uint8_t>(*this, field, key, found);
    case FieldType::kU16:
      return searchWindow<std::uint16_t>(*this, field, key, found);
    case FieldType::kU32:
      return searchWindow<std::uint32_t>(*this, field, key, found);
    case FieldType::kU64:
      return searchWindow<std::uint64_t>(*this, field, key, found);
    case FieldType::kI8:
      return searchWindow<std::int8_t>(*this, field, key, found);
    case FieldType::kI16:
      return searchWindow<std::int16_t>(*this, field, key, found);
    case FieldType::kI32:
      return searchWindow<std::int32_t>(*this, field, key, found);
    case FieldType::kI64:
      return searchWindow<std::int64_t>(*this, field, key, found);
    case FieldType::kF32:
      return searchWindow<float, double>(*this, field, key, found);
    case FieldType::kF64:
      return searchWindow<double>(*this, field, key, found);
    default:
      return Status::kBadField;
  }
}

}  // namespace strand
