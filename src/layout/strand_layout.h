#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

/// Every offset of a strand, version 6. All values are little-endian.
///
///   byte 0                                                        total_bytes
///   +----------------+---------------------+----------------+--------------+
///   | header         | index               | heap           | HEAP_BEGIN   |
///   | header_size    | capacity x stride   | heap_capacity  | capacity x 8 |
///   +----------------+---------------------+----------------+--------------+
///                                                           ^ aligned to 8; absent without a heap
///
///   header
///   0x000  static: magic, version, fingerprint, stride, capacities, crc, sizes     never changes
///   0x040  EPOCH BASE IMAGE BOOT                                                   reset(), rarely
///   0x080  WRITE_SEQ HEAP_WRITE WINDOW_FLOOR HEAP_FLOOR WAIT_TARGET, statistics    producer
///   0x100  COMMIT_SEQ HEAP_COMMIT STATUS                                           producer, publishes
///   0x180  OWNER {fence, state} FAST_OWNER FAST_BUSY, reason of an error, RESIGNED  the owning producer
///   0x200  READ_CURSOR GATE ACTIVE, statistics                                     consumers
///   0x280  data event {counter, waiters}                                           both
///   0x300  space event {counter, waiters}                                          both
///   0x380  ABORT, reason of an abort                                               consumers
///   0x400  eight consumer slots of 64 bytes {CURSOR, OWNER, GENERATION}            one consumer each
///   0x600  binary schema, then metadata (JSON) up to header_size
///
/// Blocks are 128 bytes apart, because adjacent-line prefetching couples pairs of 64-byte lines.
namespace strand::layout {

inline constexpr std::uint32_t kMagic = 0x5354524E;  // "STRN"
inline constexpr std::uint32_t kVersion = 6;

inline constexpr std::uint32_t kSeparation = 128;
inline constexpr std::uint32_t kHeaderSize = 4096;
/// A header may grow for a wide schema or for metadata, not beyond this.
inline constexpr std::uint32_t kMaxHeaderSize = 64U * 1024U * 1024U;

// Static part. The checksum covers the bytes before it.
inline constexpr std::uint32_t kOffsetMagic = 0;
inline constexpr std::uint32_t kOffsetVersion = 4;
inline constexpr std::uint32_t kOffsetFingerprint = 8;
inline constexpr std::uint32_t kOffsetRecordStride = 12;
inline constexpr std::uint32_t kOffsetIndexCapacity = 16;
inline constexpr std::uint32_t kOffsetHeapCapacity = 20;
inline constexpr std::uint32_t kOffsetHeaderCrc = 24;
inline constexpr std::uint32_t kOffsetHeaderSize = 28;
inline constexpr std::uint32_t kOffsetSchemaByteLength = 32;
inline constexpr std::uint32_t kOffsetMetaByteLength = 36;

inline constexpr std::uint32_t kOffsetEpoch = 0x40;  // u32, odd while a reset is under way
inline constexpr std::uint32_t kOffsetBase = 0x48;   // u64, a multiple of the index capacity
inline constexpr std::uint32_t kOffsetImage = 0x50;  // u64, whose table holds asynchronous waiters
inline constexpr std::uint32_t kOffsetBoot = 0x58;   // u64, of a file: the boot of the machine that the words are from

// Producer's own.
inline constexpr std::uint32_t kOffsetWriteSeq = 0x80;
inline constexpr std::uint32_t kOffsetHeapWrite = 0x88;
inline constexpr std::uint32_t kOffsetWindowFloor = 0x90;
inline constexpr std::uint32_t kOffsetHeapFloor = 0x98;
inline constexpr std::uint32_t kOffsetWaitTarget = 0xA0;
inline constexpr std::uint32_t kOffsetPayloadBytes = 0xA8;  // published, ever
inline constexpr std::uint32_t kOffsetStalls = 0xB0;
inline constexpr std::uint32_t kOffsetStallNanos = 0xB8;
inline constexpr std::uint32_t kOffsetPastRecords = 0xC0;  // of streams before the present one

// Published.
inline constexpr std::uint32_t kOffsetCommitSeq = 0x100;
inline constexpr std::uint32_t kOffsetHeapCommit = 0x108;
inline constexpr std::uint32_t kOffsetStatus = 0x110;  // u32

// Owner. Fence and state are one 64-bit word: fence low, state high.
inline constexpr std::uint32_t kOffsetOwner = 0x180;
inline constexpr std::uint32_t kOffsetFastOwner = 0x188;    // u32
inline constexpr std::uint32_t kOffsetFastBusy = 0x18C;     // u32
inline constexpr std::uint32_t kOffsetErrorReason = 0x190;  // u32 length, then the bytes

inline constexpr std::uint32_t kOffsetResigned = 0x1FC;  // u32, of a file: fence of the newest writer that resigned

// Consumers.
inline constexpr std::uint32_t kOffsetReadCursor = 0x200;
inline constexpr std::uint32_t kOffsetGate = 0x208;
inline constexpr std::uint32_t kOffsetActive = 0x210;  // u32: a bit for each held slot, a lock in bit 31
inline constexpr std::uint32_t kOffsetConsumerWaits = 0x218;

// Event counters {counter u32, waiters u32}.
inline constexpr std::uint32_t kOffsetDataEvent = 0x280;
inline constexpr std::uint32_t kOffsetSpaceEvent = 0x300;

inline constexpr std::uint32_t kOffsetAbort = 0x380;        // u32
inline constexpr std::uint32_t kOffsetAbortReason = 0x388;  // u32 length, then the bytes

inline constexpr std::uint32_t kOffsetConsumerSlots = 0x400;
inline constexpr std::uint32_t kConsumerSlotSize = 64;
inline constexpr std::uint32_t kMaxConsumers = 8;
inline constexpr std::uint32_t kSlotCursor = 0;       // u64
inline constexpr std::uint32_t kSlotOwner = 8;        // u64, a thread's id, 0 while vacant
inline constexpr std::uint32_t kSlotGeneration = 16;  // u32
/// Cursor of a slot that nobody holds.
inline constexpr std::uint64_t kConsumerSlotVacant = ~std::uint64_t{0};

/// Longest reason of an error or an abort, in bytes of UTF-8.
inline constexpr std::uint32_t kMaxReasonBytes = 104;
/// Length word while the reason is being written.
inline constexpr std::uint32_t kReasonPending = ~std::uint32_t{0};

inline constexpr std::uint32_t kOffsetSchema = 0x600;

/// Locks of a strand in a file (SharedFile::lock).
inline constexpr std::uint64_t kLockSetup = 0;  ///< while the file is made, or looked at for the first time
inline constexpr std::uint64_t kLockInUse = 2;  ///< shared by all who have the file mapped
inline constexpr std::uint64_t kLockConsumers =
    1;  ///< while consumers come and go: what bit 31 of ACTIVE is in one process
/// Plus a consumer's token: its process lives. A token is never given twice, so no lock is in another one's way.
inline constexpr std::uint64_t kLockConsumer = std::uint64_t{1} << 40U;
/// Plus a writer's fence: its process lives.
inline constexpr std::uint64_t kLockWriter = std::uint64_t{1} << 41U;

/// EPOCH of a new strand in a file: not zero, so that memory which is gone belongs to no stream.
inline constexpr std::uint32_t kFirstFileEpoch = 2;

/// Values of STATUS.
inline constexpr std::uint32_t kStatusInitializing = 0;
inline constexpr std::uint32_t kStatusStreaming = 1;
inline constexpr std::uint32_t kStatusEos = 2;
inline constexpr std::uint32_t kStatusError = 3;

/// Positions are numbers in JavaScript: none passes 2^53.
inline constexpr std::uint64_t kMaxPosition = std::uint64_t{1} << 53;
inline constexpr std::uint32_t kMaxRecordStride = 65535;
inline constexpr std::uint32_t kMaxIndexCapacity = std::uint32_t{1} << 31;

/// Heap pointer of a value that is absent.
inline constexpr std::uint32_t kAbsentOffset = 0xFFFFFFFF;

static_assert(kOffsetHeaderCrc == 24, "the checksum covers the six words before it");
static_assert(kOffsetMetaByteLength + 4 <= kOffsetEpoch);
static_assert(kOffsetBoot + 8 <= kOffsetWriteSeq);
static_assert(kOffsetWriteSeq % kSeparation == 0 && kOffsetPastRecords + 8 <= kOffsetCommitSeq);
static_assert(kOffsetCommitSeq % kSeparation == 0 && kOffsetStatus + 4 <= kOffsetOwner);
static_assert(kOffsetOwner % kSeparation == 0);
static_assert(kOffsetErrorReason + 4 + kMaxReasonBytes <= kOffsetResigned);
static_assert(kOffsetResigned + 4 <= kOffsetReadCursor);
static_assert(kOffsetReadCursor % kSeparation == 0 && kOffsetConsumerWaits + 8 <= kOffsetDataEvent);
static_assert(kOffsetDataEvent % kSeparation == 0 && kOffsetSpaceEvent % kSeparation == 0);
static_assert(kOffsetSpaceEvent - kOffsetDataEvent == kSeparation);
static_assert(kOffsetAbort % kSeparation == 0);
static_assert(kOffsetAbortReason + 4 + kMaxReasonBytes <= kOffsetConsumerSlots);
static_assert(kOffsetConsumerSlots + kMaxConsumers * kConsumerSlotSize == kOffsetSchema);
static_assert(kOffsetSchema % 8 == 0 && kHeaderSize - kOffsetSchema == 2560);

constexpr std::uint64_t alignUp(std::uint64_t value, std::uint64_t alignment) noexcept {
  return (value + alignment - 1) / alignment * alignment;
}

/// First byte of the heap ring.
constexpr std::uint64_t heapStart(std::uint32_t indexCapacity, std::uint32_t recordStride,
                                  std::uint32_t headerSize = kHeaderSize) noexcept {
  return headerSize + std::uint64_t{indexCapacity} * recordStride;
}

/// First byte of HEAP_BEGIN: for each slot, where the heap stood before that record, u64.
constexpr std::uint64_t heapBeginStart(std::uint32_t indexCapacity, std::uint32_t recordStride,
                                       std::uint32_t heapCapacity, std::uint32_t headerSize = kHeaderSize) noexcept {
  return alignUp(heapStart(indexCapacity, recordStride, headerSize) + heapCapacity, 8);
}

/// Size of the whole strand in bytes. A strand without a heap has no HEAP_BEGIN.
constexpr std::uint64_t totalBytes(std::uint32_t indexCapacity, std::uint32_t recordStride, std::uint32_t heapCapacity,
                                   std::uint32_t headerSize = kHeaderSize) noexcept {
  if (heapCapacity == 0) return heapStart(indexCapacity, recordStride, headerSize);
  return heapBeginStart(indexCapacity, recordStride, heapCapacity, headerSize) + std::uint64_t{indexCapacity} * 8;
}

}  // namespace strand::layout
