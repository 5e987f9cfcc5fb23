#include "registry/registry_mutex.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <thread>
#include <vector>

#include "registry/registry_platform.h"

namespace strand {
namespace {

/// Counts, and sleeps not at all: `onPark` is what happens meanwhile.
struct CountingPlatform {
  using Word32 = AtomicWord<std::uint32_t>;
  static constexpr int kSpins = 2;
  static constexpr int kSleeps = 5;

  static void relax() noexcept { ++relaxes; }
  static void park(Word32 word, std::uint32_t expected) noexcept {
    EXPECT_EQ(word.loadRelaxed(), expected);
    if (++parks == wakesAt) word.storeRelaxed(0);
  }
  static void unpark(Word32 /*word*/) noexcept { ++unparks; }

  static void reset() { relaxes = parks = unparks = wakesAt = 0; }
  static inline int relaxes = 0;
  static inline int parks = 0;
  static inline int unparks = 0;
  static inline int wakesAt = 0;
};

using CountingMutex = RegistryMutex<CountingPlatform>;

TEST(RegistryMutex, whatNobodyWantsNeitherSleepsNorWakes) {
  CountingPlatform::reset();
  std::uint32_t word = 0;
  for (int i = 0; i < 3; ++i) {
    const CountingMutex mutex{Word32(&word)};
    EXPECT_TRUE(mutex.held());
    EXPECT_EQ(word, 1U);
  }
  EXPECT_EQ(word, 0U);
  EXPECT_EQ(CountingPlatform::relaxes + CountingPlatform::parks + CountingPlatform::unparks, 0);
}

TEST(RegistryMutex, whoSleptWakesTheNextOne) {
  CountingPlatform::reset();
  CountingPlatform::wakesAt = 2;
  std::uint32_t word = 1;
  {
    const CountingMutex mutex{Word32(&word)};
    EXPECT_TRUE(mutex.held());
    EXPECT_EQ(word, 2U) << "others may sleep too";
  }
  EXPECT_EQ(word, 0U);
  EXPECT_EQ(CountingPlatform::relaxes, CountingPlatform::kSpins);
  EXPECT_EQ(CountingPlatform::parks, 2);
  EXPECT_EQ(CountingPlatform::unparks, 1);
}

TEST(RegistryMutex, aLockThatIsNeverLetGoIsGivenUpAndLeftAlone) {
  for (const std::uint32_t lost : {1U, 2U, 3U, 0xFFFFFFFFU}) {
    CountingPlatform::reset();
    std::uint32_t word = lost;
    {
      CountingMutex mutex{Word32(&word)};
      EXPECT_FALSE(mutex.held());
      mutex.unlock();
    }
    EXPECT_EQ(word, 2U);
    EXPECT_EQ(CountingPlatform::parks, CountingPlatform::kSleeps);
    EXPECT_EQ(CountingPlatform::unparks, 0);
  }
}

TEST(RegistryMutex, isLetGoOnce) {
  CountingPlatform::reset();
  std::uint32_t word = 0;
  CountingMutex first{Word32(&word)};
  first.unlock();
  EXPECT_FALSE(first.held());
  const CountingMutex second{Word32(&word)};
  first.unlock();
  EXPECT_EQ(word, 1U) << "the second one's";
}

TEST(RegistryMutex, letsOneThreadInAtATime) {
  constexpr std::uint32_t kThreads = 4;
  constexpr std::uint32_t kRounds = 20'000;
  std::uint32_t word = 0;
  std::uint32_t counter = 0;  // not atomic: that is the point
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (std::uint32_t round = 0; round < kRounds; ++round) {
        const RegistryMutex<RegistryPlatform> mutex{Word32(&word)};
        if (mutex.held()) ++counter;
        if (round % 1'000 == 0) std::this_thread::yield();  // the others sleep
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter, kThreads * kRounds);
  EXPECT_EQ(word, 0U);
}

}  // namespace
}  // namespace strand
