#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "record/schema.h"
#include "ring/strand_view.h"

namespace strand {

/// A place in the bytes that consecutive records carry: a record, and how many bytes of its payload come before.
struct BytePlace {
  std::uint64_t seq = 0;
  std::uint64_t skip = 0;
};

/// Copies the payloads of a field of the records from `place.seq` to before `end` one behind the other, without what
/// stands before the place, as far as `out` has room. Records without a payload add nothing. The caller holds the
/// records.
///
/// @param place becomes the place of the first byte that was not copied, {end, 0} behind the last one; stays where the
///   stream was reset or the first record may have been overwritten
/// @return how many bytes were copied
std::size_t copyByteRun(const StrandView& view, const Field& field, std::uint64_t end, BytePlace& place,
                        std::span<std::byte> out) noexcept;

}  // namespace strand
