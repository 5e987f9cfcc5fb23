#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/column.h"
#include "kernels/handle_set.h"
#include "kernels/row_test.h"
#include "record/encode.h"
#include "ring/status.h"
#include "ring/strand_view.h"
#include "ring/window_bits.h"

namespace strand {

/// A stretch of a stream's records, each with its bit: bit j is record `start + j`.
struct RecordRange {
  std::uint64_t start = 0;
  std::uint64_t count = 0;
};

/// Finds the records of a view's window that fulfil every one of some conditions, in one pass over the slots. Without a
/// condition that is every record. A null fulfils none. Conditions stay for further passes.
class WindowFilter {
 public:
  /// `view` must outlive the filter.
  explicit WindowFilter(const StrandView& view) noexcept : view_(&view) {}

  /// low <= value <= high in a numeric or bool8 field, compared as the numbers they are (see keyRangeOf).
  /// @return kBadField for a field of another kind and for bounds that are no numbers
  Status addBetween(std::size_t field, const Value& low, const Value& high) noexcept;
  /// The handle is one of these, in a utf8_ref field. Copies them.
  /// @return kBadField for a field of another kind
  Status addHandles(std::size_t field, std::span<const std::uint32_t> handles) noexcept;

  /// The records that there are: what apply() is to look at.
  [[nodiscard]] RecordRange look() const noexcept;

  /// Sets the bit of every record that fulfils the conditions, clears all others. A record that the producer may have
  /// overwritten before the pass ended has no bit.
  /// @param range as look() gave it
  /// @param bits at least halvesFor(range.count) words
  /// @return kClosed, kReset
  Status apply(const RecordRange& range, std::span<std::uint32_t> bits) const noexcept;

 private:
  struct Condition {
    std::size_t field = 0;
    bool validity = false;  ///< of the field's presence, not of its value
    kernels::KeyRange range;
    kernels::HandleSet handles;
    bool isSet = false;  ///< `handles` counts, not `range`
  };

  void addCondition(Condition condition) noexcept;
  void addTest(Condition condition) noexcept;
  [[nodiscard]] kernels::Column columnAt(const Condition& condition, const std::byte* firstSlot) const noexcept;
  bool addToRow(kernels::RowTest& row, const Condition& condition) const noexcept;

  void matchRun(const kernels::RowTest& row, std::uint64_t seq, std::size_t count, BlockBits& bits) const noexcept;
  void matchRun(const Condition& condition, std::uint64_t seq, std::size_t count, BlockBits& bits) const noexcept;
  template <typename Test>
  void matchBlock(const Test& test, std::uint64_t seq, std::size_t count, BlockBits& bits) const noexcept;
  void filterBlock(std::uint64_t seq, std::size_t count, BlockBits& bits) const noexcept;

  const StrandView* view_;
  /// Conditions on words that lie close together, two or more each.
  std::vector<kernels::RowTest> rows_;
  /// All others: a single one is faster by its column alone.
  std::vector<Condition> conditions_;
  bool impossible_ = false;
};

}  // namespace strand
