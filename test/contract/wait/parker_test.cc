#include "wait/parker.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "contract/wait/parkers.h"
#include "contract/wait/schedule.h"
#include "support/child_process.h"

#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace strand::test {
namespace {

using namespace std::chrono_literals;
using wait::kForever;
using wait::ParkResult;
using wait::Scope;

template <typename P>
class ParkerContract : public ParkerSuite<P> {
 protected:
  using Watched = WatchedParker<P>;

  std::uint32_t storage_ = 0;
  Word32 word_{&storage_};
};
TYPED_TEST_SUITE(ParkerContract, Parkers, ParkerNames);

TYPED_TEST(ParkerContract, returnsAtOnceWhenTheWordHasChanged) {
  this->word_.storeRelease(7);
  EXPECT_EQ(TypeParam::park(this->word_, 6, kForever, Scope::kProcess), ParkResult::kChanged);
  EXPECT_EQ(TypeParam::park(this->word_, 6, kForever, Scope::kSystem), ParkResult::kChanged);
}

TYPED_TEST(ParkerContract, withoutTimeOnlyCompares) {
  EXPECT_EQ(TypeParam::park(this->word_, 0, 0ns, Scope::kProcess), ParkResult::kTimedOut);
  EXPECT_EQ(TypeParam::park(this->word_, 0, -1ns, Scope::kProcess), ParkResult::kTimedOut);
  EXPECT_EQ(TypeParam::park(this->word_, 0, std::chrono::nanoseconds::min(), Scope::kProcess), ParkResult::kTimedOut);
  EXPECT_EQ(TypeParam::park(this->word_, 1, 0ns, Scope::kProcess), ParkResult::kChanged);
}

TYPED_TEST(ParkerContract, doesNotTimeOutBeforeItsTime) {
  for (const Scope scope : {Scope::kProcess, Scope::kSystem}) {
    for (const std::chrono::nanoseconds timeout : {1ns, 900'000ns, 30'000'000ns}) {
      ParkResult result{};
      std::chrono::nanoseconds waited{};
      do {
        const auto start = std::chrono::steady_clock::now();
        result = TypeParam::park(this->word_, 0, timeout, scope);
        waited = std::chrono::steady_clock::now() - start;
        ASSERT_NE(result, ParkResult::kChanged);
      } while (result != ParkResult::kTimedOut);
      EXPECT_GE(waited, timeout);
    }
  }
}

TYPED_TEST(ParkerContract, sleepsWithAnyTimeout) {
  // Near the end of what the clock can hold: a deadline that overflowed would return at once as
  // timed out.
  for (const std::chrono::nanoseconds timeout : {kForever, kForever - 1ns, kForever / 2}) {
    this->word_.storeRelease(0);
    std::atomic<bool> timedOut{false};
    std::thread sleeper([&] {
      while (this->word_.loadAcquire() == 0) {
        timedOut = timedOut || TypeParam::park(this->word_, 0, timeout, Scope::kProcess) == ParkResult::kTimedOut;
      }
    });
    std::this_thread::sleep_for(2ms);
    this->word_.storeRelease(1);
    TypeParam::unparkAll(this->word_, Scope::kProcess);
    sleeper.join();
    EXPECT_FALSE(timedOut) << timeout.count();
  }
}

TYPED_TEST(ParkerContract, wakesAllThreeSleepers) {
  const Random random;
  Schedule schedule(random.fork(0));
  for (std::uint32_t round = 0; round < 500; ++round) {
    const Scope scope = round % 2 == 0 ? Scope::kProcess : Scope::kSystem;
    std::atomic<int> ready{0};
    std::vector<std::thread> sleepers;
    for (int i = 0; i < 3; ++i) {
      sleepers.emplace_back([&] {
        ++ready;
        while (this->word_.loadAcquire() == round) {
          (void)TestFixture::Watched::park(this->word_, round, kForever, scope);
        }
      });
    }
    while (ready.load() < 3) {
      std::this_thread::yield();
    }
    schedule.delay();
    this->word_.storeRelease(round + 1);
    TypeParam::unparkAll(this->word_, scope);
    for (std::thread& sleeper : sleepers) {
      sleeper.join();
    }
  }
}

TYPED_TEST(ParkerContract, losesNoWakeUpBetweenComparingAndSleeping) {
  constexpr std::uint32_t kTurns = 40'000;
  const Random random;
  // The word counts turns; even ones are the first player's. Each sleeps on the other's value.
  const auto play = [&](std::uint32_t parity) {
    Schedule schedule(random.fork(parity));
    for (std::uint32_t turn = parity; turn < kTurns; turn += 2) {
      std::uint32_t seen = 0;
      while ((seen = this->word_.loadAcquire()) != turn) {
        (void)TestFixture::Watched::park(this->word_, seen, kForever, Scope::kProcess);
      }
      schedule.delay();
      this->word_.storeRelease(turn + 1);
      TypeParam::unparkAll(this->word_, Scope::kProcess);
    }
  };
  std::thread other(play, 1);
  play(0);
  other.join();
  EXPECT_EQ(this->word_.loadAcquire(), kTurns);
}

TYPED_TEST(ParkerContract, keepsWordsApart) {
  // More words than the portable parker has buckets: sleepers that share one must still all be
  // woken.
  constexpr std::size_t kWords = 150;
  std::array<std::uint32_t, kWords> storage{};
  std::vector<std::thread> sleepers;
  for (std::uint32_t& value : storage) {
    sleepers.emplace_back([&value] {
      const Word32 word(&value);
      while (word.loadAcquire() == 0) {
        (void)TestFixture::Watched::park(word, 0, kForever, Scope::kProcess);
      }
    });
  }
  for (std::uint32_t& value : storage) {
    const Word32 word(&value);
    word.storeRelease(1);
    TypeParam::unparkAll(word, Scope::kProcess);
  }
  for (std::thread& sleeper : sleepers) {
    sleeper.join();
  }
}

#if defined(__linux__)

TYPED_TEST(ParkerContract, wakesSleepersOfOtherProcesses) {
  if (!TypeParam::kReachesOtherProcesses) {
    GTEST_SKIP() << TypeParam::kName << " does not promise it";
  }
  constexpr std::uint32_t kTurns = 200;
  void* const memory = mmap(nullptr, sizeof(std::uint32_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  const Word32 word(static_cast<std::uint32_t*>(memory));
  const auto play = [&](std::uint32_t parity) {
    for (std::uint32_t turn = parity; turn < kTurns; turn += 2) {
      std::uint32_t seen = 0;
      while ((seen = word.loadAcquire()) != turn) {
        (void)TestFixture::Watched::park(word, seen, kForever, Scope::kSystem);
      }
      word.storeRelease(turn + 1);
      TypeParam::unparkAll(word, Scope::kSystem);
    }
  };
  const pid_t child = forkAlone();
  if (child == 0) {
    play(1);
    _exit(TestFixture::Watched::hangs.load() == 0 ? 0 : 1);
  }
  play(0);
  EXPECT_EQ(endOf(child), 0);
  munmap(memory, sizeof(std::uint32_t));
}

#endif

}  // namespace
}  // namespace strand::test
