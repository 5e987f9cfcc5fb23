#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "layout/strand_layout.h"
#include "memory/little_endian.h"
#include "memory/region.h"
#include "record/crc32.h"
#include "record/schema.h"

namespace strand::test {

/// Changes a word of the static part, as somebody who can compute checksums would.
inline void sealHeader(const Region& region) {
  std::byte* const at = region.data();
  storeLittle(at + layout::kOffsetHeaderCrc, crc32(std::span(at, layout::kOffsetHeaderCrc)));
}

inline void forgeWord(const Region& region, std::uint32_t offset, std::uint32_t value) {
  storeLittle(region.data() + offset, value);
  sealHeader(region);
}

/// Makes fingerprint and checksum fit whatever schema stands in the header.
inline void sealSchema(const Region& region) {
  std::byte* const at = region.data();
  const auto length = loadLittle<std::uint32_t>(at + layout::kOffsetSchemaByteLength);
  if (layout::kOffsetSchema + std::uint64_t{length} <= region.size()) {
    storeLittle(at + layout::kOffsetFingerprint, fnv1a(std::span(at + layout::kOffsetSchema, length)));
  }
  sealHeader(region);
}

}  // namespace strand::test
