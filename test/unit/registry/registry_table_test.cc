#include "registry/registry_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <iostream>
#include <iterator>
#include <latch>
#include <map>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "memory/region.h"
#include "registry/registry_table_impl.h"
#include "support/guarded_memory.h"
#include "support/long_form.h"
#include "support/random.h"
#include "support/sanitized.h"

namespace strand {
namespace {

using test::Random;
using Status = RegistryStatus;

/// Records whom it would have woken, and gives locks up at once: for one thread.
struct RecordingPlatform {
  using Word32 = AtomicWord<std::uint32_t>;
  using Word64 = AtomicWord<std::uint64_t>;
  static constexpr int kSpins = 1;
  static constexpr int kSleeps = 1;

  static void relax() noexcept {}
  static void park(Word32 /*word*/, std::uint32_t /*expected*/) noexcept {}
  static void unpark(Word32 /*word*/) noexcept {}
  static void signal(Word32 doorbell, Word64 /*image*/) noexcept { rung.push_back(doorbell.address()); }

  static inline std::vector<std::uint32_t*> rung;
};
using RecordingTable = BasicRegistryTable<RecordingPlatform>;

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
    EXPECT_EQ(insist(joined, [&] { return joined.join(0); }), Status::kOk);
    return joined;
  }
  [[nodiscard]] std::byte* data() const { return region_.data(); }
  [[nodiscard]] std::uint64_t size() const { return size_.load(); }
  [[nodiscard]] int grown() const { return grown_.load(); }

  /// Repeats a call for as long as it asks for memory.
  template <class Call>
  Status insist(RegistryTable& table, Call call) {
    for (;;) {
      const Status status = call();
      if (status == Status::kNoRoom) {
        std::uint64_t seen = table.size();
        const std::uint64_t more = std::min(seen + seen / 2, region_.size());
        if (seen == region_.size()) return status;
        if (size_.compare_exchange_strong(seen, more)) ++grown_;
      } else if (status != Status::kGrown) {
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
std::uint32_t claimed(Table& table, std::uint64_t key, Status expected) {
  std::uint32_t ticket = 0;
  EXPECT_EQ(table.claim(key, ticket), expected);
  EXPECT_NE(ticket, 0U);
  return ticket;
}

/// Publishes under a ticket that holds the lock. @return the version
template <class Table>
std::uint64_t published(Table& table, std::uint32_t ticket, bool present = true) {
  typename Table::Reservation reserved;
  EXPECT_EQ(table.reserve(ticket, reserved), Status::kOk);
  EXPECT_EQ(table.publish(ticket, reserved, present), Status::kOk);
  return reserved.version;
}

/// All of a change, where nobody is in the way.
template <class Table>
std::uint64_t changed(Table& table, std::uint64_t key, bool present = true) {
  const std::uint32_t ticket = claimed(table, key, Status::kOk);
  const std::uint64_t version = published(table, ticket, present);
  EXPECT_EQ(table.release(ticket), Status::kOk);
  return version;
}

template <class Table>
typename Table::Look looked(Table& table, std::uint64_t key) {
  typename Table::Look found;
  EXPECT_EQ(table.look(key, found), Status::kOk);
  return found;
}

std::uint32_t wordAt(const std::byte* base, std::uint64_t offset) {
  return Word32(const_cast<std::byte*>(base), offset).loadRelaxed();
}
std::uint32_t arenaOf(const GrowingMemory& memory) {
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

std::vector<RegistryTable::Found> scanned(GrowingMemory& memory, RegistryTable& table, std::size_t atOnce = 64) {
  std::vector<RegistryTable::Found> all;
  std::vector<RegistryTable::Found> some(atOnce);
  RegistryTable::ScanPlace place;
  while (place.shard < layout::kRegistryShards) {
    std::uint32_t count = 0;
    const Status status = memory.insist(table, [&] { return table.scan(place, some, count); });
    EXPECT_EQ(status, Status::kOk);
    if (status != Status::kOk) break;
    all.insert(all.end(), some.begin(), some.begin() + count);
  }
  return all;
}

// Values

TEST(RegistryTable, anEmptyOneAnswersNothing) {
  GrowingMemory memory;
  RegistryTable table = memory.table();
  EXPECT_TRUE(table.valid());
  const RegistryTable::Look found = looked(table, 7);
  EXPECT_EQ(found.version, 0U);
  EXPECT_EQ(found.writer, 0U);
  EXPECT_EQ(found.holder, 0U);
  EXPECT_EQ(table.nextGrant(), 0U);
  EXPECT_TRUE(scanned(memory, table).empty());
  std::uint32_t count = 9;
  EXPECT_EQ(table.members({}, count), Status::kOk);
  EXPECT_EQ(count, 0U);
  EXPECT_EQ(table.leave(), Status::kOk);
  EXPECT_EQ(arenaOf(memory), 0U);
}

TEST(RegistryTable, memoryThatWasNotBegunIsNotValid) {
  const Region region = Region::allocate(RegistryTable::kLeastBytes);
  EXPECT_FALSE(RegistryTable(region.data(), region.size()).valid());
  RegistryTable(region.data(), region.size()).init(1, 2);
  EXPECT_TRUE(RegistryTable(region.data(), region.size()).valid());
  EXPECT_FALSE(RegistryTable(region.data(), layout::kRegistryOffsetUnits - 1).valid());
  Word32(region.data(), layout::kRegistryOffsetVersion).storeRelaxed(2);
  EXPECT_FALSE(RegistryTable(region.data(), region.size()).valid());
}

TEST(RegistryTable, whatWasPublishedIsSeenByEveryone) {
  GrowingMemory memory;
  RegistryTable writer = memory.member();
  RegistryTable reader = memory.member();
  const std::uint32_t ticket = claimed(writer, 7, Status::kOk);
  EXPECT_EQ(looked(reader, 7).holder, writer.serial());
  EXPECT_EQ(looked(reader, 7).version, 0U) << "claimed only";
  const std::uint64_t version = published(writer, ticket);
  EXPECT_NE(version, 0U);
  EXPECT_EQ(looked(reader, 7).version, version) << "before the lock is given back";
  EXPECT_EQ(writer.release(ticket), Status::kOk);
  EXPECT_EQ(looked(reader, 7).version, version);
  EXPECT_EQ(looked(reader, 7).writer, writer.serial());
  EXPECT_EQ(looked(reader, 7).holder, 0U);
  EXPECT_EQ(looked(reader, 8).version, 0U);
}

TEST(RegistryTable, everyKeyIsPossible) {
  GrowingMemory memory;
  RegistryTable table = memory.member();
  std::map<std::uint64_t, std::uint64_t> versions;
  for (const std::uint64_t key : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}, std::uint64_t{1} << 63U,
                                  std::uint64_t{0xFFFFFFFF}, std::uint64_t{1} << 32U}) {
    versions[key] = changed(table, key);
  }
  for (const auto& [key, version] : versions) EXPECT_EQ(looked(table, key).version, version);
  EXPECT_EQ(scanned(memory, table).size(), versions.size());
}

TEST(RegistryTable, versionsNeverComeTwice) {
  GrowingMemory memory;
  RegistryTable first = memory.member();
  RegistryTable second = memory.member();
  std::set<std::uint64_t> seen;
  std::uint64_t last = 0;
  for (int i = 0; i < 50; ++i) {
    RegistryTable& writer = i % 2 == 0 ? first : second;
    const std::uint64_t made = changed(writer, 7);
    const std::uint64_t deleted = changed(writer, 7, false);
    EXPECT_LT(last, made);
    EXPECT_LT(made, deleted);
    last = deleted;
    EXPECT_EQ(Inspection(memory).entries(), 0U);
    // Reserved, and never published.
    const std::uint32_t ticket = claimed(writer, 7, Status::kOk);
    RegistryTable::Reservation reserved;
    EXPECT_EQ(writer.reserve(ticket, reserved), Status::kOk);
    EXPECT_LT(last, reserved.version);
    last = reserved.version;
    EXPECT_EQ(writer.release(ticket), Status::kOk);
    EXPECT_EQ(looked(first, 7).version, 0U);
  }
  EXPECT_EQ(second.leave(), Status::kOk);
  EXPECT_LT(last, changed(first, 7));
}

TEST(RegistryTable, aDeletedKeyIsForgottenWhenNobodyWaits) {
  GrowingMemory memory;
  RegistryTable first = memory.member();
  RegistryTable second = memory.member();
  changed(first, 7);
  EXPECT_EQ(Inspection(memory).entries(), 1U);
  const std::uint32_t ticket = claimed(first, 7, Status::kOk);
  const std::uint32_t waiting = claimed(second, 7, Status::kQueued);
  published(first, ticket, false);
  EXPECT_EQ(looked(second, 7).version, 0U);
  EXPECT_EQ(first.release(ticket), Status::kOk);
  EXPECT_EQ(Inspection(memory).entries(), 1U) << "somebody has it";
  EXPECT_EQ(second.nextGrant(), waiting);
  EXPECT_EQ(second.release(waiting), Status::kOk);
  EXPECT_EQ(Inspection(memory).entries(), 0U);
  changed(first, 8, false);
  EXPECT_EQ(Inspection(memory).entries(), 0U) << "it was never there";
}

TEST(RegistryTable, aKeyThatIsMadeAndDeletedForeverTakesNoMemory) {
  GrowingMemory memory(1);
  RegistryTable table = memory.member();
  changed(table, 7);
  changed(table, 7, false);
  const std::uint32_t taken = arenaOf(memory);
  for (int i = 0; i < 1'000; ++i) {
    changed(table, 7);
    changed(table, 7, false);
  }
  EXPECT_EQ(arenaOf(memory), taken);
}

// Locks

TEST(RegistryTable, waitersComeInTheOrderInWhichTheyCame) {
  GrowingMemory memory;
  std::vector<RegistryTable> members;
  std::vector<std::uint32_t> tickets;
  members.reserve(8);
  for (int i = 0; i < 8; ++i) members.push_back(memory.member());
  for (std::size_t i = 0; i < 8; ++i) tickets.push_back(claimed(members[i], 7, i == 0 ? Status::kOk : Status::kQueued));
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(members[i].nextGrant(), i == 0 ? 0 : tickets[i]);
    EXPECT_EQ(looked(members[0], 7).holder, members[i].serial());
    for (std::size_t other = i + 1; other < 8; ++other) EXPECT_EQ(members[other].nextGrant(), 0U);
    published(members[i], tickets[i]);
    EXPECT_EQ(members[i].release(tickets[i]), Status::kOk);
  }
  EXPECT_EQ(Inspection(memory).tickets(), 0U);
}

TEST(RegistryTable, oneMembersGrantsComeInTheOrderInWhichTheyWereGiven) {
  GrowingMemory memory;
  RegistryTable holder = memory.member();
  RegistryTable waiter = memory.member();
  constexpr std::size_t kKeys = 20;
  std::vector<std::uint32_t> held;
  std::vector<std::uint32_t> waiting;
  for (std::uint64_t key = 0; key < kKeys; ++key) held.push_back(claimed(holder, key, Status::kOk));
  for (std::uint64_t key = 0; key < kKeys; ++key) waiting.push_back(claimed(waiter, key, Status::kQueued));
  // Some while the waiter has taken a part of them.
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(holder.release(held[kKeys - 1 - i]), Status::kOk);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(waiter.nextGrant(), waiting[kKeys - 1 - i]);
  for (std::size_t i = 10; i < kKeys; ++i) EXPECT_EQ(holder.release(held[kKeys - 1 - i]), Status::kOk);
  for (std::size_t i = 3; i < kKeys; ++i) EXPECT_EQ(waiter.nextGrant(), waiting[kKeys - 1 - i]);
  EXPECT_EQ(waiter.nextGrant(), 0U);
}

TEST(RegistryTable, oneMemberMayQueueBehindItself) {
  GrowingMemory memory;
  RegistryTable table = memory.member();
  const std::uint32_t first = claimed(table, 7, Status::kOk);
  const std::uint32_t second = claimed(table, 7, Status::kQueued);
  EXPECT_EQ(table.nextGrant(), 0U);
  EXPECT_EQ(table.release(first), Status::kOk);
  EXPECT_EQ(table.nextGrant(), second);
  EXPECT_EQ(table.release(second), Status::kOk);
}

TEST(RegistryTable, gaveUpTicketsLetTheNextOneIn) {
  // Of four that wait, each one alone, and all combinations of them.
  for (std::uint32_t leaving = 0; leaving < 16; ++leaving) {
    GrowingMemory memory;
    RegistryTable holder = memory.member();
    const std::uint32_t held = claimed(holder, 7, Status::kOk);
    std::vector<RegistryTable> waiters;
    std::vector<std::uint32_t> tickets;
    for (std::size_t i = 0; i < 4; ++i) {
      waiters.push_back(memory.member());
      tickets.push_back(claimed(waiters[i], 7, Status::kQueued));
    }
    for (std::size_t i = 0; i < 4; ++i) {
      if ((leaving >> i & 1U) != 0) {
        EXPECT_EQ(waiters[i].withdraw(tickets[i]), Status::kOk);
      }
    }
    EXPECT_EQ(Inspection(memory).tickets(), 5U - static_cast<std::uint32_t>(std::popcount(leaving)));
    EXPECT_EQ(holder.release(held), Status::kOk);
    for (std::size_t i = 0; i < 4; ++i) {
      if ((leaving >> i & 1U) != 0) {
        EXPECT_EQ(waiters[i].nextGrant(), 0U);
        EXPECT_EQ(waiters[i].withdraw(tickets[i]), Status::kNotHeld) << "it is gone";
      } else {
        EXPECT_EQ(waiters[i].nextGrant(), tickets[i]);
        EXPECT_EQ(waiters[i].release(tickets[i]), Status::kOk);
      }
    }
    EXPECT_EQ(Inspection(memory).entries(), 0U);
  }
}

TEST(RegistryTable, aTicketThatWasGrantedCannotBeWithdrawn) {
  GrowingMemory memory;
  RegistryTable holder = memory.member();
  RegistryTable waiter = memory.member();
  const std::uint32_t held = claimed(holder, 7, Status::kOk);
  EXPECT_EQ(holder.withdraw(held), Status::kGranted);
  const std::uint32_t waiting = claimed(waiter, 7, Status::kQueued);
  EXPECT_EQ(holder.release(held), Status::kOk);
  EXPECT_EQ(waiter.withdraw(waiting), Status::kGranted);
  EXPECT_EQ(waiter.release(waiting), Status::kNotHeld) << "to be taken from the grants first";
  EXPECT_EQ(waiter.nextGrant(), waiting);
  EXPECT_EQ(waiter.withdraw(waiting), Status::kGranted);
  EXPECT_EQ(waiter.release(waiting), Status::kOk);
}

TEST(RegistryTable, onlyWhoHoldsALockPublishesAndReleases) {
  GrowingMemory memory;
  RegistryTable holder = memory.member();
  RegistryTable waiter = memory.member();
  RegistryTable stranger = memory.table();
  const std::uint32_t held = claimed(holder, 7, Status::kOk);
  const std::uint32_t waiting = claimed(waiter, 7, Status::kQueued);
  RegistryTable::Reservation reserved;
  EXPECT_EQ(waiter.reserve(waiting, reserved), Status::kOk);
  EXPECT_EQ(waiter.publish(waiting, reserved, true), Status::kNotHeld);
  EXPECT_EQ(waiter.release(waiting), Status::kNotHeld);
  std::uint32_t none = 0;
  EXPECT_EQ(stranger.claim(7, none), Status::kNotHeld) << "who is no member cannot be told of a grant";
  EXPECT_EQ(none, 0U);
  for (RegistryTable* const other : {&waiter, &stranger}) {
    EXPECT_EQ(other->reserve(held, reserved), Status::kNotHeld);
    EXPECT_EQ(other->publish(held, reserved, true), Status::kNotHeld);
    EXPECT_EQ(other->release(held), Status::kNotHeld);
    EXPECT_EQ(other->withdraw(held), Status::kNotHeld);
  }
  for (const std::uint32_t nothing : {0U, 1U, 0xFFFFFFFFU, held + 1'000'000}) {
    EXPECT_EQ(holder.reserve(nothing, reserved), Status::kNotHeld);
    EXPECT_EQ(holder.publish(nothing, reserved, true), Status::kNotHeld);
    EXPECT_EQ(holder.release(nothing), Status::kNotHeld);
    EXPECT_EQ(holder.withdraw(nothing), Status::kNotHeld);
  }
  EXPECT_EQ(holder.release(held), Status::kOk);
  EXPECT_EQ(holder.release(held), Status::kNotHeld) << "twice";
  EXPECT_EQ(holder.publish(held, reserved, true), Status::kNotHeld);
  EXPECT_EQ(waiter.publish(waiting, reserved, true), Status::kNotHeld) << "given, and not taken";
  EXPECT_EQ(waiter.nextGrant(), waiting);
  EXPECT_EQ(waiter.publish(waiting, reserved, true), Status::kNotHeld) << "reserved before it held the lock";
  EXPECT_EQ(waiter.reserve(waiting, reserved), Status::kOk);
  EXPECT_EQ(waiter.publish(waiting, reserved, true), Status::kOk);
  EXPECT_EQ(looked(stranger, 7).version, reserved.version);
}

// What was sent

/// A holder that has reserved a version and sent it, and one that receives it.
struct Sent {
  Sent() : before(changed(sender, 7)), ticket(claimed(sender, 7, Status::kOk)) {
    EXPECT_EQ(sender.reserve(ticket, reserved), Status::kOk);
  }
  bool accepted(bool present = true) {
    bool counts = false;
    EXPECT_EQ(receiver.accept(7, reserved, writer, present, counts), Status::kOk);
    return counts;
  }

  GrowingMemory memory;
  RegistryTable sender = memory.member();
  RegistryTable receiver = memory.member();
  std::uint32_t writer = sender.serial();
  std::uint64_t before;
  std::uint32_t ticket;
  RegistryTable::Reservation reserved;
};

TEST(RegistryTable, whatWasReceivedIsPublishedByTheReceiver) {
  Sent sent;
  EXPECT_TRUE(sent.accepted());
  EXPECT_TRUE(sent.accepted()) << "as by others";
  EXPECT_EQ(looked(sent.receiver, 7).version, sent.reserved.version);
  EXPECT_EQ(looked(sent.receiver, 7).writer, sent.writer);
  (void)sent.memory.member();
  EXPECT_EQ(sent.sender.publish(sent.ticket, sent.reserved, true), Status::kOk) << "nothing is left to do";
  EXPECT_EQ(sent.sender.release(sent.ticket), Status::kOk);
  EXPECT_TRUE(sent.accepted()) << "after all that too";
  changed(sent.receiver, 7);
  EXPECT_FALSE(sent.accepted()) << "a newer one is published";
}

TEST(RegistryTable, aDeletionThatWasReceivedIsPublishedByTheReceiver) {
  Sent sent;
  EXPECT_TRUE(sent.accepted(false));
  EXPECT_EQ(looked(sent.receiver, 7).version, 0U);
  EXPECT_EQ(sent.sender.publish(sent.ticket, sent.reserved, false), Status::kOk);
  EXPECT_EQ(sent.sender.release(sent.ticket), Status::kOk);
  EXPECT_EQ(Inspection(sent.memory).entries(), 0U);
  EXPECT_TRUE(sent.accepted(false));
  changed(sent.receiver, 7);
  EXPECT_FALSE(sent.accepted(false));
}

TEST(RegistryTable, whatIsSentAgainOrByWhoHasDiedDoesNotCount) {
  {
    Sent sent;
    (void)sent.memory.member();
    EXPECT_FALSE(sent.accepted()) << "it was not sent to who has joined";
    EXPECT_EQ(sent.sender.publish(sent.ticket, sent.reserved, true), Status::kJoined);
    const RegistryTable::Reservation first = sent.reserved;
    EXPECT_EQ(sent.sender.reserve(sent.ticket, sent.reserved), Status::kOk);
    EXPECT_TRUE(sent.accepted());
    sent.reserved = first;
    EXPECT_FALSE(sent.accepted());
  }
  {
    Sent sent;
    EXPECT_EQ(sent.sender.leave(), Status::kOk);
    EXPECT_FALSE(sent.accepted());
    EXPECT_EQ(looked(sent.receiver, 7).version, sent.before);
    claimed(sent.receiver, 7, Status::kOk);
    EXPECT_FALSE(sent.accepted()) << "another one holds the lock";
  }
  {
    Sent sent;
    EXPECT_EQ(sent.sender.release(sent.ticket), Status::kOk) << "without publishing";
    EXPECT_FALSE(sent.accepted());
    sent.ticket = claimed(sent.sender, 7, Status::kOk);
    EXPECT_FALSE(sent.accepted()) << "the same one holds the lock, for something else";
  }
}

// Members

TEST(RegistryTable, whoJoinsBetweenReserveAndPublishIsNoticed) {
  GrowingMemory memory;
  RegistryTable writer = memory.member();
  const std::uint32_t ticket = claimed(writer, 7, Status::kOk);
  RegistryTable::Reservation reserved;
  EXPECT_EQ(writer.reserve(ticket, reserved), Status::kOk);
  EXPECT_EQ(reserved.others, 0U);
  RegistryTable newcomer = memory.member();
  EXPECT_EQ(writer.publish(ticket, reserved, true), Status::kJoined);
  EXPECT_EQ(looked(newcomer, 7).version, 0U);
  RegistryTable::Reservation again;
  EXPECT_EQ(writer.reserve(ticket, again), Status::kOk);
  EXPECT_EQ(again.others, 1U);
  EXPECT_GT(again.version, reserved.version);
  EXPECT_EQ(newcomer.leave(), Status::kOk);
  EXPECT_EQ(writer.publish(ticket, again, true), Status::kOk) << "who leaves need not be sent anything";
  EXPECT_EQ(looked(writer, 7).version, again.version);
}

TEST(RegistryTable, membersAreListedUntilTheyLeave) {
  GrowingMemory memory;
  std::vector<RegistryTable> tables(5, memory.table());
  for (std::uint32_t i = 0; i < 5; ++i) {
    EXPECT_FALSE(tables[i].joined());
    EXPECT_EQ(tables[i].join(100 + i), Status::kOk);
    EXPECT_TRUE(tables[i].joined());
  }
  tables[2].setReady();
  EXPECT_EQ(tables[1].leave(), Status::kOk);
  EXPECT_EQ(tables[4].leave(), Status::kOk);
  EXPECT_FALSE(tables[4].joined());
  std::array<RegistryTable::Member, 8> found;
  std::uint32_t count = 0;
  EXPECT_EQ(tables[0].members(found, count), Status::kOk);
  ASSERT_EQ(count, 3U);
  std::map<std::uint32_t, RegistryTable::Member> byThread;
  for (const auto& member : std::span(found).first(count)) byThread[member.thread] = member;
  for (const std::uint32_t i : {0U, 2U, 3U}) {
    ASSERT_TRUE(byThread.contains(100 + i));
    EXPECT_EQ(byThread[100 + i].serial, tables[i].serial());
    EXPECT_EQ(byThread[100 + i].ready, i == 2);
  }
  EXPECT_EQ(tables[0].members(std::span(found).first(1), count), Status::kOk);
  EXPECT_EQ(count, 3U) << "how many there are, whether there is room for them or not";
}

TEST(RegistryTable, recordsAreUsedAgainAndSerialsAreNot) {
  GrowingMemory memory;
  RegistryTable stays = memory.member();
  const std::uint32_t taken = arenaOf(memory);
  std::set<std::uint32_t> serials{stays.serial()};
  for (int i = 0; i < 20; ++i) {
    RegistryTable comes = memory.member();
    EXPECT_TRUE(serials.insert(comes.serial()).second);
    std::array<RegistryTable::Member, 2> found;
    std::uint32_t count = 0;
    EXPECT_EQ(stays.members(found, count), Status::kOk);
    EXPECT_EQ(count, 2U);
    EXPECT_FALSE(found[0].ready || found[1].ready) << "as it was left by the last one";
    comes.setReady();
    EXPECT_EQ(comes.leave(), Status::kOk);
  }
  EXPECT_EQ(arenaOf(memory), taken + layout::kMemberUnits);
}

TEST(RegistryTable, whoLeavesPassesItsLocksOn) {
  GrowingMemory memory;
  RegistryTable leaving = memory.member();
  RegistryTable stays = memory.member();
  RegistryTable third = memory.member();
  // One is held, one given and not taken, one given and in the private list, one waits between others.
  const std::uint32_t heldByStays = claimed(stays, 2, Status::kOk);
  const std::uint32_t alsoHeldByStays = claimed(stays, 3, Status::kOk);
  const std::uint32_t third4 = claimed(third, 4, Status::kOk);
  claimed(leaving, 1, Status::kOk);
  const std::uint32_t given = claimed(leaving, 2, Status::kQueued);
  claimed(leaving, 3, Status::kQueued);
  claimed(leaving, 4, Status::kQueued);
  claimed(leaving, 5, Status::kOk);
  claimed(leaving, 5, Status::kQueued);
  std::map<std::uint64_t, std::uint32_t> waiting;
  for (std::uint64_t key = 1; key <= 5; ++key) waiting[key] = claimed(stays, key, Status::kQueued);
  EXPECT_EQ(stays.release(heldByStays), Status::kOk);
  EXPECT_EQ(stays.release(alsoHeldByStays), Status::kOk);
  EXPECT_EQ(leaving.nextGrant(), given) << "which takes both";
  EXPECT_EQ(stays.nextGrant(), 0U);
  const std::uint32_t serial = leaving.serial();
  EXPECT_EQ(looked(stays, 5).holder, serial);

  EXPECT_EQ(leaving.leave(), Status::kOk);
  EXPECT_EQ(leaving.leave(), Status::kOk) << "once more does nothing";
  std::set<std::uint32_t> granted;
  while (const std::uint32_t ticket = stays.nextGrant()) granted.insert(ticket);
  EXPECT_EQ(granted, (std::set{waiting[1], waiting[2], waiting[3], waiting[5]}));
  EXPECT_EQ(third.release(third4), Status::kOk);
  EXPECT_EQ(stays.nextGrant(), waiting[4]);

  // The record's next user has nothing of it.
  RegistryTable next = memory.member();
  EXPECT_EQ(next.nextGrant(), 0U);
  EXPECT_NE(next.serial(), serial);
  for (const auto& [key, ticket] : waiting) EXPECT_EQ(stays.release(ticket), Status::kOk);
  EXPECT_EQ(next.nextGrant(), 0U);
  EXPECT_EQ(Inspection(memory).entries(), 0U);
  EXPECT_EQ(Inspection(memory).members(), 3U);
}

TEST(RegistryTable, whatWasReservedByWhoLeftIsNeverSeen) {
  GrowingMemory memory;
  RegistryTable leaving = memory.member();
  RegistryTable stays = memory.member();
  const std::uint64_t before = changed(leaving, 7);
  const std::uint32_t ticket = claimed(leaving, 7, Status::kOk);
  RegistryTable::Reservation reserved;
  EXPECT_EQ(leaving.reserve(ticket, reserved), Status::kOk);
  EXPECT_EQ(leaving.leave(), Status::kOk);
  EXPECT_EQ(looked(stays, 7).version, before);
  EXPECT_GT(changed(stays, 7), reserved.version);
}

TEST(RegistryTable, leavingIsRepeatedWhereTheMemoryHasGrown) {
  GrowingMemory memory(RegistryTable::bytesFor(1), RegistryTable::bytesFor(10'000));
  RegistryTable leaving = memory.member();
  claimed(leaving, 7, Status::kOk);
  RegistryTable grows = memory.member();
  for (std::uint64_t key = 100; key < 2'000; ++key) {
    std::uint32_t ticket = 0;
    EXPECT_EQ(memory.insist(grows, [&] { return grows.claim(key, ticket); }), Status::kOk);
  }
  EXPECT_EQ(leaving.leave(), Status::kGrown);
  EXPECT_TRUE(leaving.joined());
  EXPECT_EQ(memory.insist(leaving, [&] { return leaving.leave(); }), Status::kOk);
  EXPECT_FALSE(leaving.joined());
  claimed(grows, 7, Status::kOk);
}

// Doorbells

/// Members of a table that records whom it rings.
class Rung {
 public:
  Rung() : region_(Region::allocate(RecordingTable::bytesFor(1'000))), table_(region_.data(), region_.size()) {
    table_.init(1, 2);
    RecordingPlatform::rung.clear();
  }
  [[nodiscard]] RecordingTable member() const {
    RecordingTable joined = table_;
    EXPECT_EQ(joined.join(0), Status::kOk);
    return joined;
  }
  /// How often a doorbell rang since it was asked.
  static std::ptrdiff_t times(const Word32& doorbell) {
    const std::ptrdiff_t count =
        std::count(RecordingPlatform::rung.begin(), RecordingPlatform::rung.end(), doorbell.address());
    std::erase(RecordingPlatform::rung, doorbell.address());
    return count;
  }

 private:
  Region region_;
  RecordingTable table_;
};

TEST(RegistryTable, aGrantRingsOnceWhileTheDoorbellIsArmed) {
  const Rung rung;
  RecordingTable holder = rung.member();
  RecordingTable waiter = rung.member();
  RecordingTable other = rung.member();
  std::array<std::uint32_t, 6> held{};
  for (std::uint64_t key = 0; key < 6; ++key) {
    held[key] = claimed(holder, key, Status::kOk);
    claimed(waiter, key, Status::kQueued);
  }
  EXPECT_EQ(holder.release(held[0]), Status::kOk);
  EXPECT_EQ(Rung::times(waiter.grants()), 1) << "as it joined";
  EXPECT_EQ(holder.release(held[1]), Status::kOk);
  EXPECT_EQ(Rung::times(waiter.grants()), 0) << "not armed";
  waiter.armGrants();
  EXPECT_EQ(holder.release(held[2]), Status::kOk);
  EXPECT_EQ(holder.release(held[3]), Status::kOk);
  EXPECT_EQ(Rung::times(waiter.grants()), 1);
  waiter.armGrants();
  waiter.armGrants();
  EXPECT_EQ(Rung::times(waiter.grants()), 0) << "nothing happened";
  EXPECT_EQ(holder.leave(), Status::kOk);
  EXPECT_EQ(Rung::times(waiter.grants()), 1) << "by who leaves too";
  EXPECT_EQ(Rung::times(other.grants()), 0) << "nobody else's";
  for (std::uint64_t key = 0; key < 6; ++key) EXPECT_NE(waiter.nextGrant(), 0U);
}

TEST(RegistryTable, changesAmongTheMembersRingOnceWhileArmed) {
  const Rung rung;
  RecordingTable watcher = rung.member();
  RecordingTable second = rung.member();
  RecordingTable third = rung.member();
  RecordingTable fourth = rung.member();
  Rung::times(watcher.changes());
  second.setReady();
  EXPECT_EQ(Rung::times(watcher.changes()), 0) << "not armed";
  watcher.armChanges();
  changed(second, 7);
  EXPECT_EQ(Rung::times(watcher.changes()), 0) << "a value is none of them";
  second.setReady();
  third.setReady();
  EXPECT_EQ(Rung::times(watcher.changes()), 1);
  watcher.armChanges();
  EXPECT_EQ(third.leave(), Status::kOk);
  EXPECT_EQ(fourth.leave(), Status::kOk);
  EXPECT_EQ(Rung::times(watcher.changes()), 1);
}

// Whatever comes

TEST(RegistryTable, aLifeOfRandomCallsIsThatOfQueuesAndVersions) {
  const Random random;
  struct Ticket {
    std::size_t owner = 0;
    std::uint32_t number = 0;
    bool given = false;
  };
  struct Key {
    std::deque<Ticket> queue;
    std::uint64_t version = 0;
    std::uint64_t last = 0;
    std::uint32_t writer = 0;
  };
  constexpr std::size_t kMembers = 5;
  constexpr std::uint64_t kKeys = 30;
  for (std::uint64_t round = 0; round < (test::longForm() ? 1'000 : 30); ++round) {
    Random choices = random.fork(round);
    GrowingMemory memory(RegistryTable::bytesFor(1), RegistryTable::bytesFor(4'000));
    std::vector<RegistryTable> tables;
    std::vector<std::deque<std::uint32_t>> grants(kMembers);
    std::array<Key, kKeys> keys;
    for (std::size_t i = 0; i < kMembers; ++i) tables.push_back(memory.member());
    const auto passOn = [&](Key& key) {
      if (key.queue.empty() || key.queue.front().given) return;
      key.queue.front().given = true;
      grants[key.queue.front().owner].push_back(key.queue.front().number);
    };
    for (int step = 0; step < 1'500; ++step) {
      const std::size_t who = choices.below(kMembers);
      RegistryTable& table = tables[who];
      const std::uint64_t number = choices.below(kKeys);
      Key& key = keys[number];
      const auto own =
          std::find_if(key.queue.begin(), key.queue.end(), [&](const Ticket& t) { return t.owner == who; });
      // Whether its first ticket holds the lock and is not to be found among the grants any more.
      const bool holds = own != key.queue.end() && own == key.queue.begin() &&
                         std::find(grants[who].begin(), grants[who].end(), own->number) == grants[who].end();
      switch (choices.below(10)) {
        case 0:
        case 1:
        case 2: {
          Ticket ticket{who, 0, key.queue.empty()};
          ASSERT_EQ(memory.insist(table, [&] { return table.claim(number, ticket.number); }),
                    key.queue.empty() ? Status::kOk : Status::kQueued);
          key.queue.push_back(ticket);
          break;
        }
        case 3:
        case 4: {
          const std::uint32_t ticket = table.nextGrant();
          ASSERT_EQ(ticket, grants[who].empty() ? 0 : grants[who].front());
          if (ticket != 0) grants[who].pop_front();
          break;
        }
        case 5: {
          if (own == key.queue.end()) break;
          const Status status = memory.insist(table, [&] { return table.withdraw(own->number); });
          ASSERT_EQ(status, own->given ? Status::kGranted : Status::kOk);
          if (status == Status::kOk) key.queue.erase(own);
          break;
        }
        case 6:
        case 7: {
          if (own == key.queue.end()) break;
          RegistryTable::Reservation reserved;
          ASSERT_EQ(table.reserve(own->number, reserved), Status::kOk);
          ASSERT_GT(reserved.version, key.last);
          key.last = reserved.version;
          const bool present = choices.percent(70);
          ASSERT_EQ(memory.insist(table, [&] { return table.publish(own->number, reserved, present); }),
                    holds ? Status::kOk : Status::kNotHeld);
          if (!holds) break;
          key.version = present ? reserved.version : 0;
          key.writer = table.serial();
          break;
        }
        case 8: {
          if (own == key.queue.end()) break;
          ASSERT_EQ(memory.insist(table, [&] { return table.release(own->number); }),
                    holds ? Status::kOk : Status::kNotHeld);
          if (!holds) break;
          key.queue.erase(own);
          passOn(key);
          break;
        }
        default: {
          if (!choices.percent(15)) break;
          ASSERT_EQ(memory.insist(table, [&] { return table.leave(); }), Status::kOk);
          grants[who].clear();
          table = memory.member();
          std::vector<std::vector<std::uint32_t>> given(kMembers);
          for (Key& each : keys) {
            std::erase_if(each.queue, [&](const Ticket& t) { return t.owner == who; });
            if (each.queue.empty() || each.queue.front().given) continue;
            each.queue.front().given = true;
            given[each.queue.front().owner].push_back(each.queue.front().number);
          }
          // In which order many are given at once depends on the shards: they are taken now.
          for (std::size_t i = 0; i < kMembers; ++i) {
            std::set<std::uint32_t> expected(grants[i].begin(), grants[i].end());
            expected.insert(given[i].begin(), given[i].end());
            if (given[i].empty()) continue;
            std::set<std::uint32_t> taken;
            while (const std::uint32_t ticket = tables[i].nextGrant()) taken.insert(ticket);
            ASSERT_EQ(taken, expected);
            grants[i].clear();
          }
          break;
        }
      }
      RegistryTable reader = memory.table();
      const RegistryTable::Look found = looked(reader, number);
      ASSERT_EQ(found.version, key.version);
      ASSERT_EQ(found.version == 0 ? 0 : found.writer, key.version == 0 ? 0 : key.writer);
      ASSERT_EQ(found.holder, key.queue.empty() ? 0 : tables[key.queue.front().owner].serial());
      if (step % 100 == 0) {
        Inspection whole(memory);
        ASSERT_FALSE(testing::Test::HasFailure());
      }
    }
    for (RegistryTable& table : tables) EXPECT_EQ(memory.insist(table, [&] { return table.leave(); }), Status::kOk);
    const Inspection whole(memory);
    EXPECT_EQ(whole.tickets(), 0U);
    EXPECT_EQ(whole.members(), 0U);
  }
}

// Growth

TEST(RegistryTable, aTableAsLargeAsForSomeKeysTakesThem) {
  for (const std::uint64_t keys : {1U, 2U, 3U, 10U, 30U, 64U, 100U, 200U, 500U, 1'000U, 2'000U, 5'000U, 20'000U}) {
    for (std::uint64_t start = 0; start < 3; ++start) {
      GrowingMemory memory(RegistryTable::bytesFor(keys), RegistryTable::bytesFor(keys) * 2);
      RegistryTable table = memory.member();
      for (std::uint64_t key = 0; key < keys; ++key) {
        std::uint32_t ticket = 0;
        ASSERT_EQ(table.claim(start * 1'000'003 + key, ticket), Status::kOk)
            << "key " << key << " of " << keys << ", " << arenaOf(memory) << " units are taken";
        published(table, ticket);
        EXPECT_EQ(table.release(ticket), Status::kOk);
      }
    }
  }
}

TEST(RegistryTable, whatFindsNoRoomChangesNothing) {
  GrowingMemory memory(RegistryTable::bytesFor(1), RegistryTable::bytesFor(1'000));
  RegistryTable table = memory.member();
  std::map<std::uint64_t, std::uint64_t> versions;
  std::uint64_t refused = 0;
  for (std::uint64_t key = 0; key < 500; ++key) {
    std::uint32_t ticket = 0;
    const Status status = table.claim(key, ticket);
    if (status == Status::kNoRoom) {
      EXPECT_EQ(ticket, 0U);
      ++refused;
      continue;
    }
    ASSERT_EQ(status, Status::kOk);
    versions[key] = published(table, ticket);
    EXPECT_EQ(table.release(ticket), Status::kOk);
  }
  EXPECT_GT(refused, 0U);
  EXPECT_EQ(Inspection(memory).entries(), versions.size());
  for (std::uint64_t key = 0; key < 500; ++key) {
    EXPECT_EQ(looked(table, key).version, versions.contains(key) ? versions[key] : 0);
  }
  // With a member's record too.
  RegistryTable newcomer = memory.table();
  while (newcomer.join(0) == Status::kOk) newcomer = memory.table();
  EXPECT_FALSE(newcomer.joined());
  EXPECT_EQ(memory.insist(newcomer, [&] { return newcomer.join(0); }), Status::kOk);
  std::uint32_t ticket = 0;
  EXPECT_EQ(table.claim(1'000, ticket), Status::kGrown) << "the arena is past what this one knows";
}

TEST(RegistryTable, aMillionKeysTakeAtMost64BytesEach) {
  constexpr std::uint64_t kKeys = test::kSanitized ? 50'000 : 1'000'000;
  GrowingMemory memory(RegistryTable::bytesFor(1), RegistryTable::bytesFor(kKeys));
  RegistryTable table = memory.member();
  for (std::uint64_t key = 0; key < kKeys; ++key) {
    std::uint32_t ticket = 0;
    ASSERT_EQ(memory.insist(table, [&] { return table.claim(key, ticket); }), Status::kOk);
    RegistryTable::Reservation reserved;
    if (table.reserve(ticket, reserved) != Status::kOk || table.publish(ticket, reserved, true) != Status::kOk ||
        table.release(ticket) != Status::kOk) {
      FAIL() << key;
    }
  }
  EXPECT_LE(std::uint64_t{arenaOf(memory)} * layout::kRegistryUnit / kKeys, 64U);
  std::cout << std::uint64_t{arenaOf(memory)} * layout::kRegistryUnit / kKeys << " bytes a key\n";
  for (std::uint64_t key = 0; key < kKeys; key += 997) EXPECT_NE(looked(table, key).version, 0U);
}

TEST(RegistryTable, whileItGrowsEveryKeyIsFoundByOthers) {
  constexpr std::uint64_t kKeys = test::kSanitized ? 20'000 : 100'000;
  const Random random;
  GrowingMemory memory(RegistryTable::bytesFor(1), RegistryTable::bytesFor(kKeys) * 2);
  RegistryTable writer = memory.member();
  std::atomic<std::uint64_t> made{0};
  std::uint64_t looks = 0;
  std::uint64_t missed = 0;
  std::thread reader([&] {
    Random choices = random.fork(1);
    RegistryTable table = memory.member();
    for (std::uint64_t known = 0; known < kKeys; known = made.load()) {
      if (known == 0) continue;
      // Most of them among the newest.
      const std::uint64_t key =
          choices.percent(50) ? known - 1 - choices.below(std::min<std::uint64_t>(known, 20)) : choices.below(known);
      RegistryTable::Look found;
      const Status status = memory.insist(table, [&] { return table.look(key, found); });
      if (status != Status::kOk || found.version == 0 || found.writer != writer.serial()) ++missed;
      ++looks;
    }
    EXPECT_EQ(memory.insist(table, [&] { return table.leave(); }), Status::kOk);
  });
  for (std::uint64_t key = 0; key < kKeys; ++key) {
    std::uint32_t ticket = 0;
    RegistryTable::Reservation reserved;
    EXPECT_EQ(memory.insist(writer, [&] { return writer.claim(key, ticket); }), Status::kOk);
    Status status = Status::kJoined;
    while (status == Status::kJoined) {
      EXPECT_EQ(writer.reserve(ticket, reserved), Status::kOk);
      status = memory.insist(writer, [&] { return writer.publish(ticket, reserved, true); });
    }
    EXPECT_EQ(status, Status::kOk);
    EXPECT_EQ(memory.insist(writer, [&] { return writer.release(ticket); }), Status::kOk);
    made.store(key + 1);
  }
  reader.join();
  EXPECT_EQ(missed, 0U);
  EXPECT_GT(looks, 0U);
  EXPECT_GT(memory.grown(), 5);
  EXPECT_EQ(Inspection(memory).entries(), kKeys);
}

// Scans

TEST(RegistryTable, aScanFindsWhatHasAValueAndNothingElse) {
  GrowingMemory memory;
  RegistryTable table = memory.member();
  std::map<std::uint64_t, std::uint64_t> versions;
  for (std::uint64_t key = 0; key < 500; ++key) versions[key] = changed(table, key);
  for (std::uint64_t key = 0; key < 500; key += 3) {
    changed(table, key, false);
    versions.erase(key);
  }
  for (std::uint64_t key = 1'000; key < 1'100; ++key) claimed(table, key, Status::kOk);
  for (const std::size_t atOnce : {16U, 64U, 1'000U}) {
    std::map<std::uint64_t, std::uint64_t> found;
    for (const auto& each : scanned(memory, table, atOnce)) {
      EXPECT_TRUE(found.emplace(each.key, each.version).second) << "twice, though nothing changed";
      EXPECT_EQ(each.writer, table.serial());
    }
    EXPECT_EQ(found, versions);
  }
}

TEST(RegistryTable, aScanFindsWhatIsThereThroughoutWhileOthersComeAndGo) {
  const Random random;
  constexpr std::uint64_t kStay = 500;
  for (std::uint64_t round = 0; round < (test::longForm() ? 200 : 10); ++round) {
    Random choices = random.fork(round);
    GrowingMemory memory(RegistryTable::bytesFor(1), RegistryTable::bytesFor(20'000));
    RegistryTable writer = memory.member();
    const auto change = [&](std::uint64_t key, bool present) {
      std::uint32_t ticket = 0;
      ASSERT_EQ(memory.insist(writer, [&] { return writer.claim(key, ticket); }), Status::kOk);
      published(writer, ticket, present);
      ASSERT_EQ(writer.release(ticket), Status::kOk);
    };
    for (std::uint64_t key = 0; key < kStay; ++key) change(key, true);
    RegistryTable scanner = memory.table();
    RegistryTable::ScanPlace place;
    std::array<RegistryTable::Found, 12> some;
    std::set<std::uint64_t> found;
    std::uint64_t next = kStay;
    std::vector<std::uint64_t> others;
    while (place.shard < layout::kRegistryShards) {
      std::uint32_t count = 0;
      ASSERT_EQ(memory.insist(scanner, [&] { return scanner.scan(place, some, count); }), Status::kOk);
      for (const auto& each : std::span(some).first(count)) found.insert(each.key);
      for (std::uint64_t i = choices.below(200); i > 0; --i) {
        if (!others.empty() && choices.percent(40)) {
          const std::size_t which = choices.below(others.size());
          change(others[which], false);
          others.erase(others.begin() + static_cast<std::ptrdiff_t>(which));
        } else {
          others.push_back(next);
          change(next++, true);
        }
      }
    }
    for (std::uint64_t key = 0; key < kStay; ++key) EXPECT_TRUE(found.contains(key)) << key;
    for (const std::uint64_t key : found) EXPECT_LT(key, next);
  }
}

TEST(RegistryTable, aScanInOneThreadFindsWhatStaysWhileAnotherMakesAndDeletes) {
  constexpr std::uint64_t kStay = 2'000;
  GrowingMemory memory(RegistryTable::bytesFor(kStay), RegistryTable::bytesFor(200'000));
  RegistryTable writer = memory.member();
  for (std::uint64_t key = 0; key < kStay; ++key) {
    std::uint32_t ticket = 0;
    ASSERT_EQ(memory.insist(writer, [&] { return writer.claim(key, ticket); }), Status::kOk);
    published(writer, ticket);
    ASSERT_EQ(writer.release(ticket), Status::kOk);
  }
  std::atomic<bool> stop{false};
  std::thread churn([&] {
    // Waves that pass: each time more buckets, and cells that change hands.
    for (std::uint64_t wave = 1; !stop.load(); ++wave) {
      for (const bool present : {true, false}) {
        for (std::uint64_t key = 0; key < 1'000 + std::min<std::uint64_t>(wave, 20) * 500 && !stop.load(); ++key) {
          std::uint32_t ticket = 0;
          EXPECT_EQ(memory.insist(writer, [&] { return writer.claim(kStay + key, ticket); }), Status::kOk);
          RegistryTable::Reservation reserved;
          EXPECT_EQ(writer.reserve(ticket, reserved), Status::kOk);
          EXPECT_EQ(memory.insist(writer, [&] { return writer.publish(ticket, reserved, present); }), Status::kOk);
          EXPECT_EQ(memory.insist(writer, [&] { return writer.release(ticket); }), Status::kOk);
        }
      }
    }
  });
  RegistryTable scanner = memory.table();
  for (int round = 0; round < 30; ++round) {
    std::vector<bool> found(kStay);
    for (const auto& each : scanned(memory, scanner)) {
      if (each.key < kStay) found[each.key] = true;
    }
    EXPECT_EQ(std::count(found.begin(), found.end(), true), static_cast<std::ptrdiff_t>(kStay));
  }
  stop.store(true);
  churn.join();
}

// Threads

/// The next grant of a member that waits for one; 0, and a failure, if none comes for seconds.
std::uint32_t awaitGrant(RegistryTable& table) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (std::uint32_t tries = 0;; ++tries) {
    const std::uint32_t ticket = table.nextGrant();
    if (ticket != 0) return ticket;
    if (tries < 10) continue;
    std::this_thread::yield();
    if (tries % 64 == 0 && std::chrono::steady_clock::now() > limit) break;
  }
  ADD_FAILURE() << "a grant that does not come";
  return 0;
}

TEST(RegistryTable, whatIsDoneUnderAKeysLockIsDoneByOneThreadAtATime) {
  constexpr std::uint64_t kThreads = 4;
  constexpr std::uint64_t kRounds = test::kSanitized ? 1'000 : 20'000;
  GrowingMemory memory;
  std::uint64_t counter = 0;  // not atomic: that is the point
  std::latch begin(kThreads);
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      RegistryTable table = memory.member();
      begin.arrive_and_wait();
      std::uint64_t last = 0;
      for (std::uint64_t round = 0; round < kRounds; ++round) {
        std::uint32_t ticket = 0;
        const Status status = table.claim(7, ticket);
        if (status == Status::kQueued) {
          if (awaitGrant(table) != ticket) return;
        } else {
          EXPECT_EQ(status, Status::kOk);
        }
        ++counter;
        if (round % 16 == 0) {
          RegistryTable::Reservation reserved;
          EXPECT_EQ(table.reserve(ticket, reserved), Status::kOk);
          EXPECT_GT(reserved.version, last);
          last = reserved.version;
        }
        EXPECT_EQ(table.release(ticket), Status::kOk);
      }
      EXPECT_EQ(table.leave(), Status::kOk);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter, kThreads * kRounds);
  const Inspection whole(memory);
  EXPECT_EQ(whole.entries() + whole.tickets() + whole.members(), 0U);
}

TEST(RegistryTable, membersThatComeClaimAndLeaveLoseNoLock) {
  constexpr std::uint64_t kThreads = 4;
  constexpr std::uint64_t kKeys = 5;
  const Random random;
  GrowingMemory memory(RegistryTable::bytesFor(1), RegistryTable::bytesFor(2'000));
  std::array<std::atomic<std::uint32_t>, kKeys> inside{};
  std::latch begin(kThreads);
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      Random choices = random.fork(i);
      begin.arrive_and_wait();
      for (int life = 0; life < (test::kSanitized ? 40 : 400); ++life) {
        RegistryTable table = memory.member();
        for (std::uint64_t n = choices.below(20); n > 0; --n) {
          const std::uint64_t key = choices.below(kKeys);
          std::uint32_t ticket = 0;
          Status status = memory.insist(table, [&] { return table.claim(key, ticket); });
          if (status == Status::kQueued && choices.percent(30)) {
            if (memory.insist(table, [&] { return table.withdraw(ticket); }) == Status::kOk) continue;
          }
          if (status == Status::kQueued) {
            if (choices.percent(5)) break;  // and leaves while it waits, or has been given it
            if (awaitGrant(table) != ticket) return;
          }
          EXPECT_EQ(inside[key].fetch_add(1), 0U);
          inside[key].fetch_sub(1);
          if (choices.percent(10)) break;  // and leaves with the lock
          RegistryTable::Reservation reserved;
          EXPECT_EQ(table.reserve(ticket, reserved), Status::kOk);
          status = memory.insist(table, [&] { return table.publish(ticket, reserved, choices.percent(50)); });
          EXPECT_TRUE(status == Status::kOk || status == Status::kJoined);
          EXPECT_EQ(memory.insist(table, [&] { return table.release(ticket); }), Status::kOk);
        }
        EXPECT_EQ(memory.insist(table, [&] { return table.leave(); }), Status::kOk);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Inspection whole(memory);
  EXPECT_EQ(whole.tickets(), 0U);
  EXPECT_EQ(whole.members(), 0U);
}

// Hostile memory

/// Where a table may touch, and how often what it reads is not what it wrote, as if somebody scribbled all the time.
struct Hostility {
  std::byte* begin = nullptr;
  std::byte* end = nullptr;
  std::uint64_t lies = 0;  ///< of 1,000 loads
  std::uint64_t outside = 0;
  Random random{0};
  std::uint64_t growsAfter = 0;  ///< locks that are taken until the arena is past what the table knows; 0: never

  std::uint64_t lie() {
    switch (random.below(4)) {
      case 0:
        return random.below(4);
      case 1:
        return random.below(static_cast<std::uint64_t>(end - begin) / layout::kRegistryUnit + 8);
      case 2:
        return ~random.below(4);
      default:
        return random.bits();
    }
  }
};
Hostility hostility;

template <typename T>
class HostileWord {
 public:
  using Value = T;
  HostileWord(std::byte* base, std::size_t offset) noexcept : at_(base + offset) {}

  [[nodiscard]] T loadRelaxed() const noexcept {
    if (!inside()) return 0;
    return lied() ? static_cast<T>(hostility.lie()) : word().loadRelaxed();
  }
  [[nodiscard]] T loadAcquire() const noexcept { return loadRelaxed(); }
  void storeRelaxed(T value) const noexcept {
    if (inside()) word().storeRelaxed(value);
  }
  void storeRelease(T value) const noexcept { storeRelaxed(value); }
  T exchangeAcqRel(T value) const noexcept {
    const T seen = loadRelaxed();
    storeRelaxed(value);
    return seen;
  }
  [[nodiscard]] bool compareExchange(T& expected, T desired) const noexcept {
    if (!inside()) return true;
    if (hostility.growsAfter != 0 && --hostility.growsAfter == 0) {
      const auto units = static_cast<std::uint32_t>((hostility.end - hostility.begin) / layout::kRegistryUnit);
      AtomicWord<std::uint32_t>(hostility.begin, layout::kRegistryOffsetArena).storeRelaxed(units);
    }
    if (!lied()) return word().compareExchange(expected, desired);
    expected = static_cast<T>(hostility.lie());
    return false;
  }
  T fetchAddRelaxed(T delta) const noexcept {
    const T seen = loadRelaxed();
    storeRelaxed(static_cast<T>(seen + delta));
    return seen;
  }
  T fetchAddRelease(T delta) const noexcept { return fetchAddRelaxed(delta); }

 private:
  [[nodiscard]] bool inside() const noexcept {
    const auto at = reinterpret_cast<std::uintptr_t>(at_);
    const bool ok = at >= reinterpret_cast<std::uintptr_t>(hostility.begin) &&
                    at + sizeof(T) <= reinterpret_cast<std::uintptr_t>(hostility.end) && at % sizeof(T) == 0;
    if (!ok) ++hostility.outside;
    return ok;
  }
  static bool lied() noexcept { return hostility.lies != 0 && hostility.random.below(1'000) < hostility.lies; }
  [[nodiscard]] AtomicWord<T> word() const noexcept { return AtomicWord<T>(reinterpret_cast<T*>(at_)); }

  std::byte* at_;
};

struct HostilePlatform {
  using Word32 = HostileWord<std::uint32_t>;
  using Word64 = HostileWord<std::uint64_t>;
  static constexpr int kSpins = 1;
  static constexpr int kSleeps = 1;

  static void relax() noexcept {}
  static void park(Word32 /*word*/, std::uint32_t /*expected*/) noexcept {}
  static void unpark(Word32 /*word*/) noexcept {}
  static void signal(Word32 /*doorbell*/, Word64 /*image*/) noexcept {}
};

/// Three members of a table in the middle of its life.
template <class P>
struct Used {
  using Table = BasicRegistryTable<P>;
  static constexpr std::uint64_t kKeys = 40;

  Used(std::byte* base, std::uint64_t size) {
    std::memset(base, 0, size);
    Table(base, size).init(1, 2);
    tables.resize(3, Table(base, size));
    for (Table& table : tables) (void)table.join(0);
    for (std::uint64_t key = 0; key < kKeys; ++key) {
      Table& table = tables[key % 3];
      std::uint32_t ticket = 0;
      if (table.claim(key, ticket) != Status::kOk) continue;
      typename Table::Reservation reserved;
      (void)table.reserve(ticket, reserved);
      (void)table.publish(ticket, reserved, true);
      if (key % 4 == 0) {
        tickets.push_back(ticket);
      } else {
        (void)table.release(ticket);
      }
    }
    for (std::uint64_t key = 0; key < kKeys; key += 2) {
      std::uint32_t ticket = 0;
      (void)tables[key / 2 % 3].claim(key, ticket);
      tickets.push_back(ticket);
    }
  }

  /// All that there is to call; nothing is asked of what it answers.
  void exercise(Random& random) {
    for (int i = 0; i < 30; ++i) {
      Table& table = tables[random.below(tables.size())];
      std::uint32_t ticket = random.pick(tickets);
      typename Table::Reservation reserved;
      typename Table::Look found;
      bool counts = false;
      switch (random.below(11)) {
        case 10:
          (void)table.reserve(ticket, reserved);
          (void)table.accept(random.below(kKeys), reserved, table.serial(), random.percent(80), counts);
          break;
        case 0:
          (void)table.claim(random.below(kKeys * 2), ticket);
          tickets.push_back(ticket);
          break;
        case 1:
          (void)table.withdraw(ticket);
          break;
        case 2:
          ticket = table.nextGrant();
          if (ticket != 0) tickets.push_back(ticket);
          break;
        case 3:
        case 4:
          (void)table.reserve(ticket, reserved);
          (void)table.publish(ticket, reserved, random.percent(50));
          break;
        case 5:
        case 6:
          (void)table.release(ticket);
          break;
        case 7:
          table.armGrants();
          table.armChanges();
          table.setReady();
          break;
        default:
          (void)table.look(random.below(kKeys * 2), found);
      }
    }
    std::array<typename Table::Found, 8> some;
    typename Table::ScanPlace place;
    std::uint32_t count = 0;
    while (place.shard < layout::kRegistryShards && tables[0].scan(place, some, count) == Status::kOk) {
      EXPECT_LE(count, some.size());
    }
    std::array<typename Table::Member, 4> members;
    (void)tables[0].members(members, count);
    (void)tables[0].valid();
    Table& leaving = tables[random.below(tables.size())];
    (void)leaving.leave();
    (void)leaving.join(0);
    for (Table& table : tables) (void)table.leave();
  }

  std::vector<Table> tables;
  std::vector<std::uint32_t> tickets;
};

constexpr std::uint64_t kHostileSize = RegistryTable::kLeastBytes + std::uint64_t{1'000} * layout::kRegistryUnit;

/// Overwrites some places: bytes, and words with what could be a unit of the memory.
void scribble(std::byte* base, Random& random) {
  for (std::uint64_t n = random.between(1, 12); n > 0; --n) {
    // Mostly where something is.
    const std::uint64_t used = std::min(kHostileSize, std::uint64_t{wordAt(base, layout::kRegistryOffsetArena)} * 32);
    const std::uint64_t limit = used < 64 || random.percent(10) ? kHostileSize : used;
    const std::uint64_t at = random.below(limit) / 4 * 4;
    // A lost lock is another test's: it hides all that is behind it.
    const bool lock = at >= layout::kRegistryOffsetShards && at < layout::kRegistryOffsetUnits &&
                      (at - layout::kRegistryOffsetShards) % layout::kRegistryShardBytes == 0;
    if ((lock || at == layout::kRegistryOffsetMemberLock) && random.percent(90)) continue;
    if (at == layout::kRegistryOffsetArena && random.percent(90)) continue;
    const std::array<std::uint64_t, 5> values{random.bits(), random.below(kHostileSize / layout::kRegistryUnit + 2),
                                              wordAt(base, random.below(kHostileSize) / 4 * 4), random.below(4),
                                              wordAt(base, at) ^ (std::uint64_t{1} << random.below(32))};
    Word32(base, at).storeRelaxed(static_cast<std::uint32_t>(values[random.below(values.size())]));
  }
}

TEST(RegistryTable, whateverTheBytesAreCallsReturnAndStayInside) {
  const Random random;
  const test::GuardedMemory memory(kHostileSize);
  const std::uint64_t rounds = test::longForm() ? 100'000 : test::kSanitized ? 1'000 : 2'000;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    Random choices = random.fork(round);
    Used<RecordingPlatform> used(memory.data(), kHostileSize);
    RecordingPlatform::rung.clear();
    for (int times = 0; times < 3; ++times) {
      scribble(memory.data(), choices);
      used.exercise(choices);
    }
  }
}

TEST(RegistryTable, whateverTheBytesBecomeDuringACallItStaysInside) {
  const Random random;
  const Region memory = Region::allocate(kHostileSize);
  const std::uint64_t rounds = test::longForm() ? 100'000 : test::kSanitized ? 500 : 1'500;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    hostility = {memory.data(), memory.data() + kHostileSize, 0, 0, random.fork(round)};
    Random choices = random.fork(~round);
    Used<HostilePlatform> used(memory.data(), kHostileSize);
    hostility.lies = choices.between(1, 30);
    for (int times = 0; times < 3; ++times) {
      scribble(memory.data(), choices);
      used.exercise(choices);
    }
    ASSERT_EQ(hostility.outside, 0U) << "round " << round;
  }
}

TEST(RegistryTable, aScanThatFindsTheMemoryGrownHasWhatItFoundBefore) {
  const Region memory = Region::allocate(2 * kHostileSize);
  for (std::uint64_t locks = 1; locks <= layout::kRegistryShards; ++locks) {
    hostility = {memory.data(), memory.data() + 2 * kHostileSize};
    Used<HostilePlatform> used(memory.data(), kHostileSize);
    hostility.growsAfter = locks;
    BasicRegistryTable<HostilePlatform>& table = used.tables[0];
    std::set<std::uint64_t> keys;
    std::array<BasicRegistryTable<HostilePlatform>::Found, 64> found;
    BasicRegistryTable<HostilePlatform>::ScanPlace place;
    int grown = 0;
    while (place.shard < layout::kRegistryShards) {
      std::uint32_t count = 0;
      const Status status = table.scan(place, found, count);
      if (status == Status::kGrown) {
        EXPECT_EQ(count, 0U) << "it would be lost to who tries again";
        table.resize(2 * kHostileSize);
        ++grown;
        continue;
      }
      ASSERT_EQ(status, Status::kOk);
      for (const auto& each : std::span(found).first(count)) keys.insert(each.key);
    }
    EXPECT_EQ(grown, 1);
    EXPECT_EQ(keys.size(), Used<HostilePlatform>::kKeys);
  }
}

TEST(RegistryTable, ofRandomMemoryNothingIsBelieved) {
  const Random random;
  const test::GuardedMemory memory(kHostileSize);
  for (std::uint64_t round = 0; round < (test::longForm() ? 5'000 : 200); ++round) {
    Random choices = random.fork(round);
    Used<RecordingPlatform> used(memory.data(), kHostileSize);
    RecordingPlatform::rung.clear();
    // Locks are free and the arena is plausible, or nothing would be looked at.
    const std::uint32_t arena = wordAt(memory.data(), layout::kRegistryOffsetArena);
    const bool units = choices.percent(50);
    for (std::uint64_t at = 0; at < kHostileSize; at += 4) {
      Word32(memory.data(), at)
          .storeRelaxed(static_cast<std::uint32_t>(units ? choices.below(kHostileSize / 32) : choices.bits()));
    }
    for (std::uint64_t at = layout::kRegistryOffsetMemberLock; at < layout::kRegistryOffsetUnits;
         at += layout::kRegistryShardBytes) {
      Word32(memory.data(), at).storeRelaxed(0);
    }
    Word32(memory.data(), layout::kRegistryOffsetArena).storeRelaxed(arena);
    used.exercise(choices);
  }
}

TEST(RegistryTable, aLostLockIsAnsweredAndHeldByNobody) {
  const Region memory = Region::allocate(kHostileSize);
  for (const std::uint32_t lost : {1U, 2U, 77U}) {
    Used<RecordingPlatform> used(memory.data(), kHostileSize);
    for (std::uint32_t shard = 0; shard < layout::kRegistryShards; ++shard) {
      Word32(memory.data(), layout::kRegistryOffsetShards + std::uint64_t{shard} * layout::kRegistryShardBytes)
          .storeRelaxed(lost);
    }
    RecordingTable& table = used.tables[0];
    RecordingTable::Look found;
    std::uint32_t ticket = 0;
    EXPECT_EQ(table.look(1, found), Status::kBusy);
    EXPECT_EQ(table.claim(1, ticket), Status::kBusy);
    EXPECT_EQ(ticket, 0U);
    EXPECT_EQ(table.release(used.tickets[0]), Status::kBusy);
    EXPECT_EQ(table.leave(), Status::kBusy);
    EXPECT_FALSE(table.joined()) << "a member less, whatever became of its tickets";
    Word32(memory.data(), layout::kRegistryOffsetMemberLock).storeRelaxed(lost);
    EXPECT_EQ(used.tables[1].leave(), Status::kBusy);
    EXPECT_EQ(table.join(0), Status::kBusy);
    EXPECT_FALSE(table.joined());
  }
}

}  // namespace
}  // namespace strand
