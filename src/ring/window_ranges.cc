#include "ring/window_ranges.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/column_kernels.h"
#include "ring/field_column.h"
#include "ring/window_bits.h"

namespace strand {
namespace {

using kernels::KeyExtremes;
using kernels::KeyRange;

struct NumericField {
  const Field* field = nullptr;
  std::size_t index = 0;
  KeyRange finite;
  KeyExtremes found;
};

bool anyBit(const BlockBits& bits) noexcept {
  return std::any_of(bits.begin(), bits.end(), [](std::uint64_t word) { return word != 0; });
}

/// Whether a bit from `from` to `to` is set, `to` excluded.
bool anyBitFrom(std::span<const std::uint32_t> bits, std::uint64_t from, std::uint64_t to) noexcept {
  for (std::uint64_t bit = from; bit < to;) {
    const std::uint64_t inWord = bit % kBitsPerHalf;
    const std::uint64_t here = std::min(kBitsPerHalf - inWord, to - bit);
    if ((bits[bit / kBitsPerHalf] >> inWord & kernels::lowBits(here)) != 0) return true;
    bit += here;
  }
  return false;
}

/// The extremes of one field in slots that lie behind each other.
void scanRun(const StrandView& view, const NumericField& numeric, std::uint64_t seq, std::size_t count,
             const BlockBits& bits, KeyExtremes& extremes) noexcept {
  const kernels::ColumnKernels& kernels = kernels::columnKernels();
  const std::span<const std::byte> slot = view.slot(seq);
  const Field& field = *numeric.field;
  const kernels::Column column = columnOf(field, slot.data(), slot.size());
  if (field.nullableBit < 0) {
    kernels.extremes(column, numeric.finite, count, bits.data(), extremes);
    return;
  }
  BlockBits present{};
  kernels.match(validityOf(field, slot.data(), slot.size()), kPresent, count, present.data());
  for (std::size_t i = 0; i < kScanWords; ++i) present[i] &= bits[i];
  kernels.extremes(column, numeric.finite, count, present.data(), extremes);
}

void scanBlock(const StrandView& view, const NumericField& numeric, std::uint64_t seq, std::size_t count,
               const BlockBits& bits, KeyExtremes& extremes) noexcept {
  const std::size_t toEnd = std::min<std::uint64_t>(count, view.slotsToEnd(seq));
  if (toEnd == count) {
    scanRun(view, numeric, seq, count, bits, extremes);
    return;
  }
  // The block goes on at the ring's first slot.
  BlockBits first = bits;
  clearBits(first, toEnd, kScanBlock);
  scanRun(view, numeric, seq, toEnd, first, extremes);
  scanRun(view, numeric, seq + toEnd, count - toEnd, shiftedDown(bits, toEnd), extremes);
}

/// Bits of up to kScanBlock records, none past `count`.
BlockBits loadBlock(std::span<const std::uint32_t> bits, std::uint64_t from, std::size_t count) noexcept {
  BlockBits block{};
  std::memcpy(block.data(), bits.data() + from / kBitsPerHalf, halvesFor(count) * sizeof(std::uint32_t));
  clearBits(block, count, kScanBlock);
  return block;
}

}  // namespace

Status computeRanges(const StrandView& view, const RecordRange& range, std::span<const std::uint32_t> bits,
                     std::vector<FieldRange>& out) noexcept {
  out.clear();
  if (view.closed()) return Status::kClosed;
  if (view.wasReset()) return view.lost();
  Window window = view.window();
  const std::uint64_t covered = std::min<std::uint64_t>(range.count, bits.size() * kBitsPerHalf);
  const std::uint64_t count = std::min(covered, window.committed - std::min(window.committed, range.start));
  if (anyBitFrom(bits, count, covered)) return view.wasReset() ? view.lost() : Status::kPastCommitted;

  std::vector<NumericField> fields;
  for (std::size_t i = 0; i < view.schema().fields().size(); ++i) {
    const Field& field = view.schema().fields()[i];
    if (field.info().orderable()) fields.push_back({&field, i, finiteKeysOf(field), {}});
  }
  std::vector<KeyExtremes> found(fields.size());
  const auto lostIn = [&](std::uint64_t seq, std::size_t here) -> std::size_t {
    return std::min<std::uint64_t>(here, window.start - std::min(window.start, seq));
  };
  // What lies whole blocks below the window is not looked at.
  const std::uint64_t below = window.start - std::min(window.start, range.start);
  for (std::uint64_t from = below / kScanBlock * kScanBlock; from < count; from += kScanBlock) {
    const std::size_t here = std::min<std::uint64_t>(kScanBlock, count - from);
    const std::uint64_t seq = range.start + from;
    BlockBits block = loadBlock(bits, from, here);
    const auto clearLost = [&] { clearBits(block, 0, lostIn(seq, here)); };
    clearLost();
    while (anyBit(block)) {
      // What lies below the window is not only lost: it may be further away than the ring is long.
      const std::size_t lost = lostIn(seq, here);
      const BlockBits live = shiftedDown(block, lost);
      const std::size_t alive = std::min<std::uint64_t>(here - lost, view.header().geometry.indexCapacity);
      for (std::size_t i = 0; i < fields.size(); ++i) {
        found[i] = fields[i].found;
        scanBlock(view, fields[i], seq + lost, alive, live, found[i]);
      }
      // Extremes cannot be taken back, so a block counts only if all that was read of it was intact to the end.
      // Pairs as in WindowFilter::apply.
      acquireFence();
      const std::uint64_t start = std::exchange(window, view.window()).start;
      if (window.start <= std::max(start, seq)) {
        for (std::size_t i = 0; i < fields.size(); ++i) fields[i].found = found[i];
        break;
      }
      clearLost();
    }
  }
  if (view.wasReset()) return view.lost();
  for (const NumericField& numeric : fields) {
    if (!numeric.found.any()) continue;
    out.push_back(
        {numeric.index, valueOfKey(*numeric.field, numeric.found.low), valueOfKey(*numeric.field, numeric.found.high)});
  }
  return Status::kOk;
}

}  // namespace strand
