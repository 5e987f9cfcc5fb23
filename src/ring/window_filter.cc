#include "ring/window_filter.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/column_kernels.h"
#include "ring/field_column.h"

namespace strand {

void WindowFilter::addCondition(Condition condition) noexcept {
  if (view_->schema().fields()[condition.field].nullableBit >= 0) {
    Condition present;
    present.field = condition.field;
    present.validity = true;
    present.range = kPresent;
    addTest(std::move(present));
  }
  addTest(std::move(condition));
}

void WindowFilter::addTest(Condition condition) noexcept {
  for (kernels::RowTest& row : rows_) {
    if (addToRow(row, condition)) return;
  }
  for (auto other = conditions_.begin(); other != conditions_.end(); ++other) {
    kernels::RowTest row(view_->schema().recordStride());
    if (!addToRow(row, *other) || !addToRow(row, condition)) continue;
    rows_.push_back(row);
    conditions_.erase(other);
    return;
  }
  conditions_.push_back(std::move(condition));
}

kernels::Column WindowFilter::columnAt(const Condition& condition, const std::byte* firstSlot) const noexcept {
  const Field& field = view_->schema().fields()[condition.field];
  const std::size_t stride = view_->schema().recordStride();
  return condition.validity ? validityOf(field, firstSlot, stride) : columnOf(field, firstSlot, stride);
}

bool WindowFilter::addToRow(kernels::RowTest& row, const Condition& condition) const noexcept {
  if (condition.isSet) return false;
  const std::byte* const slot = view_->slot(0).data();
  const kernels::Column column = columnAt(condition, slot);
  return row.add(static_cast<std::size_t>(column.first - slot), column, condition.range);
}

Status WindowFilter::addBetween(std::size_t field, const Value& low, const Value& high) noexcept {
  const std::span<const Field> fields = view_->schema().fields();
  if (field >= fields.size()) return Status::kBadField;
  Condition condition;
  condition.field = field;
  switch (keyRangeOf(fields[field], low, high, condition.range)) {
    case Bounds::kNotNumeric:
      return Status::kBadField;
    case Bounds::kNone:
      impossible_ = true;
      return Status::kOk;
    default:
      addCondition(std::move(condition));
      return Status::kOk;
  }
}

Status WindowFilter::addHandles(std::size_t field, std::span<const std::uint32_t> handles) noexcept {
  const std::span<const Field> fields = view_->schema().fields();
  if (field >= fields.size() || fields[field].info().kind != FieldKind::kRef) return Status::kBadField;
  if (handles.empty()) {
    impossible_ = true;
    return Status::kOk;
  }
  Condition condition;
  condition.field = field;
  if (handles.size() == 1) {
    condition.range = keyRangeOf(handles.front());
  } else {
    condition.handles = kernels::HandleSet(handles);
    condition.isSet = true;
  }
  addCondition(std::move(condition));
  return Status::kOk;
}

RecordRange WindowFilter::look() const noexcept {
  const Window window = view_->window();
  return {window.start, window.committed - window.start};
}

void WindowFilter::matchRun(const kernels::RowTest& row, std::uint64_t seq, std::size_t count,
                            BlockBits& bits) const noexcept {
  kernels::columnKernels().matchRows(row, view_->slot(seq).data(), count, bits.data());
}

void WindowFilter::matchRun(const Condition& condition, std::uint64_t seq, std::size_t count,
                            BlockBits& bits) const noexcept {
  const kernels::Column column = columnAt(condition, view_->slot(seq).data());
  if (condition.isSet) {
    condition.handles.match(column, count, bits.data());
  } else {
    kernels::columnKernels().match(column, condition.range, count, bits.data());
  }
}

template <typename Test>
void WindowFilter::matchBlock(const Test& test, std::uint64_t seq, std::size_t count, BlockBits& bits) const noexcept {
  const std::size_t toEnd = std::min<std::uint64_t>(count, view_->slotsToEnd(seq));
  matchRun(test, seq, toEnd, bits);
  if (toEnd == count) return;
  // The block goes on at the ring's first slot.
  std::fill(bits.begin() + static_cast<std::ptrdiff_t>(kernels::wordsFor(toEnd)), bits.end(), 0);
  BlockBits rest{};
  matchRun(test, seq + toEnd, count - toEnd, rest);
  orShiftedUp(bits, rest, toEnd);
}

void WindowFilter::filterBlock(std::uint64_t seq, std::size_t count, BlockBits& bits) const noexcept {
  const std::size_t words = kernels::wordsFor(count);
  for (std::size_t i = 0; i < words; ++i) {
    bits[i] = kernels::lowBits(std::min(kernels::kBitsPerWord, count - i * kernels::kBitsPerWord));
  }
  BlockBits passed{};
  const auto keepPassed = [&](const auto& tests) {
    for (const auto& test : tests) {
      matchBlock(test, seq, count, passed);
      for (std::size_t i = 0; i < words; ++i) bits[i] &= passed[i];
    }
  };
  keepPassed(rows_);
  keepPassed(conditions_);
}

Status WindowFilter::apply(const RecordRange& range, std::span<std::uint32_t> bits) const noexcept {
  if (view_->closed()) return Status::kClosed;
  if (view_->wasReset()) return view_->lost();
  const auto count =
      std::min<std::uint64_t>({range.count, bits.size() * kBitsPerHalf, view_->header().geometry.indexCapacity});
  std::fill(bits.begin(), bits.end(), 0);
  if (impossible_) return Status::kOk;
  BlockBits block{};
  for (std::uint64_t from = 0; from < count; from += kScanBlock) {
    const std::size_t here = std::min<std::uint64_t>(kScanBlock, count - from);
    filterBlock(range.start + from, here, block);
    std::memcpy(bits.data() + from / kBitsPerHalf, block.data(), halvesFor(here) * sizeof(std::uint32_t));
  }
  // Pairs with the release fence that the producer puts behind WRITE_SEQ before it fills: whoever read a byte of a new
  // record sees it lost here.
  acquireFence();
  const std::uint64_t start = view_->window().start;
  if (view_->wasReset()) return view_->lost();
  const std::uint64_t lost = std::min(count, start - std::min(start, range.start));
  std::fill_n(bits.begin(), lost / kBitsPerHalf, 0);
  if (lost % kBitsPerHalf != 0) bits[lost / kBitsPerHalf] &= ~std::uint32_t{0} << (lost % kBitsPerHalf);
  return Status::kOk;
}

}  // namespace strand
