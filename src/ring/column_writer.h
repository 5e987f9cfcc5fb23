#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ring/heap_ring.h"
#include "ring/status.h"
#include "ring/strand_writer.h"

namespace strand {

/// One column of n values that are to be written, in memory of the caller that stays until they are.
///
/// Lengths and offsets must not change from the check on. Values may: another thread that changes them decides what is
/// written, and nothing else.
struct ColumnSource {
  enum class Form : std::uint8_t {
    kLeftOut,  ///< every value is left out
    kValues,   ///< n values of the field's width, one behind the other
    kPacked,   ///< payloads one behind the other; value j is the elements from offsets[j] to offsets[j + 1]
    kList,     ///< payloads wherever they are
  };

  Form form = Form::kLeftOut;
  std::span<const std::byte> values;
  std::span<const std::int32_t> offsets;
  std::span<const std::span<const std::byte>> list;
  /// Bit j is 0 where value j is left out. Empty: none is.
  std::span<const std::uint32_t> validity;
};

enum class ColumnError : std::uint8_t {
  kNone,
  kWrongForm,    ///< packed or listed values in a field without a payload, or plain ones in one with
  kTooShort,     ///< fewer values, offsets or validity bits than records
  kBadOffsets,   ///< offsets that descend or lead out of the values
  kTooLong,      ///< a payload longer than its field's pointer can name
  kHeapTooSmall  ///< a record's payloads that take more than the whole heap
};

/// What is wrong with which column.
struct ColumnFault {
  ColumnError error = ColumnError::kNone;
  std::size_t field = 0;
  std::uint64_t record = 0;
  /// What the payload takes, or the record's payloads as far as this field.
  std::uint64_t bytes = 0;
};

/// A batch given by columns, on its way into the ring. Semantics of visibility, room and errors as of
/// StrandWriter::writeBatch.
class ColumnBatch {
 public:
  /// @param columns one for each field of the schema; it and what it refers to must outlive the batch
  ColumnBatch(StrandWriter& writer, std::span<const ColumnSource> columns, std::uint64_t count) noexcept;

  /// Looks at everything that could keep a record from being written. Before the first step.
  ColumnFault check() noexcept;

  /// Writes until the batch is published or there is no room.
  /// @return kOk when it is published; kWouldBlock: wait with awaitSpace() and call again; otherwise the batch is
  ///   over, and the caller abandons it
  Status step() noexcept;

 private:
  struct PayloadColumn {
    std::size_t field = 0;
    const ColumnSource* source = nullptr;
    std::uint32_t elementSize = 1;
    std::uint32_t offset = 0;  ///< of the pointer in the slot
    bool wide = false;
    /// Packed, and no value that is left out has elements: a run of records is a run of bytes.
    bool contiguous = false;
  };

  [[nodiscard]] ColumnFault checkPayloads(PayloadColumn& column, std::uint64_t& longest) noexcept;
  [[nodiscard]] ColumnFault checkRecords() const noexcept;
  [[nodiscard]] HeapRing::Need need(std::uint64_t record) const noexcept;
  /// @return how many records were filled, fewer than there are slots for where the heap run ends
  std::uint32_t fill(const StrandWriter::Run& run) noexcept;
  std::uint32_t fillPayloads(const StrandWriter::Run& run, std::uint32_t count) noexcept;
  std::uint32_t fillContiguous(const PayloadColumn& column, const StrandWriter::Run& run, std::uint32_t count) noexcept;
  void fillValues(std::byte* slots, std::uint32_t count) const noexcept;
  void fillBitmaps(std::byte* slots, std::uint32_t count) const noexcept;

  StrandWriter* writer_;
  std::span<const ColumnSource> columns_;
  std::uint64_t count_;
  std::uint64_t next_ = 0;
  std::uint64_t heapLeft_ = 0;  ///< bytes that the rest may take with its padding
  std::vector<PayloadColumn> payloads_;
  std::vector<std::byte> bitmap_;  ///< of a record with every value that may be there
  std::vector<std::uint32_t> ends_;
};

/// Writes a batch given by columns, blocking while there is no room. At most index_capacity records whose payloads
/// take at most half the heap become visible in one step.
/// @param written how many records became visible
/// @return kBadField where `fault` says what is wrong, and nothing was written; otherwise as StrandWriter::writeBatch
Status writeColumns(StrandWriter& writer, std::span<const ColumnSource> columns, std::uint64_t count,
                    std::uint64_t& written, ColumnFault& fault) noexcept;

}  // namespace strand
