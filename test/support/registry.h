#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory/region.h"
#include "registry/registry_table.h"

namespace strand::test {

/// What a growable SharedArrayBuffer is to the table: memory that grows in place, and whoever needs to asks how far.
class GrowingMemory {
 public:
  GrowingMemory(std::uint64_t first, std::uint64_t most) : region_(Region::allocate(most)), size_(first) {
    RegistryTable(region_.data(), first).init(0x1234, 0x5678);
  }
  explicit GrowingMemory(std::uint64_t keys = 1'000)
      : GrowingMemory(RegistryTable::bytesFor(keys), RegistryTable::bytesFor(keys) * 2) {}

  [[nodiscard]] RegistryTable table() const { return {region_.data(), size_.load()}; }
  [[nodiscard]] RegistryTable member() {
    RegistryTable joined = table();
    EXPECT_EQ(insist(joined, [&] { return joined.join(0); }), RegistryStatus::kOk);
    return joined;
  }
  [[nodiscard]] std::byte* data() const { return region_.data(); }
  [[nodiscard]] std::uint64_t size() const { return size_.load(); }
  [[nodiscard]] int grown() const { return grown_.load(); }

  /// Repeats a call for as long as it asks for memory.
  template <class Call>
  RegistryStatus insist(RegistryTable& table, Call call) {
    for (;;) {
      const RegistryStatus status = call();
      if (status == RegistryStatus::kNoRoom) {
        std::uint64_t seen = table.size();
        const std::uint64_t more = std::min(seen + seen / 2, region_.size());
        if (seen == region_.size()) return status;
        if (size_.compare_exchange_strong(seen, more)) ++grown_;
      } else if (status != RegistryStatus::kGrown) {
        return status;
      }
      table.resize(size_.load());
    }
  }

 private:
  Region region_;
  std::atomic<std::uint64_t> size_;
  std::atomic<int> grown_{0};
};

template <class Table>
std::uint32_t claimed(Table& table, std::uint64_t key, RegistryStatus expected) {
  std::uint32_t ticket = 0;
  EXPECT_EQ(table.claim(key, ticket), expected);
  EXPECT_NE(ticket, 0U);
  return ticket;
}

/// Publishes under a ticket that holds the lock. @return the version
template <class Table>
std::uint64_t published(Table& table, std::uint32_t ticket, bool present = true) {
  typename Table::Reservation reserved;
  EXPECT_EQ(table.reserve(ticket, reserved), RegistryStatus::kOk);
  EXPECT_EQ(table.publish(ticket, reserved, present), RegistryStatus::kOk);
  return reserved.version;
}

/// All of a change, where nobody is in the way.
template <class Table>
std::uint64_t changed(Table& table, std::uint64_t key, bool present = true) {
  const std::uint32_t ticket = claimed(table, key, RegistryStatus::kOk);
  const std::uint64_t version = published(table, ticket, present);
  EXPECT_EQ(table.release(ticket), RegistryStatus::kOk);
  return version;
}

template <class Table>
typename Table::Look looked(Table& table, std::uint64_t key) {
  typename Table::Look found;
  EXPECT_EQ(table.look(key, found), RegistryStatus::kOk);
  return found;
}

inline std::uint32_t wordAt(const std::byte* base, std::uint64_t offset) {
  return Word32(const_cast<std::byte*>(base), offset).loadRelaxed();
}
inline std::uint32_t arenaOf(const GrowingMemory& memory) {
  return wordAt(memory.data(), layout::kRegistryOffsetArena) - layout::kRegistryOffsetUnits / layout::kRegistryUnit;
}

/// Reads a table that nobody uses just now, by nothing but its layout.
class Inspection {
 public:
  explicit Inspection(const GrowingMemory& memory) : Inspection(memory.data()) {}
  explicit Inspection(const std::byte* base) : base_(base) {
    for (std::uint32_t shard = 0; shard < layout::kRegistryShards; ++shard) inspectShard(shard);
    for (const std::uint32_t list : {layout::kRegistryOffsetFirstMember, layout::kRegistryOffsetFreeMembers}) {
      for (std::uint32_t record = wordAt(base_, list); record != 0; record = of(record, layout::kMemberNext)) {
        if (list == layout::kRegistryOffsetFirstMember) ++members_;
        units_ += layout::kMemberUnits;
      }
    }
    EXPECT_EQ(wordAt(base_, layout::kRegistryOffsetMemberCount), members_);
    EXPECT_EQ(wordAt(base_, layout::kRegistryOffsetMemberLock), 0U);
    EXPECT_EQ(wordAt(base_, layout::kRegistryOffsetArena) - layout::kRegistryOffsetUnits / layout::kRegistryUnit,
              units_)
        << "units that nobody has";
  }

  [[nodiscard]] std::uint32_t entries() const { return entries_; }
  [[nodiscard]] std::uint32_t tickets() const { return tickets_; }
  [[nodiscard]] std::uint32_t members() const { return members_; }

 private:
  [[nodiscard]] std::uint32_t of(std::uint32_t unit, std::uint32_t field) const {
    return wordAt(base_, std::uint64_t{unit} * layout::kRegistryUnit + field);
  }

  void inspectShard(std::uint32_t index) {
    const std::uint64_t shard = layout::kRegistryOffsetShards + std::uint64_t{index} * layout::kRegistryShardBytes;
    const auto word = [&](std::uint32_t field) { return wordAt(base_, shard + field); };
    EXPECT_EQ(word(layout::kShardLock), 0U);
    const std::uint32_t buckets = word(layout::kShardBuckets);
    std::uint32_t entries = 0;
    std::uint32_t queued = 0;
    std::uint32_t segment = 0;
    std::uint32_t begin = 0;
    for (std::uint32_t end = layout::kFirstBuckets; begin < buckets; begin = end, end *= 2, ++segment) {
      const std::uint32_t units = word(layout::kShardSegments + segment * 4);
      ASSERT_NE(units, 0U);
      units_ += (end - begin) / layout::kFirstBuckets;
      for (std::uint32_t bucket = begin; bucket < std::min(end, buckets); ++bucket) {
        std::uint32_t entry =
            wordAt(base_, std::uint64_t{units} * layout::kRegistryUnit + std::uint64_t{bucket - begin} * 4);
        for (; entry != 0; entry = of(entry, layout::kEntryNext)) {
          ++entries;
          queued += inspectQueue(entry);
        }
      }
    }
    // One that was taken ahead would be a whole segment without buckets.
    if (segment < layout::kSegments) {
      EXPECT_EQ(word(layout::kShardSegments + segment * 4), 0U);
    }
    EXPECT_EQ(word(layout::kShardEntries), entries);
    std::uint32_t tickets = 0;
    std::uint32_t newer = 0;
    for (std::uint32_t ticket = word(layout::kShardTickets); ticket != 0; ticket = of(ticket, layout::kTicketOlder)) {
      EXPECT_EQ(of(ticket, layout::kTicketNewer), newer);
      newer = ticket;
      ++tickets;
    }
    EXPECT_EQ(tickets, queued) << "the queues' and the shard's";
    std::uint32_t cells = entries + tickets + word(layout::kShardFreshEnd) - word(layout::kShardFresh);
    for (std::uint32_t free = word(layout::kShardFree); free != 0; free = of(free, layout::kEntryNext)) ++cells;
    EXPECT_EQ(cells % layout::kCellsAtOnce, 0U) << "a cell is lost, or there twice";
    units_ += cells;
    entries_ += entries;
    tickets_ += tickets;
  }

  std::uint32_t inspectQueue(std::uint32_t entry) const {
    std::uint32_t count = 0;
    std::uint32_t previous = 0;
    for (std::uint32_t ticket = of(entry, layout::kEntryHead); ticket != 0; ticket = of(ticket, layout::kTicketNext)) {
      EXPECT_EQ(of(ticket, layout::kTicketEntry), entry);
      EXPECT_EQ(of(ticket, layout::kTicketPrevious), previous);
      if (previous == 0) {
        EXPECT_TRUE(of(ticket, layout::kTicketState) == layout::kTicketGiven ||
                    of(ticket, layout::kTicketState) == layout::kTicketHeld);
      } else {
        EXPECT_EQ(of(ticket, layout::kTicketState), layout::kTicketQueued);
      }
      previous = ticket;
      ++count;
    }
    EXPECT_EQ(of(entry, layout::kEntryTail), previous);
    if (count == 0) {
      EXPECT_NE(of(entry, layout::kEntryVersion) | of(entry, layout::kEntryVersion + 4), 0U)
          << "neither value nor ticket";
    }
    return count;
  }

  const std::byte* base_;
  std::uint32_t units_ = 0;
  std::uint32_t entries_ = 0;
  std::uint32_t tickets_ = 0;
  std::uint32_t members_ = 0;
};

inline std::vector<RegistryTable::Found> scanned(GrowingMemory& memory, RegistryTable& table, std::size_t atOnce = 64) {
  std::vector<RegistryTable::Found> all;
  std::vector<RegistryTable::Found> some(atOnce);
  RegistryTable::ScanPlace place;
  while (place.shard < layout::kRegistryShards) {
    std::uint32_t count = 0;
    const RegistryStatus status = memory.insist(table, [&] { return table.scan(place, some, count); });
    EXPECT_EQ(status, RegistryStatus::kOk);
    if (status != RegistryStatus::kOk) break;
    all.insert(all.end(), some.begin(), some.begin() + count);
  }
  return all;
}

}  // namespace strand::test
