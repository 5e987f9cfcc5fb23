#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "record/schema.h"
#include "ring/column_gather.h"
#include "ring/column_writer.h"
#include "ring/strand_view.h"

namespace strand::test {

/// One gathered column, with memory of its own.
struct GatheredColumn {
  std::vector<std::byte> values;  ///< of a field with a payload all of its bytes
  std::vector<std::int32_t> offsets;
  std::vector<std::uint32_t> validity;
  std::uint64_t absent = 0;

  /// As a writer takes it.
  [[nodiscard]] ColumnSource source(const Field& field) const {
    const bool inHeap = field.info().inHeap();
    return {inHeap ? ColumnSource::Form::kPacked : ColumnSource::Form::kValues, values, offsets, {}, validity};
  }
};

/// Gathers every field of a range into memory full of `ink`. `columns` is of use only where the answer is kOk.
inline Status gatherAll(const StrandView& view, std::uint64_t from, std::uint64_t to,
                        std::vector<GatheredColumn>& columns, std::byte ink = {}) {
  const std::span<const Field> fields = view.schema().fields();
  const auto count = static_cast<std::size_t>(to - from);
  columns.assign(fields.size(), {});
  std::vector<ColumnTarget> targets(fields.size());
  for (std::size_t k = 0; k < fields.size(); ++k) {
    GatheredColumn& column = columns[k];
    column.validity.resize((count + 31) / 32, 0x01010101U * std::to_integer<std::uint32_t>(ink));
    if (fields[k].info().inHeap()) {
      column.offsets.resize(count + 1, static_cast<std::int32_t>(ink));
    } else {
      column.values.resize(count * fields[k].width, ink);
    }
    targets[k] = {k, column.values, column.offsets, column.validity};
  }
  ColumnGather gather;
  Status status = gather.gather(view, from, to, targets);
  for (std::size_t k = 0; k < fields.size() && status == Status::kOk; ++k) {
    columns[k].absent = gather.summary(k).absent;
    if (!fields[k].info().inHeap()) continue;
    columns[k].values.resize(gather.summary(k).payloadBytes);
    status = gather.copyPayloads(view, k, columns[k].values);
  }
  return status;
}

}  // namespace strand::test
