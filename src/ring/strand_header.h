#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "memory/region.h"
#include "record/fault.h"
#include "record/schema.h"

namespace strand {

/// Longer than any reset takes; only a damaged header shows one for so long.
inline constexpr std::chrono::seconds kResetPatience{1};

/// Sizes of a strand and its regions, in bytes and records.
struct Geometry {
  std::uint32_t indexCapacity = 0;  ///< records, a power of two
  std::uint32_t heapCapacity = 0;   ///< bytes
  std::uint32_t recordStride = 0;
  std::uint32_t headerSize = 0;  ///< a multiple of 128
  std::uint64_t heapStart = 0;
  std::uint64_t heapBeginStart = 0;
  std::uint64_t totalBytes = 0;
};

/// What a header says once all of it has been checked.
struct StrandHeader {
  Schema schema;
  Geometry geometry;
  std::string metadata;  ///< JSON text
};

/// Computes the geometry. `metadataBytes` asks for that much room behind the schema; 0 leaves the header at
/// its 4,096 bytes where the schema and the names fit. Refuses (kHeader) a capacity that is no power of
/// two, a missing heap, a strand too large to address.
Fault computeGeometry(const Schema& schema, std::uint64_t indexCapacity, std::uint64_t heapCapacity,
                      std::uint64_t metadataBytes, Geometry& out) noexcept;

/// Writes the header of an empty strand and zeroes its control words. `metadata` as composeMetadata makes it.
Fault writeHeader(const Region& region, const Schema& schema, const Geometry& stated,
                  std::string_view metadata) noexcept;

/// The header of an empty strand, without a region to put it into; refusals as of writeHeader().
Fault encodeHeader(const Schema& schema, const Geometry& stated, std::string_view metadata,
                   std::vector<std::byte>& out) noexcept;
/// Whether these are the first bytes of a strand's header, as far as the checksum goes.
bool beginsHeader(std::span<const std::byte> start) noexcept;
/// What a header says that never changes. As readHeader(), without a look at the control words.
/// @param region the header
/// @param bytes that the whole strand may have
Fault readLayout(const Region& region, std::uint64_t bytes, StrandHeader& out) noexcept;

/// Reads a header and believes nothing: magic, version and checksum first, then every size, and the
/// control words' order. Whoever passes the geometry on may index by it without further checks.
///
/// Words of a file's strand whose order a process has left in disorder that died in the midst of a reset() are let pass:
/// the next writer goes on with it.
Fault readHeader(const Region& region, StrandHeader& out) noexcept;

}  // namespace strand
