#include "registry/registry_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "memory/region.h"
#include "registry/registry_table_impl.h"
#include "support/long_form.h"
#include "support/random.h"
#include "support/recording_platform.h"
#include "support/registry.h"

namespace strand {
namespace {

using test::arenaOf;
using test::changed;
using test::claimed;
using test::GrowingMemory;
using test::Inspection;
using test::looked;
using test::published;
using test::Random;
using test::RecordingPlatform;
using test::RecordingTable;
using test::scanned;

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
  EXPECT_EQ(table.members({}, count), RegistryStatus::kOk);
  EXPECT_EQ(count, 0U);
  EXPECT_EQ(table.leave(), RegistryStatus::kOk);
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
  const std::uint32_t ticket = claimed(writer, 7, RegistryStatus::kOk);
  EXPECT_EQ(looked(reader, 7).holder, writer.serial());
  EXPECT_EQ(looked(reader, 7).version, 0U) << "claimed only";
  const std::uint64_t version = published(writer, ticket);
  EXPECT_NE(version, 0U);
  EXPECT_EQ(looked(reader, 7).version, version) << "before the lock is given back";
  EXPECT_EQ(writer.release(ticket), RegistryStatus::kOk);
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
    const std::uint32_t ticket = claimed(writer, 7, RegistryStatus::kOk);
    RegistryTable::Reservation reserved;
    EXPECT_EQ(writer.reserve(ticket, reserved), RegistryStatus::kOk);
    EXPECT_LT(last, reserved.version);
    last = reserved.version;
    EXPECT_EQ(writer.release(ticket), RegistryStatus::kOk);
    EXPECT_EQ(looked(first, 7).version, 0U);
  }
  EXPECT_EQ(second.leave(), RegistryStatus::kOk);
  EXPECT_LT(last, changed(first, 7));
}

TEST(RegistryTable, aDeletedKeyIsForgottenWhenNobodyWaits) {
  GrowingMemory memory;
  RegistryTable first = memory.member();
  RegistryTable second = memory.member();
  changed(first, 7);
  EXPECT_EQ(Inspection(memory).entries(), 1U);
  const std::uint32_t ticket = claimed(first, 7, RegistryStatus::kOk);
  const std::uint32_t waiting = claimed(second, 7, RegistryStatus::kQueued);
  published(first, ticket, false);
  EXPECT_EQ(looked(second, 7).version, 0U);
  EXPECT_EQ(first.release(ticket), RegistryStatus::kOk);
  EXPECT_EQ(Inspection(memory).entries(), 1U) << "somebody has it";
  EXPECT_EQ(second.nextGrant(), waiting);
  EXPECT_EQ(second.release(waiting), RegistryStatus::kOk);
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
  for (std::size_t i = 0; i < 8; ++i)
    tickets.push_back(claimed(members[i], 7, i == 0 ? RegistryStatus::kOk : RegistryStatus::kQueued));
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(members[i].nextGrant(), i == 0 ? 0 : tickets[i]);
    EXPECT_EQ(looked(members[0], 7).holder, members[i].serial());
    for (std::size_t other = i + 1; other < 8; ++other) EXPECT_EQ(members[other].nextGrant(), 0U);
    published(members[i], tickets[i]);
    EXPECT_EQ(members[i].release(tickets[i]), RegistryStatus::kOk);
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
  for (std::uint64_t key = 0; key < kKeys; ++key) held.push_back(claimed(holder, key, RegistryStatus::kOk));
  for (std::uint64_t key = 0; key < kKeys; ++key) waiting.push_back(claimed(waiter, key, RegistryStatus::kQueued));
  // Some while the waiter has taken a part of them.
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(holder.release(held[kKeys - 1 - i]), RegistryStatus::kOk);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(waiter.nextGrant(), waiting[kKeys - 1 - i]);
  for (std::size_t i = 10; i < kKeys; ++i) EXPECT_EQ(holder.release(held[kKeys - 1 - i]), RegistryStatus::kOk);
  for (std::size_t i = 3; i < kKeys; ++i) EXPECT_EQ(waiter.nextGrant(), waiting[kKeys - 1 - i]);
  EXPECT_EQ(waiter.nextGrant(), 0U);
}

TEST(RegistryTable, oneMemberMayQueueBehindItself) {
  GrowingMemory memory;
  RegistryTable table = memory.member();
  const std::uint32_t first = claimed(table, 7, RegistryStatus::kOk);
  const std::uint32_t second = claimed(table, 7, RegistryStatus::kQueued);
  EXPECT_EQ(table.nextGrant(), 0U);
  EXPECT_EQ(table.release(first), RegistryStatus::kOk);
  EXPECT_EQ(table.nextGrant(), second);
  EXPECT_EQ(table.release(second), RegistryStatus::kOk);
}

TEST(RegistryTable, gaveUpTicketsLetTheNextOneIn) {
  // Of four that wait, each one alone, and all combinations of them.
  for (std::uint32_t leaving = 0; leaving < 16; ++leaving) {
    GrowingMemory memory;
    RegistryTable holder = memory.member();
    const std::uint32_t held = claimed(holder, 7, RegistryStatus::kOk);
    std::vector<RegistryTable> waiters;
    std::vector<std::uint32_t> tickets;
    for (std::size_t i = 0; i < 4; ++i) {
      waiters.push_back(memory.member());
      tickets.push_back(claimed(waiters[i], 7, RegistryStatus::kQueued));
    }
    for (std::size_t i = 0; i < 4; ++i) {
      if ((leaving >> i & 1U) != 0) {
        EXPECT_EQ(waiters[i].withdraw(tickets[i]), RegistryStatus::kOk);
      }
    }
    EXPECT_EQ(Inspection(memory).tickets(), 5U - static_cast<std::uint32_t>(std::popcount(leaving)));
    EXPECT_EQ(holder.release(held), RegistryStatus::kOk);
    for (std::size_t i = 0; i < 4; ++i) {
      if ((leaving >> i & 1U) != 0) {
        EXPECT_EQ(waiters[i].nextGrant(), 0U);
        EXPECT_EQ(waiters[i].withdraw(tickets[i]), RegistryStatus::kNotHeld) << "it is gone";
      } else {
        EXPECT_EQ(waiters[i].nextGrant(), tickets[i]);
        EXPECT_EQ(waiters[i].release(tickets[i]), RegistryStatus::kOk);
      }
    }
    EXPECT_EQ(Inspection(memory).entries(), 0U);
  }
}

TEST(RegistryTable, aTicketThatWasGrantedCannotBeWithdrawn) {
  GrowingMemory memory;
  RegistryTable holder = memory.member();
  RegistryTable waiter = memory.member();
  const std::uint32_t held = claimed(holder, 7, RegistryStatus::kOk);
  EXPECT_EQ(holder.withdraw(held), RegistryStatus::kGranted);
  const std::uint32_t waiting = claimed(waiter, 7, RegistryStatus::kQueued);
  EXPECT_EQ(holder.release(held), RegistryStatus::kOk);
  EXPECT_EQ(waiter.withdraw(waiting), RegistryStatus::kGranted);
  EXPECT_EQ(waiter.release(waiting), RegistryStatus::kNotHeld) << "to be taken from the grants first";
  EXPECT_EQ(waiter.nextGrant(), waiting);
  EXPECT_EQ(waiter.withdraw(waiting), RegistryStatus::kGranted);
  EXPECT_EQ(waiter.release(waiting), RegistryStatus::kOk);
}

TEST(RegistryTable, onlyWhoHoldsALockPublishesAndReleases) {
  GrowingMemory memory;
  RegistryTable holder = memory.member();
  RegistryTable waiter = memory.member();
  RegistryTable stranger = memory.table();
  const std::uint32_t held = claimed(holder, 7, RegistryStatus::kOk);
  const std::uint32_t waiting = claimed(waiter, 7, RegistryStatus::kQueued);
  RegistryTable::Reservation reserved;
  EXPECT_EQ(waiter.reserve(waiting, reserved), RegistryStatus::kOk);
  EXPECT_EQ(waiter.publish(waiting, reserved, true), RegistryStatus::kNotHeld);
  EXPECT_EQ(waiter.release(waiting), RegistryStatus::kNotHeld);
  std::uint32_t none = 0;
  EXPECT_EQ(stranger.claim(7, none), RegistryStatus::kNotHeld) << "who is no member cannot be told of a grant";
  EXPECT_EQ(none, 0U);
  for (RegistryTable* const other : {&waiter, &stranger}) {
    EXPECT_EQ(other->reserve(held, reserved), RegistryStatus::kNotHeld);
    EXPECT_EQ(other->publish(held, reserved, true), RegistryStatus::kNotHeld);
    EXPECT_EQ(other->release(held), RegistryStatus::kNotHeld);
    EXPECT_EQ(other->withdraw(held), RegistryStatus::kNotHeld);
  }
  for (const std::uint32_t nothing : {0U, 1U, 0xFFFFFFFFU, held + 1'000'000}) {
    EXPECT_EQ(holder.reserve(nothing, reserved), RegistryStatus::kNotHeld);
    EXPECT_EQ(holder.publish(nothing, reserved, true), RegistryStatus::kNotHeld);
    EXPECT_EQ(holder.release(nothing), RegistryStatus::kNotHeld);
    EXPECT_EQ(holder.withdraw(nothing), RegistryStatus::kNotHeld);
  }
  EXPECT_EQ(holder.release(held), RegistryStatus::kOk);
  EXPECT_EQ(holder.release(held), RegistryStatus::kNotHeld) << "twice";
  EXPECT_EQ(holder.publish(held, reserved, true), RegistryStatus::kNotHeld);
  EXPECT_EQ(waiter.publish(waiting, reserved, true), RegistryStatus::kNotHeld) << "given, and not taken";
  EXPECT_EQ(waiter.nextGrant(), waiting);
  EXPECT_EQ(waiter.publish(waiting, reserved, true), RegistryStatus::kNotHeld) << "reserved before it held the lock";
  EXPECT_EQ(waiter.reserve(waiting, reserved), RegistryStatus::kOk);
  EXPECT_EQ(waiter.publish(waiting, reserved, true), RegistryStatus::kOk);
  EXPECT_EQ(looked(stranger, 7).version, reserved.version);
}

// What was sent

/// A holder that has reserved a version and sent it, and one that receives it.
struct Sent {
  Sent() : before(changed(sender, 7)), ticket(claimed(sender, 7, RegistryStatus::kOk)) {
    EXPECT_EQ(sender.reserve(ticket, reserved), RegistryStatus::kOk);
  }
  bool accepted(bool present = true) {
    bool counts = false;
    EXPECT_EQ(receiver.accept(7, reserved, writer, present, counts), RegistryStatus::kOk);
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
  EXPECT_EQ(sent.sender.publish(sent.ticket, sent.reserved, true), RegistryStatus::kOk) << "nothing is left to do";
  EXPECT_EQ(sent.sender.release(sent.ticket), RegistryStatus::kOk);
  EXPECT_TRUE(sent.accepted()) << "after all that too";
  changed(sent.receiver, 7);
  EXPECT_FALSE(sent.accepted()) << "a newer one is published";
}

TEST(RegistryTable, aDeletionThatWasReceivedIsPublishedByTheReceiver) {
  Sent sent;
  EXPECT_TRUE(sent.accepted(false));
  EXPECT_EQ(looked(sent.receiver, 7).version, 0U);
  EXPECT_EQ(sent.sender.publish(sent.ticket, sent.reserved, false), RegistryStatus::kOk);
  EXPECT_EQ(sent.sender.release(sent.ticket), RegistryStatus::kOk);
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
    EXPECT_EQ(sent.sender.publish(sent.ticket, sent.reserved, true), RegistryStatus::kJoined);
    const RegistryTable::Reservation first = sent.reserved;
    EXPECT_EQ(sent.sender.reserve(sent.ticket, sent.reserved), RegistryStatus::kOk);
    EXPECT_TRUE(sent.accepted());
    sent.reserved = first;
    EXPECT_FALSE(sent.accepted());
  }
  {
    Sent sent;
    EXPECT_EQ(sent.sender.leave(), RegistryStatus::kOk);
    EXPECT_FALSE(sent.accepted());
    EXPECT_EQ(looked(sent.receiver, 7).version, sent.before);
    claimed(sent.receiver, 7, RegistryStatus::kOk);
    EXPECT_FALSE(sent.accepted()) << "another one holds the lock";
  }
  {
    Sent sent;
    EXPECT_EQ(sent.sender.release(sent.ticket), RegistryStatus::kOk) << "without publishing";
    EXPECT_FALSE(sent.accepted());
    sent.ticket = claimed(sent.sender, 7, RegistryStatus::kOk);
    EXPECT_FALSE(sent.accepted()) << "the same one holds the lock, for something else";
  }
}

// Members

TEST(RegistryTable, whoJoinsBetweenReserveAndPublishIsNoticed) {
  GrowingMemory memory;
  RegistryTable writer = memory.member();
  const std::uint32_t ticket = claimed(writer, 7, RegistryStatus::kOk);
  RegistryTable::Reservation reserved;
  EXPECT_EQ(writer.reserve(ticket, reserved), RegistryStatus::kOk);
  EXPECT_EQ(reserved.others, 0U);
  RegistryTable newcomer = memory.member();
  EXPECT_EQ(writer.publish(ticket, reserved, true), RegistryStatus::kJoined);
  EXPECT_EQ(looked(newcomer, 7).version, 0U);
  RegistryTable::Reservation again;
  EXPECT_EQ(writer.reserve(ticket, again), RegistryStatus::kOk);
  EXPECT_EQ(again.others, 1U);
  EXPECT_GT(again.version, reserved.version);
  EXPECT_EQ(newcomer.leave(), RegistryStatus::kOk);
  EXPECT_EQ(writer.publish(ticket, again, true), RegistryStatus::kOk) << "who leaves need not be sent anything";
  EXPECT_EQ(looked(writer, 7).version, again.version);
}

TEST(RegistryTable, membersAreListedUntilTheyLeave) {
  GrowingMemory memory;
  std::vector<RegistryTable> tables(5, memory.table());
  for (std::uint32_t i = 0; i < 5; ++i) {
    EXPECT_FALSE(tables[i].joined());
    EXPECT_EQ(tables[i].join(100 + i), RegistryStatus::kOk);
    EXPECT_TRUE(tables[i].joined());
  }
  tables[2].setReady();
  EXPECT_EQ(tables[1].leave(), RegistryStatus::kOk);
  EXPECT_EQ(tables[4].leave(), RegistryStatus::kOk);
  EXPECT_FALSE(tables[4].joined());
  std::array<RegistryTable::Member, 8> found;
  std::uint32_t count = 0;
  EXPECT_EQ(tables[0].members(found, count), RegistryStatus::kOk);
  ASSERT_EQ(count, 3U);
  std::map<std::uint32_t, RegistryTable::Member> byThread;
  for (const auto& member : std::span(found).first(count)) byThread[member.thread] = member;
  for (const std::uint32_t i : {0U, 2U, 3U}) {
    ASSERT_TRUE(byThread.contains(100 + i));
    EXPECT_EQ(byThread[100 + i].serial, tables[i].serial());
    EXPECT_EQ(byThread[100 + i].ready, i == 2);
  }
  EXPECT_EQ(tables[0].members(std::span(found).first(1), count), RegistryStatus::kOk);
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
    EXPECT_EQ(stays.members(found, count), RegistryStatus::kOk);
    EXPECT_EQ(count, 2U);
    EXPECT_FALSE(found[0].ready || found[1].ready) << "as it was left by the last one";
    comes.setReady();
    EXPECT_EQ(comes.leave(), RegistryStatus::kOk);
  }
  EXPECT_EQ(arenaOf(memory), taken + layout::kMemberUnits);
}

TEST(RegistryTable, whoLeavesPassesItsLocksOn) {
  GrowingMemory memory;
  RegistryTable leaving = memory.member();
  RegistryTable stays = memory.member();
  RegistryTable third = memory.member();
  // One is held, one given and not taken, one given and in the private list, one waits between others.
  const std::uint32_t heldByStays = claimed(stays, 2, RegistryStatus::kOk);
  const std::uint32_t alsoHeldByStays = claimed(stays, 3, RegistryStatus::kOk);
  const std::uint32_t third4 = claimed(third, 4, RegistryStatus::kOk);
  claimed(leaving, 1, RegistryStatus::kOk);
  const std::uint32_t given = claimed(leaving, 2, RegistryStatus::kQueued);
  claimed(leaving, 3, RegistryStatus::kQueued);
  claimed(leaving, 4, RegistryStatus::kQueued);
  claimed(leaving, 5, RegistryStatus::kOk);
  claimed(leaving, 5, RegistryStatus::kQueued);
  std::map<std::uint64_t, std::uint32_t> waiting;
  for (std::uint64_t key = 1; key <= 5; ++key) waiting[key] = claimed(stays, key, RegistryStatus::kQueued);
  EXPECT_EQ(stays.release(heldByStays), RegistryStatus::kOk);
  EXPECT_EQ(stays.release(alsoHeldByStays), RegistryStatus::kOk);
  EXPECT_EQ(leaving.nextGrant(), given) << "which takes both";
  EXPECT_EQ(stays.nextGrant(), 0U);
  const std::uint32_t serial = leaving.serial();
  EXPECT_EQ(looked(stays, 5).holder, serial);

  EXPECT_EQ(leaving.leave(), RegistryStatus::kOk);
  EXPECT_EQ(leaving.leave(), RegistryStatus::kOk) << "once more does nothing";
  std::set<std::uint32_t> granted;
  while (const std::uint32_t ticket = stays.nextGrant()) granted.insert(ticket);
  EXPECT_EQ(granted, (std::set{waiting[1], waiting[2], waiting[3], waiting[5]}));
  EXPECT_EQ(third.release(third4), RegistryStatus::kOk);
  EXPECT_EQ(stays.nextGrant(), waiting[4]);

  // The record's next user has nothing of it.
  RegistryTable next = memory.member();
  EXPECT_EQ(next.nextGrant(), 0U);
  EXPECT_NE(next.serial(), serial);
  for (const auto& [key, ticket] : waiting) EXPECT_EQ(stays.release(ticket), RegistryStatus::kOk);
  EXPECT_EQ(next.nextGrant(), 0U);
  EXPECT_EQ(Inspection(memory).entries(), 0U);
  EXPECT_EQ(Inspection(memory).members(), 3U);
}

TEST(RegistryTable, whatWasReservedByWhoLeftIsNeverSeen) {
  GrowingMemory memory;
  RegistryTable leaving = memory.member();
  RegistryTable stays = memory.member();
  const std::uint64_t before = changed(leaving, 7);
  const std::uint32_t ticket = claimed(leaving, 7, RegistryStatus::kOk);
  RegistryTable::Reservation reserved;
  EXPECT_EQ(leaving.reserve(ticket, reserved), RegistryStatus::kOk);
  EXPECT_EQ(leaving.leave(), RegistryStatus::kOk);
  EXPECT_EQ(looked(stays, 7).version, before);
  EXPECT_GT(changed(stays, 7), reserved.version);
}

TEST(RegistryTable, leavingIsRepeatedWhereTheMemoryHasGrown) {
  GrowingMemory memory(RegistryTable::bytesFor(1), RegistryTable::bytesFor(10'000));
  RegistryTable leaving = memory.member();
  claimed(leaving, 7, RegistryStatus::kOk);
  RegistryTable grows = memory.member();
  for (std::uint64_t key = 100; key < 2'000; ++key) {
    std::uint32_t ticket = 0;
    EXPECT_EQ(memory.insist(grows, [&] { return grows.claim(key, ticket); }), RegistryStatus::kOk);
  }
  EXPECT_EQ(leaving.leave(), RegistryStatus::kGrown);
  EXPECT_TRUE(leaving.joined());
  EXPECT_EQ(memory.insist(leaving, [&] { return leaving.leave(); }), RegistryStatus::kOk);
  EXPECT_FALSE(leaving.joined());
  claimed(grows, 7, RegistryStatus::kOk);
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
    EXPECT_EQ(joined.join(0), RegistryStatus::kOk);
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
    held[key] = claimed(holder, key, RegistryStatus::kOk);
    claimed(waiter, key, RegistryStatus::kQueued);
  }
  EXPECT_EQ(holder.release(held[0]), RegistryStatus::kOk);
  EXPECT_EQ(Rung::times(waiter.grants()), 1) << "as it joined";
  EXPECT_EQ(holder.release(held[1]), RegistryStatus::kOk);
  EXPECT_EQ(Rung::times(waiter.grants()), 0) << "not armed";
  waiter.armGrants();
  EXPECT_EQ(holder.release(held[2]), RegistryStatus::kOk);
  EXPECT_EQ(holder.release(held[3]), RegistryStatus::kOk);
  EXPECT_EQ(Rung::times(waiter.grants()), 1);
  waiter.armGrants();
  waiter.armGrants();
  EXPECT_EQ(Rung::times(waiter.grants()), 0) << "nothing happened";
  EXPECT_EQ(holder.leave(), RegistryStatus::kOk);
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
  EXPECT_EQ(third.leave(), RegistryStatus::kOk);
  EXPECT_EQ(fourth.leave(), RegistryStatus::kOk);
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
                    key.queue.empty() ? RegistryStatus::kOk : RegistryStatus::kQueued);
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
          const RegistryStatus status = memory.insist(table, [&] { return table.withdraw(own->number); });
          ASSERT_EQ(status, own->given ? RegistryStatus::kGranted : RegistryStatus::kOk);
          if (status == RegistryStatus::kOk) key.queue.erase(own);
          break;
        }
        case 6:
        case 7: {
          if (own == key.queue.end()) break;
          RegistryTable::Reservation reserved;
          ASSERT_EQ(table.reserve(own->number, reserved), RegistryStatus::kOk);
          ASSERT_GT(reserved.version, key.last);
          key.last = reserved.version;
          const bool present = choices.percent(70);
          ASSERT_EQ(memory.insist(table, [&] { return table.publish(own->number, reserved, present); }),
                    holds ? RegistryStatus::kOk : RegistryStatus::kNotHeld);
          if (!holds) break;
          key.version = present ? reserved.version : 0;
          key.writer = table.serial();
          break;
        }
        case 8: {
          if (own == key.queue.end()) break;
          ASSERT_EQ(memory.insist(table, [&] { return table.release(own->number); }),
                    holds ? RegistryStatus::kOk : RegistryStatus::kNotHeld);
          if (!holds) break;
          key.queue.erase(own);
          passOn(key);
          break;
        }
        default: {
          if (!choices.percent(15)) break;
          ASSERT_EQ(memory.insist(table, [&] { return table.leave(); }), RegistryStatus::kOk);
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
    for (RegistryTable& table : tables)
      EXPECT_EQ(memory.insist(table, [&] { return table.leave(); }), RegistryStatus::kOk);
    const Inspection whole(memory);
    EXPECT_EQ(whole.tickets(), 0U);
    EXPECT_EQ(whole.members(), 0U);
  }
}

}  // namespace
}  // namespace strand
