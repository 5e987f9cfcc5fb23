#include "memory/asymmetric_fence.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <thread>
#include <vector>

#include "memory/atomic_word.h"

namespace strand {
namespace {

TEST(AsymmetricFence, ofTheFrequentAndTheRareSideOneSeesTheOther) {
  // The outcome table of a commit against a wait, round by round:
  //   frequent: commit = round; light fence; sawFlag = flag      rare: flag = round; heavy fence; sawCommit = commit
  //   sawFlag < round and sawCommit < round: FORBIDDEN
  std::cout << "expedited barriers: " << (detail::kAsymmetricFences ? "yes" : "no") << '\n';
  constexpr std::uint32_t kRounds = 100'000;
  struct alignas(128) Side {
    std::uint32_t word = 0;
    std::uint32_t round = 0;
    std::vector<std::uint32_t> saw = std::vector<std::uint32_t>(kRounds + 1);
  };
  std::array<Side, 2> sides;
  const auto play = [&](std::size_t me, auto&& fence) {
    const Word32 mine(&sides[me].word);
    const Word32 theirs(&sides[1 - me].word);
    for (std::uint32_t round = 1; round <= kRounds; ++round) {
      mine.storeRelaxed(round);
      fence();
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
  std::thread rare([&] { play(1, [] { heavyFence(); }); });
  play(0, [] { lightFence(); });
  rare.join();
  for (std::uint32_t round = 1; round <= kRounds; ++round) {
    ASSERT_FALSE(sides[0].saw[round] < round && sides[1].saw[round] < round) << "FORBIDDEN in round " << round;
  }
}

}  // namespace
}  // namespace strand
