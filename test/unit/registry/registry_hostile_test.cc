#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <set>
#include <vector>

#include "memory/region.h"
#include "registry/registry_table.h"
#include "registry/registry_table_impl.h"
#include "support/guarded_memory.h"
#include "support/long_form.h"
#include "support/quick_platform.h"
#include "support/random.h"
#include "support/recording_platform.h"
#include "support/registry.h"
#include "support/sanitized.h"

namespace strand {
namespace {

using test::Random;
using test::RecordingPlatform;
using test::RecordingTable;

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

using HostilePlatform = test::QuickPlatform<HostileWord>;

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
      if (table.claim(key, ticket) != RegistryStatus::kOk) continue;
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
    while (place.shard < layout::kRegistryShards && tables[0].scan(place, some, count) == RegistryStatus::kOk) {
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
    const std::uint64_t used =
        std::min(kHostileSize, std::uint64_t{test::wordAt(base, layout::kRegistryOffsetArena)} * 32);
    const std::uint64_t limit = used < 64 || random.percent(10) ? kHostileSize : used;
    const std::uint64_t at = random.below(limit) / 4 * 4;
    // A lost lock is another test's: it hides all that is behind it.
    const bool lock = at >= layout::kRegistryOffsetShards && at < layout::kRegistryOffsetUnits &&
                      (at - layout::kRegistryOffsetShards) % layout::kRegistryShardBytes == 0;
    if ((lock || at == layout::kRegistryOffsetMemberLock) && random.percent(90)) continue;
    if (at == layout::kRegistryOffsetArena && random.percent(90)) continue;
    const std::array<std::uint64_t, 5> values{random.bits(), random.below(kHostileSize / layout::kRegistryUnit + 2),
                                              test::wordAt(base, random.below(kHostileSize) / 4 * 4), random.below(4),
                                              test::wordAt(base, at) ^ (std::uint64_t{1} << random.below(32))};
    Word32(base, at).storeRelaxed(static_cast<std::uint32_t>(values[random.below(values.size())]));
  }
}

TEST(HostileRegistryTable, whateverTheBytesAreCallsReturnAndStayInside) {
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

TEST(HostileRegistryTable, whateverTheBytesBecomeDuringACallItStaysInside) {
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

TEST(HostileRegistryTable, aScanThatFindsTheMemoryGrownHasWhatItFoundBefore) {
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
      const RegistryStatus status = table.scan(place, found, count);
      if (status == RegistryStatus::kGrown) {
        EXPECT_EQ(count, 0U) << "it would be lost to who tries again";
        table.resize(2 * kHostileSize);
        ++grown;
        continue;
      }
      ASSERT_EQ(status, RegistryStatus::kOk);
      for (const auto& each : std::span(found).first(count)) keys.insert(each.key);
    }
    EXPECT_EQ(grown, 1);
    EXPECT_EQ(keys.size(), Used<HostilePlatform>::kKeys);
  }
}

TEST(HostileRegistryTable, ofRandomMemoryNothingIsBelieved) {
  const Random random;
  const test::GuardedMemory memory(kHostileSize);
  for (std::uint64_t round = 0; round < (test::longForm() ? 5'000 : 200); ++round) {
    Random choices = random.fork(round);
    Used<RecordingPlatform> used(memory.data(), kHostileSize);
    RecordingPlatform::rung.clear();
    // Locks are free and the arena is plausible, or nothing would be looked at.
    const std::uint32_t arena = test::wordAt(memory.data(), layout::kRegistryOffsetArena);
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

TEST(HostileRegistryTable, aLostLockIsAnsweredAndHeldByNobody) {
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
    EXPECT_EQ(table.look(1, found), RegistryStatus::kBusy);
    EXPECT_EQ(table.claim(1, ticket), RegistryStatus::kBusy);
    EXPECT_EQ(ticket, 0U);
    EXPECT_EQ(table.release(used.tickets[0]), RegistryStatus::kBusy);
    EXPECT_EQ(table.leave(), RegistryStatus::kBusy);
    EXPECT_FALSE(table.joined()) << "a member less, whatever became of its tickets";
    Word32(memory.data(), layout::kRegistryOffsetMemberLock).storeRelaxed(lost);
    EXPECT_EQ(used.tables[1].leave(), RegistryStatus::kBusy);
    EXPECT_EQ(table.join(0), RegistryStatus::kBusy);
    EXPECT_FALSE(table.joined());
  }
}

}  // namespace
}  // namespace strand
