#include "memory/atomic_word.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace strand {
namespace {

template <typename T>
class AtomicWordTest : public ::testing::Test {};
using Widths = ::testing::Types<std::uint8_t, std::uint32_t, std::uint64_t>;
TYPED_TEST_SUITE(AtomicWordTest, Widths);

TYPED_TEST(AtomicWordTest, refersToTheBytesAtItsOffsetAndToNoOthers) {
  alignas(8) std::array<std::byte, 32> memory{};
  const AtomicWord<TypeParam> word(memory.data(), 16);
  EXPECT_EQ(static_cast<void*>(word.address()), static_cast<void*>(memory.data() + 16));
  word.storeRelease(static_cast<TypeParam>(~TypeParam{0}));
  for (std::size_t i = 0; i < memory.size(); ++i) {
    EXPECT_EQ(memory[i] == std::byte{0xFF}, i >= 16 && i < 16 + sizeof(TypeParam)) << i;
  }
}

TYPED_TEST(AtomicWordTest, doesWhatTheNamesSay) {
  TypeParam memory = 5;
  const AtomicWord<TypeParam> word(&memory);
  EXPECT_EQ(word.loadRelaxed(), 5);
  EXPECT_EQ(word.exchangeAcqRel(6), 5);
  EXPECT_EQ(word.fetchAddRelaxed(2), 6);
  EXPECT_EQ(word.fetchAddRelease(2), 8);
  EXPECT_EQ(word.fetchOrAcqRel(5), 10);
  EXPECT_EQ(word.loadAcquire(), 15);
  word.storeRelaxed(1);
  TypeParam expected = 2;
  EXPECT_FALSE(word.compareExchange(expected, 9));
  EXPECT_EQ(expected, 1);
  EXPECT_TRUE(word.compareExchange(expected, 9));
  EXPECT_EQ(memory, 9);
}

TYPED_TEST(AtomicWordTest, raiseToNeverLowers) {
  TypeParam memory = 5;
  const AtomicWord<TypeParam> word(&memory);
  EXPECT_FALSE(word.raiseTo(4));
  EXPECT_FALSE(word.raiseTo(5));
  EXPECT_EQ(memory, 5);
  EXPECT_TRUE(word.raiseTo(6));
  EXPECT_EQ(memory, 6);
}

TEST(AtomicWord, raiseToKeepsTheGreatestOfAllThreads) {
  constexpr std::uint64_t kEach = 50'000;
  std::uint64_t memory = 0;
  std::atomic<bool> wentBack{false};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      const Word64 word(&memory);
      std::uint64_t before = 0;
      for (std::uint64_t i = 0; i < kEach; ++i) {
        const std::uint64_t value = i * 3 + t;
        const bool raised = word.raiseTo(value);
        const std::uint64_t now = word.loadAcquire();
        if (now < before || now < value || (raised && value == 0)) {
          wentBack = true;
        }
        before = now;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_FALSE(wentBack);
  EXPECT_EQ(memory, (kEach - 1) * 3 + 2);
}

TEST(CopyRacy, copiesEveryLengthFromEveryAlignmentAndNotAByteMore) {
  constexpr std::size_t kSize = 64;
  alignas(8) std::array<std::uint8_t, kSize> source{};
  for (std::size_t i = 0; i < kSize; ++i) {
    source[i] = static_cast<std::uint8_t>(i + 1);
  }
  for (std::size_t from = 0; from < 16; ++from) {
    for (std::size_t to = 0; to < 9; ++to) {
      for (std::size_t length = 0; from + length <= kSize && to + length <= kSize; ++length) {
        std::array<std::uint8_t, kSize + 16> copy{};
        copyRacy(copy.data() + to, source.data() + from, length);
        for (std::size_t i = 0; i < copy.size(); ++i) {
          const bool inside = i >= to && i < to + length;
          ASSERT_EQ(copy[i], inside ? source[from + i - to] : 0) << from << ' ' << to << ' ' << length << ' ' << i;
        }
      }
    }
  }
}

TEST(CopyRacy, givesAWholeCopyWhereTheAnnouncedPositionSaysSo) {
  constexpr std::size_t kWords = 8;
  constexpr std::uint64_t kCopies = 20'000;
  struct alignas(128) {
    std::uint64_t announced = 0;
    std::uint64_t finished = 0;
    alignas(128) std::array<std::uint64_t, kWords> bulk{};
  } shared;
  const Word64 announced(&shared.announced);
  const Word64 finished(&shared.finished);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (std::uint64_t round = 1; !stop; ++round) {
      announced.storeRelaxed(round);
      releaseFence();
      // Plain stores, as records are written.
      std::array<std::uint64_t, kWords> values{};
      values.fill(round);
      std::memcpy(shared.bulk.data(), values.data(), sizeof values);
      finished.storeRelease(round);
      for (std::uint64_t pause = round % 64; pause > 0; --pause) {
        (void)finished.loadAcquire();  // gives the reader a chance to find it between two rounds
      }
    }
  });
  std::uint64_t whole = 0;
  while (whole < kCopies) {
    const std::uint64_t before = finished.loadAcquire();
    std::array<std::uint64_t, kWords> copy{};
    copyRacy(copy.data(), shared.bulk.data(), sizeof copy);
    acquireFence();
    if (announced.loadRelaxed() == before) {
      ++whole;
      for (const std::uint64_t word : copy) {
        EXPECT_EQ(word, before);
      }
    }
  }
  stop = true;
  writer.join();
}

TEST(FullFence, ofTwoThreadsThatStoreAndLookOneSeesTheOther) {
  constexpr std::uint32_t kRounds = 50'000;
  struct alignas(128) Side {
    std::uint32_t flag = 0;
    std::uint32_t round = 0;
    std::vector<std::uint32_t> saw = std::vector<std::uint32_t>(kRounds + 1);
  };
  std::array<Side, 2> sides;
  const auto play = [&](std::size_t me) {
    const Word32 mine(&sides[me].flag);
    const Word32 theirs(&sides[1 - me].flag);
    for (std::uint32_t round = 1; round <= kRounds; ++round) {
      mine.storeRelaxed(round);
      fullFence();
      sides[me].saw[round] = theirs.loadRelaxed();
      Word32(&sides[me].round).storeRelease(round);
      // A few tries before yielding, so that both start the next round close together.
      for (int tries = 0; Word32(&sides[1 - me].round).loadAcquire() < round; ++tries) {
        if (tries > 100) {
          std::this_thread::yield();
        }
      }
    }
  };
  std::thread second(play, 1);
  play(0);
  second.join();
  for (std::uint32_t round = 1; round <= kRounds; ++round) {
    ASSERT_FALSE(sides[0].saw[round] < round && sides[1].saw[round] < round) << "FORBIDDEN in round " << round;
  }
}

}  // namespace
}  // namespace strand
