#include "memory/asymmetric_fence.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <thread>
#include <vector>

#include "memory/atomic_word.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace strand {
namespace {

/// Keeps the calling thread on the n-th core it may use, for as long as this lives: two threads that take turns on
/// one core show nothing.
class PinnedTo {
 public:
#if defined(__linux__)
  explicit PinnedTo(int n) {
    sched_getaffinity(0, sizeof before_, &before_);
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(static_cast<unsigned>(core), &before_) && n-- == 0) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(static_cast<unsigned>(core), &one);
        sched_setaffinity(0, sizeof one, &one);
      }
    }
  }
  ~PinnedTo() { sched_setaffinity(0, sizeof before_, &before_); }
#else
  explicit PinnedTo(int /*n*/) {}
  ~PinnedTo() = default;
#endif
  PinnedTo(const PinnedTo&) = delete;
  PinnedTo& operator=(const PinnedTo&) = delete;

 private:
#if defined(__linux__)
  cpu_set_t before_{};
#endif
};

TEST(AsymmetricFence, ofTheFrequentAndTheRareSideOneSeesTheOther) {
  // The outcome table of a commit against a wait, round by round:
  //   frequent: record = …; commit = round; LIGHT; sawFlag = flag      rare: flag = round; HEAVY; sawCommit = commit
  //   sawFlag < round and sawCommit < round: FORBIDDEN
  // Needs an optimised build: without optimisation the loads come too late to overtake anything.
  std::cout << "expedited barriers: " << (detail::kAsymmetricFences ? "yes" : "no") << '\n';
  constexpr std::uint32_t kRounds = 2'000;
  constexpr std::size_t kRecordLines = 8;
  constexpr std::size_t kLines = (std::size_t{64} << 20U) / 128;
  struct alignas(128) Line {
    std::uint32_t value = 0;
  };
  // The commit waits in its core's store buffer behind the stores to the record, which miss every cache, while the
  // load need not wait, since its line was warmed: that is when a load overtakes a store.
  std::vector<Line> lines(kLines);
  Line commit;
  Line flag;
  std::array<Line, 2> rounds;
  std::vector<std::uint32_t> sawFlag(kRounds + 1);
  std::vector<std::uint32_t> sawCommit(kRounds + 1);

  const auto meet = [&](std::size_t me, std::uint32_t round) {
    Word32(&rounds[me].value).storeRelease(round);
    for (int tries = 0; Word32(&rounds[1 - me].value).loadAcquire() < round; ++tries) {
      if (tries > 2'000) {
        std::this_thread::yield();
      }
    }
  };
  // Whoever comes last to the meeting leaves it first: shifts the rare side by up to some hundred nanoseconds.
  const auto stagger = [](std::uint32_t round) {
    std::uint32_t local = 0;
    for (std::uint32_t i = round % 512 / (1 + round % 16); i > 0; --i) {
      Word32(&local).storeRelaxed(i);
    }
  };
  std::thread rare([&] {
    const PinnedTo second(1);
    for (std::uint32_t round = 1; round <= kRounds; ++round) {
      (void)Word32(&commit.value).loadRelaxed();
      meet(1, 2 * round - 1);
      stagger(round);
      Word32(&flag.value).storeRelaxed(round);
      heavyFence();
      sawCommit[round] = Word32(&commit.value).loadRelaxed();
      meet(1, 2 * round);
    }
  });
  const PinnedTo first(0);
  for (std::uint32_t round = 1; round <= kRounds; ++round) {
    (void)Word32(&flag.value).loadRelaxed();
    meet(0, 2 * round - 1);
    for (std::size_t i = 0; i < kRecordLines; ++i) {
      Word32(&lines[(round * kRecordLines + i) * 7919 % kLines].value).storeRelaxed(round);
    }
    Word32(&commit.value).storeRelease(round);
    lightFence();
    sawFlag[round] = Word32(&flag.value).loadRelaxed();
    meet(0, 2 * round);
  }
  rare.join();
  for (std::uint32_t round = 1; round <= kRounds; ++round) {
    ASSERT_FALSE(sawFlag[round] < round && sawCommit[round] < round) << "FORBIDDEN in round " << round;
  }
}

}  // namespace
}  // namespace strand
