#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "layout/strand_layout.h"
#include "memory/little_endian.h"
#include "memory/region.h"
#include "record/crc32.h"
#include "record/metadata.h"
#include "ring/strand_header.h"
#include "support/exercise.h"

namespace {

using namespace strand;

/// A valid strand that inputs are laid over: without it no input would come past the checksum.
Region freshStrand() {
  const std::array<FieldSpec, 4> fields{{{"id", FieldType::kU32, kFieldSortedAscending},
                                         {"text", FieldType::kUtf8, kFieldNullable},
                                         {"list", FieldType::kF64Array},
                                         {"hash", FieldType::kFixedBytes, 0, 5}}};
  Schema schema;
  Geometry geometry;
  (void)Schema::build(fields, schema);
  (void)computeGeometry(schema, 8, 200, 0, geometry);
  const Region region = Region::allocate(geometry.totalBytes);
  (void)writeHeader(region, schema, geometry, composeMetadata(schema, {}));
  return region;
}

}  // namespace

/// Input: groups of {offset u16, byte}, written over a valid strand whose checksum is then made right again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Region region = freshStrand();
  for (std::size_t at = 0; at + 3 <= size; at += 3) {
    const std::uint64_t offset = (data[at] | (std::uint64_t{data[at + 1]} << 8)) % region.size();
    region.data()[offset] = static_cast<std::byte>(data[at + 2]);
  }
  storeLittle(region.data() + layout::kOffsetHeaderCrc,
              crc32(std::span<const std::byte>(region.data(), layout::kOffsetHeaderCrc)));
  (void)test::exerciseStrand(region);
  return 0;
}
