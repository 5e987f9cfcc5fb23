#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "record/decode.h"
#include "ring/status.h"
#include "ring/strand_view.h"

namespace strand {

/// Where one column of a range of n records goes, in memory of the caller.
struct ColumnTarget {
  std::size_t field = 0;
  /// Fields without a payload: n values of the field's width, zeros where absent; bool8 as 0 and 1.
  std::span<std::byte> values;
  /// Fields with a payload: n + 1 numbers; value j takes the elements from offsets[j] to offsets[j + 1].
  std::span<std::int32_t> offsets;
  /// ⌈n / 32⌉ words: bit j is 1 where the range's record j has a value. May be empty.
  std::span<std::uint32_t> validity;
};

/// What gathering a column has come to.
struct ColumnSummary {
  /// Bytes of all payloads together. Past 2^31 - 1 the offsets are of no use, and nothing is copied.
  std::uint64_t payloadBytes = 0;
  std::uint64_t absent = 0;
};

/// Gathers columns of a view's records into private memory: fixed-width values and the places of payloads in one pass
/// over the slots, then each column's payloads.
///
/// Records behind the view's own position may be overwritten meanwhile: a call answers kBehind if they were, and what
/// it gathered is worth nothing then.
class ColumnGather {
 public:
  /// Most bytes of payloads that 32-bit offsets can tell apart.
  static constexpr std::uint64_t kMaxPayloadBytes = 0x7FFFFFFF;

  /// Gathers the records from <= seq < to. Targets whose spans are too small are filled as far as they go.
  /// @return kOk; kClosed, kReset; kNotCommitted for a range that does not end at what is committed or before it;
  ///   kBehind where a record may have been overwritten; kBadField for a field that does not exist
  Status gather(const StrandView& view, std::uint64_t from, std::uint64_t to,
                std::span<const ColumnTarget> targets) noexcept;
  /// Of the target `k` of the last gather().
  [[nodiscard]] ColumnSummary summary(std::size_t k) const noexcept;
  /// Copies the payloads of target `k` of the last gather() to `values`, as its offsets say. Once for each target.
  Status copyPayloads(const StrandView& view, std::size_t k, std::span<std::byte> values) noexcept;
  /// Whether what was gathered is still what the records hold. Status as of gather().
  [[nodiscard]] Status verify(const StrandView& view) const noexcept;

 private:
  struct Column {
    ColumnSummary summary;
    std::vector<HeapPointer> payloads;  ///< one for each record; no length where absent
    std::uint32_t elementSize = 1;
  };

  std::uint64_t from_ = 0;
  std::uint64_t to_ = 0;
  std::vector<Column> columns_;
};

/// The oldest record that can be gathered: neither its slot nor its payloads may have been overwritten.
std::uint64_t oldestIntact(const StrandView& view) noexcept;

}  // namespace strand
