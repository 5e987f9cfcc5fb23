#pragma once

#include <cstdint>

/// Every offset of a registry's table. All values are little-endian; places of cells are counted in units of 32 bytes,
/// and 0 is nowhere.
///
///   0x0000  header        magic, version, id, image        written once, but for the image
///   0x0080  arena         how many units are taken         whoever needs cells
///   0x0100  members       lock, list, counts, doorbell     under its lock
///   0x0200  shard 0       lock, entries, cells, tickets    under its lock
///   0x0300  shard 1
///     ...
///   0x4200  units         members' records, bucket arrays, and cells, as they were asked for
///
/// A key belongs to the shard that the upper bits of its hash name; the lower ones find its bucket. A shard's buckets are
/// in segments that double in size, and lead to chains of entries:
///
///   segments            bucket                entry                     ticket                 ticket
///   +-------+---+----   +---------------+     +---------------------+   +----------------+     +---------+
///   | 0 ... | 1 | 2     | first entry   | --> | key, version, next  |   | holds the lock | --> | waits   | --> 0
///   +-------+---+----   +---------------+     | first, last ticket  |   +----------------+     +---------+
///                                             +---------------------+
///
/// Buckets are added one at a time, by linear hashing (W. Litwin, "Linear hashing: a new tool for file and table
/// addressing", VLDB 1980): nothing is moved but the entries of the one bucket that is divided.
namespace strand::layout {

inline constexpr std::uint32_t kRegistryMagic = 0x4745524B;  // "KREG"
inline constexpr std::uint32_t kRegistryVersion = 1;
inline constexpr std::uint32_t kRegistryUnit = 32;

inline constexpr std::uint32_t kRegistryOffsetMagic = 0;
inline constexpr std::uint32_t kRegistryOffsetVersion = 4;
/// 16 random bytes, by which the threads find each other's messages.
inline constexpr std::uint32_t kRegistryOffsetId = 8;
inline constexpr std::uint32_t kRegistryOffsetImage = 24;  // u64

inline constexpr std::uint32_t kRegistryOffsetArena = 0x80;  // u32, units

inline constexpr std::uint32_t kRegistryOffsetMemberLock = 0x100;
inline constexpr std::uint32_t kRegistryOffsetFirstMember = 0x104;  // unit
inline constexpr std::uint32_t kRegistryOffsetFreeMembers = 0x108;  // unit
inline constexpr std::uint32_t kRegistryOffsetMemberCount = 0x10C;
inline constexpr std::uint32_t kRegistryOffsetLastSerial = 0x110;
/// How often somebody has joined.
inline constexpr std::uint32_t kRegistryOffsetJoins = 0x114;
/// Rung when somebody has left or has received what there was; 1 while it is armed.
inline constexpr std::uint32_t kRegistryOffsetDoorbell = 0x180;

inline constexpr std::uint32_t kRegistryOffsetShards = 0x200;
inline constexpr std::uint32_t kRegistryShardBits = 6;
inline constexpr std::uint32_t kRegistryShards = 1U << kRegistryShardBits;
inline constexpr std::uint32_t kRegistryShardBytes = 0x100;
inline constexpr std::uint32_t kRegistryOffsetUnits = kRegistryOffsetShards + kRegistryShards * kRegistryShardBytes;

// Of a shard.
inline constexpr std::uint32_t kShardLock = 0;
inline constexpr std::uint32_t kShardBuckets = 4;  // how many there are
inline constexpr std::uint32_t kShardEntries = 8;  // how many there are
inline constexpr std::uint32_t kShardFree = 12;    // unit of the first free cell
inline constexpr std::uint32_t kShardFresh = 16;   // unit of the next cell that was never used
inline constexpr std::uint32_t kShardFreshEnd = 20;
inline constexpr std::uint32_t kShardTickets = 24;  // unit of the newest ticket
inline constexpr std::uint32_t kShardVersion = 32;  // u64, the last one that was given out
inline constexpr std::uint32_t kShardSegments = 64;
inline constexpr std::uint32_t kSegments = 24;
/// Buckets of segment 0; those of segment n > 0 are as many as all before it.
inline constexpr std::uint32_t kFirstBuckets = kRegistryUnit / 4;
/// Cells that a shard takes from the arena at a time.
inline constexpr std::uint32_t kCellsAtOnce = 16;

// Of an entry. It is there for as long as it has a value or a ticket.
inline constexpr std::uint32_t kEntryKey = 0;      // u64
inline constexpr std::uint32_t kEntryVersion = 8;  // u64, published; 0: no value
inline constexpr std::uint32_t kEntryNext = 16;    // unit; of a free cell too
inline constexpr std::uint32_t kEntryHead = 20;    // unit of the ticket that holds the lock
inline constexpr std::uint32_t kEntryTail = 24;
inline constexpr std::uint32_t kEntryWriter = 28;  // serial of the member that published

// Of a ticket.
inline constexpr std::uint32_t kTicketEntry = 0;
inline constexpr std::uint32_t kTicketMember = 4;     // unit of the record
inline constexpr std::uint32_t kTicketNext = 8;       // who comes after it
inline constexpr std::uint32_t kTicketPrevious = 12;  // who comes before it
inline constexpr std::uint32_t kTicketOlder = 16;     // in the shard's list
inline constexpr std::uint32_t kTicketNewer = 20;
inline constexpr std::uint32_t kTicketGranted = 24;  // the next in its member's list of grants
/// Of a ticket that holds the lock: low half of the version that its member has reserved and not published, 0 for none.
inline constexpr std::uint32_t kTicketReserved = kTicketGranted;
inline constexpr std::uint32_t kTicketState = 28;

inline constexpr std::uint32_t kTicketFree = 0;
inline constexpr std::uint32_t kTicketQueued = 1;
inline constexpr std::uint32_t kTicketGiven = 2;  ///< in its member's list of grants
inline constexpr std::uint32_t kTicketHeld = 3;

// Of a member's record.
inline constexpr std::uint32_t kMemberUnits = 4;
inline constexpr std::uint32_t kMemberNext = 0;    // unit
inline constexpr std::uint32_t kMemberSerial = 4;  // never given twice
inline constexpr std::uint32_t kMemberThread = 8;
inline constexpr std::uint32_t kMemberReady = 12;     // 1 once it has received what there was
inline constexpr std::uint32_t kMemberGrants = 64;    // unit of the newest ticket that was given to it
inline constexpr std::uint32_t kMemberDoorbell = 68;  // 1 while it is armed

static_assert(kRegistryOffsetImage % 8 == 0 && kShardVersion % 8 == 0, "one atomic word");
static_assert(kShardSegments + kSegments * 4 <= kRegistryShardBytes);
static_assert(kEntryWriter + 4 == kRegistryUnit && kTicketState + 4 == kRegistryUnit);
static_assert(kRegistryOffsetUnits % kRegistryUnit == 0 && kMemberUnits * kRegistryUnit % 128 == 0);
static_assert(kRegistryShardBytes % 128 == 0, "different threads are in different shards");

}  // namespace strand::layout
