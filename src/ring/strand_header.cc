#include "ring/strand_header.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <span>
#include <thread>
#include <vector>

#include "layout/strand_layout.h"
#include "memory/atomic_word.h"
#include "memory/little_endian.h"
#include "record/crc32.h"
#include "record/metadata.h"

namespace strand {
namespace {

using namespace layout;

Fault refuse(std::string message) noexcept { return Fault::header(std::move(message)); }

/// The static part, copied out word by word, since another thread may be writing this memory.
class StaticPart {
 public:
  explicit StaticPart(const Region& region) noexcept { copyRacy(bytes_.data(), region.data(), bytes_.size()); }
  [[nodiscard]] std::uint32_t word(std::uint32_t offset) const noexcept {
    return loadLittle<std::uint32_t>(bytes_.data() + offset);
  }
  [[nodiscard]] std::uint32_t checksum() const noexcept { return crc32(std::span(bytes_).first(kOffsetHeaderCrc)); }

 private:
  std::array<std::byte, kOffsetEpoch> bytes_{};
};

Fault checkGeometry(const Schema& schema, const Geometry& geometry) noexcept {
  if (geometry.indexCapacity == 0 || !std::has_single_bit(geometry.indexCapacity)) {
    return refuse("index_capacity " + std::to_string(geometry.indexCapacity) + " is no power of two between 1 and " +
                  std::to_string(kMaxIndexCapacity));
  }
  if (schema.needsHeap() && geometry.heapCapacity == 0) {
    return refuse("heap_capacity is 0, and the schema has fields of variable length: give it bytes");
  }
  return Fault::none();
}

bool misaligned(const Region& region) noexcept {
  return reinterpret_cast<std::uintptr_t>(region.data()) % sizeof(std::uint64_t) != 0;
}

Fault refuseMisaligned() noexcept { return refuse("the buffer must begin at an address that is a multiple of 8"); }

void place(Geometry& geometry) noexcept {
  const auto [index, heap, stride, header, heapAt, beginAt, total] = geometry;
  geometry.heapStart = heapStart(index, stride, header);
  geometry.heapBeginStart = heapBeginStart(index, stride, heap, header);
  geometry.totalBytes = totalBytes(index, stride, heap, header);
}

void vacateSlots(std::byte* header) noexcept {
  for (std::uint32_t slot = 0; slot < kMaxConsumers; ++slot) {
    storeLittle(header + kOffsetConsumerSlots + std::size_t{slot} * kConsumerSlotSize + kSlotCursor,
                kConsumerSlotVacant);
  }
}

void clearHeapBegin(const Region& region, const Geometry& geometry) noexcept {
  if (geometry.heapCapacity == 0) return;
  std::fill_n(region.data() + geometry.heapBeginStart, std::uint64_t{geometry.indexCapacity} * 8, std::byte{0});
}

/// Control words may be moving while they are read. Each is loaded before the one that it never passes, so
/// that only nonsense is refused.
/// @param inOrder whether they have to belong together
Fault lookAtPositions(const Region& region, const Geometry& geometry, bool inOrder) noexcept {
  const auto load = [&](std::uint32_t offset) { return Word64(region.data(), offset).loadAcquire(); };
  const std::uint64_t base = load(kOffsetBase);
  const std::uint64_t gate = load(kOffsetGate);
  const std::uint64_t readCursor = load(kOffsetReadCursor);
  const std::uint64_t heapCommit = load(kOffsetHeapCommit);
  const std::uint64_t commit = load(kOffsetCommitSeq);
  if (base % geometry.indexCapacity != 0) return refuse("the base is no multiple of index_capacity");
  if (std::max({commit, base, gate, readCursor}) > kMaxPosition) {
    return refuse("the committed position is past 2^53, where JavaScript numbers end: create a new strand");
  }
  if (heapCommit > kMaxPosition) return refuse("the heap position is past 2^53: create a new strand");
  if (inOrder && (readCursor > commit || gate > commit || base > commit)) {
    return refuse("a read position or the base is past the committed position");
  }
  const std::uint32_t status = Word32(region.data(), kOffsetStatus).loadAcquire();
  if (status > kStatusError) return refuse("the status " + std::to_string(status) + " is unknown");
  return Fault::none();
}

/// Believes positions that contradict each other only where no reset() was moving them meanwhile.
Fault checkPositions(const Region& region, const Geometry& geometry) noexcept {
  const Word32 epoch(region.data(), kOffsetEpoch);
  const auto deadline = std::chrono::steady_clock::now() + kResetPatience;
  for (;;) {
    const std::uint32_t before = epoch.loadAcquire();
    const bool orphaned = region.file() != nullptr && (before & 1U) != 0;
    Fault fault = lookAtPositions(region, geometry, !orphaned);
    if (fault.ok()) return fault;
    const bool settled = (before & 1U) == 0 && epoch.loadAcquire() == before;
    if (settled || std::chrono::steady_clock::now() >= deadline) return fault;
    std::this_thread::yield();
  }
}

}  // namespace

Fault computeGeometry(const Schema& schema, std::uint64_t indexCapacity, std::uint64_t heapCapacity,
                      std::uint64_t metadataBytes, Geometry& out) noexcept {
  if (indexCapacity == 0 || indexCapacity > kMaxIndexCapacity || !std::has_single_bit(indexCapacity)) {
    return refuse("index_capacity " + std::to_string(indexCapacity) + " is no power of two between 1 and " +
                  std::to_string(kMaxIndexCapacity));
  }
  if (heapCapacity > 0xFFFFFFFEU) {
    return refuse("heap_capacity " + std::to_string(heapCapacity) + " is past the limit of 4,294,967,294");
  }
  const std::uint64_t names = composeMetadata(schema, {}).size();
  const std::uint64_t used = kOffsetSchema + alignUp(schema.encode().size(), 4);
  const std::uint64_t text = std::max(names, std::min<std::uint64_t>(metadataBytes, kMaxHeaderSize));
  const std::uint64_t header = alignUp(std::max<std::uint64_t>(used + text, kHeaderSize), kSeparation);
  if (header > kMaxHeaderSize) {
    return refuse("the header would take " + std::to_string(header) + " bytes; the limit is " +
                  std::to_string(kMaxHeaderSize) + ": use less meta or fewer columns");
  }
  Geometry geometry{static_cast<std::uint32_t>(indexCapacity), static_cast<std::uint32_t>(heapCapacity),
                    schema.recordStride(), static_cast<std::uint32_t>(header)};
  if (Fault fault = checkGeometry(schema, geometry); !fault.ok()) return fault;
  place(geometry);
  if (geometry.totalBytes > kMaxPosition) return refuse("the strand would be larger than 2^53 bytes");
  out = geometry;
  return Fault::none();
}

Fault encodeHeader(const Schema& schema, const Geometry& stated, std::string_view metadata,
                   std::vector<std::byte>& out) noexcept {
  const Geometry& geometry = stated;
  if (Fault fault = checkGeometry(schema, geometry); !fault.ok()) return fault;
  if (geometry.headerSize < kHeaderSize || geometry.headerSize > kMaxHeaderSize ||
      geometry.headerSize % kSeparation != 0) {
    return refuse("header_size " + std::to_string(geometry.headerSize) + " is no multiple of 128 from 4,096");
  }
  const std::vector<std::byte> schemaBytes = schema.encode();
  Schema checked;
  if (Fault fault = Schema::decode(schemaBytes, geometry.recordStride, checked); !fault.ok()) return fault;
  const std::uint64_t metaAt = kOffsetSchema + alignUp(schemaBytes.size(), 4);
  if (metaAt + metadata.size() > geometry.headerSize) {
    const std::uint64_t room = metaAt < geometry.headerSize ? geometry.headerSize - metaAt : 0;
    return refuse("names and meta take " + std::to_string(metadata.size()) + " bytes, and the header has room for " +
                  std::to_string(room) + ": ask computeStrandMap for meta_capacity " + std::to_string(metadata.size()));
  }

  out.assign(geometry.headerSize, std::byte{0});
  std::byte* const at = out.data();
  storeLittle(at + kOffsetMagic, kMagic);
  storeLittle(at + kOffsetVersion, kVersion);
  storeLittle(at + kOffsetFingerprint, fnv1a(schemaBytes));
  storeLittle(at + kOffsetRecordStride, geometry.recordStride);
  storeLittle(at + kOffsetIndexCapacity, geometry.indexCapacity);
  storeLittle(at + kOffsetHeapCapacity, geometry.heapCapacity);
  storeLittle(at + kOffsetHeaderSize, geometry.headerSize);
  storeLittle(at + kOffsetSchemaByteLength, static_cast<std::uint32_t>(schemaBytes.size()));
  storeLittle(at + kOffsetMetaByteLength, static_cast<std::uint32_t>(metadata.size()));
  storeLittle(at + kOffsetHeaderCrc, crc32(std::span(at, kOffsetHeaderCrc)));
  std::copy(schemaBytes.begin(), schemaBytes.end(), at + kOffsetSchema);
  std::transform(metadata.begin(), metadata.end(), at + metaAt, [](char c) { return static_cast<std::byte>(c); });
  vacateSlots(at);
  return Fault::none();
}

Fault writeHeader(const Region& region, const Schema& schema, const Geometry& stated,
                  std::string_view metadata) noexcept {
  if (misaligned(region)) return refuseMisaligned();
  std::vector<std::byte> header;
  if (Fault fault = encodeHeader(schema, stated, metadata, header); !fault.ok()) return fault;
  Geometry geometry = stated;
  place(geometry);
  if (region.size() < geometry.totalBytes) {
    return refuse("the buffer has " + std::to_string(region.size()) + " bytes and the strand needs " +
                  std::to_string(geometry.totalBytes));
  }
  clearHeapBegin(region, geometry);
  // The checksum comes last: a header that is being written is not yet one.
  std::byte* const at = region.data();
  storeLittle(at + kOffsetHeaderCrc, std::uint32_t{0});
  std::copy_n(header.data(), kOffsetHeaderCrc, at);
  constexpr std::uint32_t kBehind = kOffsetHeaderCrc + sizeof(std::uint32_t);
  std::copy(header.begin() + kBehind, header.end(), at + kBehind);
  std::copy_n(header.data() + kOffsetHeaderCrc, sizeof(std::uint32_t), at + kOffsetHeaderCrc);
  releaseFence();
  return Fault::none();
}

bool beginsHeader(std::span<const std::byte> start) noexcept {
  if (start.size() < kOffsetEpoch) return false;
  const auto word = [&](std::uint32_t offset) { return loadLittle<std::uint32_t>(start.data() + offset); };
  return word(kOffsetMagic) == kMagic && word(kOffsetVersion) == kVersion &&
         word(kOffsetHeaderCrc) == crc32(start.first(kOffsetHeaderCrc));
}

Fault readLayout(const Region& region, std::uint64_t bytes, StrandHeader& out) noexcept {
  if (region.data() == nullptr || region.size() < kHeaderSize) {
    return refuse("a strand has at least " + std::to_string(kHeaderSize) + " bytes, this buffer " +
                  std::to_string(region.size()) + ": initStrandHeader writes a header");
  }
  if (misaligned(region)) return refuseMisaligned();
  const StaticPart part(region);
  if (part.word(kOffsetHeaderCrc) != part.checksum()) {
    return refuse(
        "the CRC of the header does not match: the buffer is damaged or holds no strand, which initStrandHeader would "
        "write");
  }
  if (part.word(kOffsetMagic) != kMagic) {
    return refuse("the magic number is not a strand's: initStrandHeader writes a header");
  }
  if (part.word(kOffsetVersion) != kVersion) {
    return refuse("the layout's version is " + std::to_string(part.word(kOffsetVersion)) +
                  ", this package reads version " + std::to_string(kVersion));
  }
  StrandHeader header;
  Geometry& geometry = header.geometry;
  geometry.recordStride = part.word(kOffsetRecordStride);
  geometry.indexCapacity = part.word(kOffsetIndexCapacity);
  geometry.heapCapacity = part.word(kOffsetHeapCapacity);
  geometry.headerSize = part.word(kOffsetHeaderSize);
  const std::uint64_t schemaLength = part.word(kOffsetSchemaByteLength);
  const std::uint64_t metaLength = part.word(kOffsetMetaByteLength);
  if (geometry.headerSize < kHeaderSize || geometry.headerSize > kMaxHeaderSize ||
      geometry.headerSize % kSeparation != 0 || geometry.headerSize > region.size()) {
    return refuse("the header's size " + std::to_string(geometry.headerSize) + " is impossible");
  }
  const std::uint64_t metaAt = kOffsetSchema + alignUp(schemaLength, 4);
  if (metaAt + metaLength > geometry.headerSize) {
    return refuse("schema and metadata are larger than the header");
  }
  std::vector<std::byte> schemaBytes(schemaLength);
  copyRacy(schemaBytes.data(), region.data() + kOffsetSchema, schemaLength);
  if (fnv1a(schemaBytes) != part.word(kOffsetFingerprint)) {
    return refuse("the schema's fingerprint does not match its bytes");
  }
  if (Fault fault = Schema::decode(schemaBytes, geometry.recordStride, header.schema); !fault.ok()) {
    return fault;
  }
  if (Fault fault = checkGeometry(header.schema, geometry); !fault.ok()) return fault;
  place(geometry);
  if (geometry.totalBytes > bytes) {
    return refuse("the strand needs " + std::to_string(geometry.totalBytes) + " bytes and the buffer has " +
                  std::to_string(bytes));
  }
  header.metadata.resize(metaLength);
  copyRacy(reinterpret_cast<std::byte*>(header.metadata.data()), region.data() + metaAt, metaLength);
  std::vector<std::string> names;
  if (Fault fault = parseColumnNames(header.metadata, names); !fault.ok()) return fault;
  if (Fault fault = header.schema.setNames(std::move(names)); !fault.ok()) return fault;
  out = std::move(header);
  return Fault::none();
}

Fault readHeader(const Region& region, StrandHeader& out) noexcept {
  StrandHeader header;
  if (Fault fault = readLayout(region, region.size(), header); !fault.ok()) return fault;
  if (Fault fault = checkPositions(region, header.geometry); !fault.ok()) return fault;
  out = std::move(header);
  return Fault::none();
}

}  // namespace strand
