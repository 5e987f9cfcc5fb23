#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "record/encode.h"
#include "ring/status.h"
#include "ring/strand_view.h"
#include "ring/window_filter.h"

namespace strand {

/// Smallest and largest finite value of a numeric field: doubles for f32 and f64, uint64_t and int64_t for integers.
struct FieldRange {
  std::size_t field = 0;
  Value low;
  Value high;
};

/// Ranges of all numeric fields over the records whose bits are set. Nulls, NaN and infinities do not count, nor do
/// records below the view's window, or overwritten before they were read; fields without any value are left out.
///
/// @param range which record each bit stands for
/// @param bits halvesFor(range.count) words; missing ones count as 0
/// @return kPastCommitted where a bit stands for a record that is not committed; kClosed, kReset
Status computeRanges(const StrandView& view, const RecordRange& range, std::span<const std::uint32_t> bits,
                     std::vector<FieldRange>& out) noexcept;

}  // namespace strand
