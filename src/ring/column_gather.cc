#include "ring/column_gather.h"

#include <algorithm>
#include <bit>

#include "kernels/strided.h"

namespace strand {
namespace {

/// Slots of one pass over several columns: few enough to stay in a core's own cache from column to column.
constexpr std::size_t kPassBytes = std::size_t{128} * 1024;

std::size_t wordsFor(std::size_t bits) noexcept { return (bits + 31) / 32; }

/// Consecutive slots, and the range's record that the first of them is.
struct Block {
  const std::byte* slots = nullptr;
  std::size_t stride = 0;
  std::size_t at = 0;
  std::size_t count = 0;
};

template <typename Visit>
void forEachBlock(const StrandView& view, std::uint64_t from, std::uint64_t to, std::size_t most, const Visit& visit) {
  const std::uint64_t capacity = view.header().geometry.indexCapacity;
  for (std::uint64_t seq = from; seq < to;) {
    // A stream's base is a multiple of the capacity, so positions wrap where slots do.
    const auto count = std::min<std::uint64_t>({to - seq, capacity - (seq & (capacity - 1)), most});
    const std::span<const std::byte> first = view.slot(seq);
    visit(Block{first.data(), first.size(), static_cast<std::size_t>(seq - from), static_cast<std::size_t>(count)});
    seq += count;
  }
}

void gatherValidity(const Field& field, const Block& block, std::span<std::uint32_t> validity) noexcept {
  if (validity.size() < wordsFor(block.at + block.count)) return;
  if (field.nullableBit < 0) {
    for (std::size_t i = block.at; i < block.at + block.count;) {
      const std::size_t run = std::min<std::size_t>(block.at + block.count - i, 32 - i % 32);
      validity[i / 32] |= (run == 32 ? ~std::uint32_t{0} : (std::uint32_t{1} << run) - 1) << i % 32;
      i += run;
    }
    return;
  }
  const auto bit = static_cast<std::uint32_t>(field.nullableBit);
  kernels::gatherBits(block.slots + bit / 8, block.stride, block.count, bit % 8, validity, block.at);
}

void gatherValues(const Field& field, const Block& block, std::span<std::byte> values,
                  std::span<const std::uint32_t> validity) noexcept {
  const std::size_t width = field.width;
  if (values.size() < (block.at + block.count) * width) return;
  std::byte* const to = values.data() + block.at * width;
  if (field.info().kind == FieldKind::kFixed) {
    kernels::gatherBytes(block.slots + field.offset, block.stride, block.count, width, to);
  } else {
    kernels::gatherNumbers(block.slots + field.offset, block.stride, block.count, width, to);
  }
  if (field.info().kind == FieldKind::kBool) kernels::normalizeBooleans(to, 1, block.count);
  if (field.nullableBit >= 0) kernels::clearAbsent(to, width, block.count, width, validity, block.at);
}

/// The payload that a slot names; nothing for a null, and for a pointer that names no value of the field.
HeapPointer payloadAt(const RecordReader& record, const Field& field, const std::byte* heap, bool& present) noexcept {
  present = false;
  if (!record.present(field)) return {};
  const auto pointer = record.pointer(field);
  const std::uint32_t elementSize = field.info().elementSize;
  if (!pointer || reinterpret_cast<std::uintptr_t>(heap + pointer->offset) % elementSize != 0) return {};
  present = true;
  return {pointer->offset, pointer->length / elementSize * elementSize};
}

}  // namespace

Status ColumnGather::gather(const StrandView& view, std::uint64_t from, std::uint64_t to,
                            std::span<const ColumnTarget> targets) noexcept {
  from_ = from;
  to_ = to;
  columns_.clear();
  const std::span<const Field> fields = view.schema().fields();
  if (view.closed()) return Status::kClosed;
  if (view.wasReset()) return view.lost();
  if (from > to || to > view.window().committed) return Status::kNotCommitted;
  // Whatever the positions say: this bounds what is allocated below.
  if (to - from > view.header().geometry.indexCapacity) return Status::kBehind;
  for (const ColumnTarget& target : targets) {
    if (target.field >= fields.size()) return Status::kBadField;
  }
  if (const Status status = verify(view); status != Status::kOk) return status;

  const auto count = static_cast<std::size_t>(to - from);
  columns_.resize(targets.size());
  std::vector<std::vector<std::uint32_t>> ownValidity(targets.size());
  std::vector<std::span<std::uint32_t>> validities(targets.size());
  for (std::size_t k = 0; k < targets.size(); ++k) {
    const Field& field = fields[targets[k].field];
    validities[k] = targets[k].validity;
    if (validities[k].size() < wordsFor(count)) validities[k] = {};
    if (validities[k].empty() && field.nullableBit >= 0) {
      ownValidity[k].resize(wordsFor(count));
      validities[k] = ownValidity[k];
    }
    std::fill_n(validities[k].begin(), validities[k].empty() ? 0 : wordsFor(count), 0U);
    if (!field.info().inHeap()) continue;
    columns_[k].elementSize = field.info().elementSize;
    columns_[k].payloads.resize(count);
    if (!targets[k].offsets.empty()) targets[k].offsets[0] = 0;
  }

  const std::span<const std::byte> heap = view.heap();
  const auto gatherPlaces = [&](const Field& field, const Block& block, std::size_t k) {
    Column& column = columns_[k];
    const std::span<std::int32_t> offsets = targets[k].offsets;
    std::uint64_t bytes = column.summary.payloadBytes;
    for (std::size_t i = 0; i < block.count; ++i) {
      const std::size_t j = block.at + i;
      const RecordReader record({block.slots + i * block.stride, block.stride}, heap);
      bool present = false;
      const HeapPointer payload = payloadAt(record, field, heap.data(), present);
      if (present && !validities[k].empty()) validities[k][j / 32] |= std::uint32_t{1} << j % 32;
      column.summary.absent += present ? 0 : 1;
      column.payloads[j] = payload;
      bytes += payload.length;
      if (j + 1 < offsets.size()) {
        offsets[j + 1] = static_cast<std::int32_t>(std::min(bytes, kMaxPayloadBytes) / column.elementSize);
      }
    }
    column.summary.payloadBytes = bytes;
  };

  const std::size_t stride = view.schema().recordStride();
  const std::size_t most = targets.size() == 1 ? count : std::max<std::size_t>(1, kPassBytes / stride);
  forEachBlock(view, from, to, most, [&](const Block& block) {
    for (std::size_t k = 0; k < targets.size(); ++k) {
      const Field& field = fields[targets[k].field];
      if (field.info().inHeap()) {
        gatherPlaces(field, block, k);
      } else {
        gatherValidity(field, block, validities[k]);
        gatherValues(field, block, targets[k].values, validities[k]);
      }
    }
  });
  for (std::size_t k = 0; k < targets.size(); ++k) {
    if (fields[targets[k].field].nullableBit < 0 || fields[targets[k].field].info().inHeap()) continue;
    std::uint64_t present = 0;
    for (const std::uint32_t word : validities[k].first(wordsFor(count))) {
      present += static_cast<std::uint64_t>(std::popcount(word));
    }
    columns_[k].summary.absent = count - present;
  }
  return verify(view);
}

ColumnSummary ColumnGather::summary(std::size_t k) const noexcept {
  return k < columns_.size() ? columns_[k].summary : ColumnSummary{};
}

Status ColumnGather::copyPayloads(const StrandView& view, std::size_t k, std::span<std::byte> values) noexcept {
  if (view.closed()) return Status::kClosed;
  if (k >= columns_.size()) return Status::kBadField;
  const std::span<const std::byte> heap = view.heap();
  const std::vector<HeapPointer> payloads = std::move(columns_[k].payloads);
  // Payloads written one behind the other are copied as one.
  std::byte* to = values.data();
  std::uint64_t runStart = 0;
  std::uint64_t runLength = 0;
  std::uint64_t room = values.size();
  const auto flush = [&] {
    const std::uint64_t bytes = std::min(runLength, room);
    if (bytes != 0) copyRacy(to, heap.data() + runStart, bytes);
    to += bytes;
    room -= bytes;
  };
  for (const HeapPointer& payload : payloads) {
    if (payload.length == 0) continue;
    if (payload.offset == runStart + runLength) {
      runLength += payload.length;
      continue;
    }
    flush();
    runStart = payload.offset;
    runLength = payload.length;
  }
  flush();
  return verify(view);
}

Status ColumnGather::verify(const StrandView& view) const noexcept {
  // The oldest record is the first to go, and what its slot and its payloads begin at go before all behind them.
  const bool intact = from_ == to_ || view.intact(from_);
  if (view.wasReset()) return view.lost();
  return intact ? Status::kOk : Status::kBehind;
}

std::uint64_t oldestIntact(const StrandView& view) noexcept {
  const Window window = view.window();
  std::uint64_t low = window.start;
  std::uint64_t high = window.committed;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (view.intact(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

}  // namespace strand
