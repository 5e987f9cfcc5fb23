#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <latch>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "registry/registry_table.h"
#include "support/long_form.h"
#include "support/random.h"
#include "support/registry.h"
#include "support/sanitized.h"

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
using test::scanned;

// Growth

TEST(GrowingRegistryTable, aTableAsLargeAsForSomeKeysTakesThem) {
  for (const std::uint64_t keys : {1U, 2U, 3U, 10U, 30U, 64U, 100U, 200U, 500U, 1'000U, 2'000U, 5'000U, 20'000U}) {
    for (std::uint64_t start = 0; start < 3; ++start) {
      GrowingMemory memory(RegistryTable::bytesFor(keys), RegistryTable::bytesFor(keys) * 2);
      RegistryTable table = memory.member();
      for (std::uint64_t key = 0; key < keys; ++key) {
        std::uint32_t ticket = 0;
        ASSERT_EQ(table.claim(start * 1'000'003 + key, ticket), RegistryStatus::kOk)
            << "key " << key << " of " << keys << ", " << arenaOf(memory) << " units are taken";
        published(table, ticket);
        EXPECT_EQ(table.release(ticket), RegistryStatus::kOk);
      }
    }
  }
}

TEST(GrowingRegistryTable, whatFindsNoRoomChangesNothing) {
  GrowingMemory memory(RegistryTable::bytesFor(1), RegistryTable::bytesFor(1'000));
  RegistryTable table = memory.member();
  std::map<std::uint64_t, std::uint64_t> versions;
  std::uint64_t refused = 0;
  for (std::uint64_t key = 0; key < 500; ++key) {
    std::uint32_t ticket = 0;
    const RegistryStatus status = table.claim(key, ticket);
    if (status == RegistryStatus::kNoRoom) {
      EXPECT_EQ(ticket, 0U);
      ++refused;
      continue;
    }
    ASSERT_EQ(status, RegistryStatus::kOk);
    versions[key] = published(table, ticket);
    EXPECT_EQ(table.release(ticket), RegistryStatus::kOk);
  }
  EXPECT_GT(refused, 0U);
  EXPECT_EQ(Inspection(memory).entries(), versions.size());
  for (std::uint64_t key = 0; key < 500; ++key) {
    EXPECT_EQ(looked(table, key).version, versions.contains(key) ? versions[key] : 0);
  }
  // With a member's record too.
  RegistryTable newcomer = memory.table();
  while (newcomer.join(0) == RegistryStatus::kOk) newcomer = memory.table();
  EXPECT_FALSE(newcomer.joined());
  EXPECT_EQ(memory.insist(newcomer, [&] { return newcomer.join(0); }), RegistryStatus::kOk);
  std::uint32_t ticket = 0;
  EXPECT_EQ(table.claim(1'000, ticket), RegistryStatus::kGrown) << "the arena is past what this one knows";
}

TEST(GrowingRegistryTable, aMillionKeysTakeAtMost64BytesEach) {
  constexpr std::uint64_t kKeys = test::kSanitized ? 50'000 : 1'000'000;
  GrowingMemory memory(RegistryTable::bytesFor(1), RegistryTable::bytesFor(kKeys));
  RegistryTable table = memory.member();
  for (std::uint64_t key = 0; key < kKeys; ++key) {
    std::uint32_t ticket = 0;
    ASSERT_EQ(memory.insist(table, [&] { return table.claim(key, ticket); }), RegistryStatus::kOk);
    RegistryTable::Reservation reserved;
    if (table.reserve(ticket, reserved) != RegistryStatus::kOk ||
        table.publish(ticket, reserved, true) != RegistryStatus::kOk || table.release(ticket) != RegistryStatus::kOk) {
      FAIL() << key;
    }
  }
  EXPECT_LE(std::uint64_t{arenaOf(memory)} * layout::kRegistryUnit / kKeys, 64U);
  std::cout << std::uint64_t{arenaOf(memory)} * layout::kRegistryUnit / kKeys << " bytes a key\n";
  for (std::uint64_t key = 0; key < kKeys; key += 997) EXPECT_NE(looked(table, key).version, 0U);
}

TEST(GrowingRegistryTable, whileItGrowsEveryKeyIsFoundByOthers) {
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
      const RegistryStatus status = memory.insist(table, [&] { return table.look(key, found); });
      if (status != RegistryStatus::kOk || found.version == 0 || found.writer != writer.serial()) ++missed;
      ++looks;
    }
    EXPECT_EQ(memory.insist(table, [&] { return table.leave(); }), RegistryStatus::kOk);
  });
  for (std::uint64_t key = 0; key < kKeys; ++key) {
    std::uint32_t ticket = 0;
    RegistryTable::Reservation reserved;
    EXPECT_EQ(memory.insist(writer, [&] { return writer.claim(key, ticket); }), RegistryStatus::kOk);
    RegistryStatus status = RegistryStatus::kJoined;
    while (status == RegistryStatus::kJoined) {
      EXPECT_EQ(writer.reserve(ticket, reserved), RegistryStatus::kOk);
      status = memory.insist(writer, [&] { return writer.publish(ticket, reserved, true); });
    }
    EXPECT_EQ(status, RegistryStatus::kOk);
    EXPECT_EQ(memory.insist(writer, [&] { return writer.release(ticket); }), RegistryStatus::kOk);
    made.store(key + 1);
  }
  reader.join();
  EXPECT_EQ(missed, 0U);
  EXPECT_GT(looks, 0U);
  EXPECT_GT(memory.grown(), 5);
  EXPECT_EQ(Inspection(memory).entries(), kKeys);
}

// Scans

TEST(GrowingRegistryTable, aScanFindsWhatHasAValueAndNothingElse) {
  GrowingMemory memory;
  RegistryTable table = memory.member();
  std::map<std::uint64_t, std::uint64_t> versions;
  for (std::uint64_t key = 0; key < 500; ++key) versions[key] = changed(table, key);
  for (std::uint64_t key = 0; key < 500; key += 3) {
    changed(table, key, false);
    versions.erase(key);
  }
  for (std::uint64_t key = 1'000; key < 1'100; ++key) claimed(table, key, RegistryStatus::kOk);
  for (const std::size_t atOnce : {16U, 64U, 1'000U}) {
    std::map<std::uint64_t, std::uint64_t> found;
    for (const auto& each : scanned(memory, table, atOnce)) {
      EXPECT_TRUE(found.emplace(each.key, each.version).second) << "twice, though nothing changed";
      EXPECT_EQ(each.writer, table.serial());
    }
    EXPECT_EQ(found, versions);
  }
}

TEST(GrowingRegistryTable, aScanFindsWhatIsThereThroughoutWhileOthersComeAndGo) {
  const Random random;
  constexpr std::uint64_t kStay = 500;
  for (std::uint64_t round = 0; round < (test::longForm() ? 200 : 10); ++round) {
    Random choices = random.fork(round);
    GrowingMemory memory(RegistryTable::bytesFor(1), RegistryTable::bytesFor(20'000));
    RegistryTable writer = memory.member();
    const auto change = [&](std::uint64_t key, bool present) {
      std::uint32_t ticket = 0;
      ASSERT_EQ(memory.insist(writer, [&] { return writer.claim(key, ticket); }), RegistryStatus::kOk);
      published(writer, ticket, present);
      ASSERT_EQ(writer.release(ticket), RegistryStatus::kOk);
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
      ASSERT_EQ(memory.insist(scanner, [&] { return scanner.scan(place, some, count); }), RegistryStatus::kOk);
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

TEST(GrowingRegistryTable, aScanInOneThreadFindsWhatStaysWhileAnotherMakesAndDeletes) {
  constexpr std::uint64_t kStay = 2'000;
  GrowingMemory memory(RegistryTable::bytesFor(kStay), RegistryTable::bytesFor(200'000));
  RegistryTable writer = memory.member();
  for (std::uint64_t key = 0; key < kStay; ++key) {
    std::uint32_t ticket = 0;
    ASSERT_EQ(memory.insist(writer, [&] { return writer.claim(key, ticket); }), RegistryStatus::kOk);
    published(writer, ticket);
    ASSERT_EQ(writer.release(ticket), RegistryStatus::kOk);
  }
  std::atomic<bool> stop{false};
  std::thread churn([&] {
    // Waves that pass: each time more buckets, and cells that change hands.
    for (std::uint64_t wave = 1; !stop.load(); ++wave) {
      for (const bool present : {true, false}) {
        for (std::uint64_t key = 0; key < 1'000 + std::min<std::uint64_t>(wave, 20) * 500 && !stop.load(); ++key) {
          std::uint32_t ticket = 0;
          EXPECT_EQ(memory.insist(writer, [&] { return writer.claim(kStay + key, ticket); }), RegistryStatus::kOk);
          RegistryTable::Reservation reserved;
          EXPECT_EQ(writer.reserve(ticket, reserved), RegistryStatus::kOk);
          EXPECT_EQ(memory.insist(writer, [&] { return writer.publish(ticket, reserved, present); }),
                    RegistryStatus::kOk);
          EXPECT_EQ(memory.insist(writer, [&] { return writer.release(ticket); }), RegistryStatus::kOk);
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

TEST(GrowingRegistryTable, whatIsDoneUnderAKeysLockIsDoneByOneThreadAtATime) {
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
        const RegistryStatus status = table.claim(7, ticket);
        if (status == RegistryStatus::kQueued) {
          if (awaitGrant(table) != ticket) return;
        } else {
          EXPECT_EQ(status, RegistryStatus::kOk);
        }
        ++counter;
        if (round % 16 == 0) {
          RegistryTable::Reservation reserved;
          EXPECT_EQ(table.reserve(ticket, reserved), RegistryStatus::kOk);
          EXPECT_GT(reserved.version, last);
          last = reserved.version;
        }
        EXPECT_EQ(table.release(ticket), RegistryStatus::kOk);
      }
      EXPECT_EQ(table.leave(), RegistryStatus::kOk);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter, kThreads * kRounds);
  const Inspection whole(memory);
  EXPECT_EQ(whole.entries() + whole.tickets() + whole.members(), 0U);
}

TEST(GrowingRegistryTable, membersThatComeClaimAndLeaveLoseNoLock) {
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
          RegistryStatus status = memory.insist(table, [&] { return table.claim(key, ticket); });
          if (status == RegistryStatus::kQueued && choices.percent(30)) {
            if (memory.insist(table, [&] { return table.withdraw(ticket); }) == RegistryStatus::kOk) continue;
          }
          if (status == RegistryStatus::kQueued) {
            if (choices.percent(5)) break;  // and leaves while it waits, or has been given it
            if (awaitGrant(table) != ticket) return;
          }
          EXPECT_EQ(inside[key].fetch_add(1), 0U);
          inside[key].fetch_sub(1);
          if (choices.percent(10)) break;  // and leaves with the lock
          RegistryTable::Reservation reserved;
          EXPECT_EQ(table.reserve(ticket, reserved), RegistryStatus::kOk);
          status = memory.insist(table, [&] { return table.publish(ticket, reserved, choices.percent(50)); });
          EXPECT_TRUE(status == RegistryStatus::kOk || status == RegistryStatus::kJoined);
          EXPECT_EQ(memory.insist(table, [&] { return table.release(ticket); }), RegistryStatus::kOk);
        }
        EXPECT_EQ(memory.insist(table, [&] { return table.leave(); }), RegistryStatus::kOk);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Inspection whole(memory);
  EXPECT_EQ(whole.tickets(), 0U);
  EXPECT_EQ(whole.members(), 0U);
}

}  // namespace
}  // namespace strand
