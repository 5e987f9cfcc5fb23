#pragma once

#include <cstdint>

/// Every offset of a shared log. All values are little-endian.
///
///   byte 0         data_offset                                   size                  end of file
///   +--------------+---------+---------+-- ... --+---------------+---------------------+
///   | header       | frame   | frame   |         | frame         | free                |
///   +--------------+---------+---------+-- ... --+---------------+---------------------+
///
///   plain frame      [ total u16 or u32 ][ payload ][ total ]
///   checked frame    [ total u32 ][ crc32c u32 ][ payload ][ total u32 ]
///
/// `total` counts the whole frame. The checksum covers the frame's address (u64), its total (u32) and its payload.
///
///   header
///   0x000  HEADER_SIZE DATA_OFFSET SIZE                      shmio's 24 bytes: a plain log ends its header here
///   0x018  magic, version, frame width, flags, capacities, crc   never changes
///   0x040  IDENTITY                                              never changes
///   0x080  RESERVED DURABLE BOOT                             writer
///   0x100  event {counter, waiters}                          both
///   0x200  first frame
///
/// Source of the plain format: the README of the npm package shmio, "Frame Structure" and "Memory Layout".
namespace strand::layout {

inline constexpr std::uint32_t kLogOffsetHeaderSize = 0;
inline constexpr std::uint32_t kLogOffsetDataOffset = 8;
/// Absolute end of the committed frames. Stored last (release), so that what lies before it is whole.
inline constexpr std::uint32_t kLogOffsetSize = 16;
inline constexpr std::uint32_t kPlainLogHeaderSize = 24;

inline constexpr std::uint32_t kLogMagic = 0x474F4C53;  // "SLOG"
inline constexpr std::uint32_t kLogVersion = 1;
inline constexpr std::uint32_t kLogHeaderSize = 512;

// Static part of the extension. The checksum covers the bytes from the magic up to it.
inline constexpr std::uint32_t kLogOffsetMagic = 24;
inline constexpr std::uint32_t kLogOffsetVersion = 28;
inline constexpr std::uint32_t kLogOffsetFrameWidth = 32;   // u32: 2 or 4
inline constexpr std::uint32_t kLogOffsetFlags = 36;        // u32
inline constexpr std::uint32_t kLogOffsetCapacity = 40;     // u64, bytes of the new file
inline constexpr std::uint32_t kLogOffsetMaxCapacity = 48;  // u64, bytes that the file may grow to
inline constexpr std::uint32_t kLogOffsetExtensionCrc = 56;
/// u64, random, tells a file from another one of the same name; 0 in logs made before there was one. The checksum leaves
/// it out, so that those stay valid.
inline constexpr std::uint32_t kLogOffsetIdentity = 0x40;

inline constexpr std::uint32_t kLogFlagChecksum = 1U << 0U;

// Writer's own.
inline constexpr std::uint32_t kLogOffsetReserved = 0x80;  // u64, stores may have come so far; announced ahead
inline constexpr std::uint32_t kLogOffsetDurable = 0x88;   // u64, what lies before it has been flushed
inline constexpr std::uint32_t kLogOffsetBoot = 0x90;      // u64, which boot of the machine the last writer ran in

inline constexpr std::uint32_t kLogOffsetEvent = 0x100;  // {counter u32, waiters u32}

/// A frame of 32-bit lengths holds at most this.
inline constexpr std::uint64_t kMaxWidePayload = std::uint64_t{1} << 30U;
/// Headers of other programs may be larger than ours, not beyond this.
inline constexpr std::uint64_t kMaxLogHeaderSize = std::uint64_t{1} << 20U;

/// Lock number of the writer (OpenFile::lock).
inline constexpr std::uint32_t kLogWriterLock = 0;

static_assert(kLogOffsetSize + 8 == kPlainLogHeaderSize && kLogOffsetMagic == kPlainLogHeaderSize);
static_assert(kLogOffsetSize % 8 == 0, "one atomic word");
static_assert(kLogOffsetExtensionCrc + 4 <= kLogOffsetIdentity && kLogOffsetIdentity + 8 <= kLogOffsetReserved);
static_assert(kLogOffsetReserved % 128 == 0 && kLogOffsetEvent % 128 == 0, "readers poll SIZE");
static_assert(kLogOffsetEvent + 8 <= kLogHeaderSize);

}  // namespace strand::layout
