#include "ring/record_snapshot.h"

#include "layout/strand_layout.h"
#include "memory/little_endian.h"
#include "record/decode.h"

namespace strand {

Status snapshotRecord(const StrandView& view, std::uint64_t seq, std::span<std::byte> target,
                      std::uint64_t& bytes) noexcept {
  constexpr std::uint64_t kAlignment = 8;
  const std::span<const std::byte> slot = view.slot(seq);
  bytes = slot.size();
  if (view.wasReset()) return view.lost();
  if (seq >= view.window().committed) return Status::kNotCommitted;
  const auto behind = [&] { return view.wasReset() ? view.lost() : Status::kBehind; };
  if (!view.intact(seq)) return behind();
  const bool fits = target.size() >= slot.size();
  if (fits) copyRacy(target.data(), slot.data(), slot.size());
  const RecordReader record(slot, view.heap());
  std::uint64_t end = slot.size();
  for (const Field& field : view.schema().fields()) {
    if (!field.info().inHeap()) continue;
    const auto pointer = record.pointer(field);
    if (!pointer) {
      if (fits) storeLittle(target.data() + field.offset, layout::kAbsentOffset);
      continue;
    }
    const std::uint64_t at = layout::alignUp(end, kAlignment);
    end = at + pointer->length;
    if (end > target.size()) continue;
    copyRacy(target.data() + at, record.payload(*pointer).data(), pointer->length);
    storeLittle(target.data() + field.offset, static_cast<std::uint32_t>(at - slot.size()));
    // The length too: the slot may have changed since it was copied.
    if (field.info().wide()) {
      storeLittle(target.data() + field.offset + 4, pointer->length);
    } else {
      storeLittle(target.data() + field.offset + 4, static_cast<std::uint16_t>(pointer->length));
    }
  }
  bytes = end;
  return view.intact(seq) ? Status::kOk : behind();
}

}  // namespace strand
