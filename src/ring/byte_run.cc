#include "ring/byte_run.h"

#include <algorithm>
#include <cstring>

#include "record/decode.h"

namespace strand {

std::size_t copyByteRun(const StrandView& view, const Field& field, std::uint64_t end, BytePlace& place,
                        std::span<std::byte> out) noexcept {
  const std::span<const std::byte> heap = view.heap();
  const BytePlace start = place;
  std::size_t copied = 0;
  for (; place.seq < end; place = {place.seq + 1, 0}) {
    const RecordReader record(view.slot(place.seq), heap);
    const auto pointer = record.present(field) ? record.pointer(field) : std::nullopt;
    if (!pointer || pointer->length <= place.skip) continue;
    const std::uint64_t bytes = std::min<std::uint64_t>(pointer->length - place.skip, out.size() - copied);
    // Nobody overwrites what the caller holds, so this may go at memcpy's speed.
    if (bytes != 0) std::memcpy(out.data() + copied, heap.data() + pointer->offset + place.skip, bytes);
    copied += bytes;
    place.skip += bytes;
    if (place.skip < pointer->length) break;
  }
  // A reset takes the records away from the caller, and so does another reader of the same position: then these may be
  // other records' bytes. The oldest goes first.
  if (view.intact(start.seq) && !view.wasReset()) return copied;
  place = start;
  return 0;
}

}  // namespace strand
