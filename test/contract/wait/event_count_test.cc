#include "wait/event_count.h"

#include <gtest/gtest.h>

#include <algorithm>
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
using wait::Scope;
using wait::Spinner;

/// The words of one event count, as they lie in a strand.
struct alignas(128) Words {
  std::uint32_t counter = 0;
  std::uint32_t waiters = 0;
};

template <typename P>
class EventCountContract : public ParkerSuite<P> {
 protected:
  using EventCount = wait::BasicEventCount<WatchedParker<P>>;

  static EventCount over(Words& words, Scope scope = Scope::kProcess) {
    return EventCount(Word32(&words.counter), Word32(&words.waiters), scope);
  }

  Words words_;
  EventCount event_ = over(words_);
  alignas(128) std::uint64_t position_ = 0;
  Word64 at_{&position_};
};
TYPED_TEST_SUITE(EventCountContract, Parkers, ParkerNames);

TYPED_TEST(EventCountContract, returnsAtOnceWhenThePredicateHolds) {
  Spinner spinner;
  EXPECT_TRUE(this->event_.await([] { return true; }, kForever, spinner));
  EXPECT_TRUE(this->event_.await([] { return true; }, 0ns, spinner));
  EXPECT_EQ(this->words_.waiters, 0U);
}

TYPED_TEST(EventCountContract, doesNotTimeOutBeforeItsTime) {
  for (const unsigned cores : {1U, 2U}) {
    Spinner spinner(cores);
    for (const std::chrono::nanoseconds timeout : {-1ns, 0ns, 1ns, 20'000ns, 20'000'000ns}) {
      const auto start = std::chrono::steady_clock::now();
      EXPECT_FALSE(this->event_.await([] { return false; }, timeout, spinner));
      EXPECT_GE(std::chrono::steady_clock::now() - start, timeout);
    }
  }
}

TYPED_TEST(EventCountContract, losesNoWakeUpWithWaitersOnBothSides) {
  // A ring without a ring: the producer may be `capacity` ahead of the slowest of the consumers.
  // Everybody sleeps on everybody, so one lost wake-up stops them all.
  constexpr std::uint64_t kPositions = 15'000;
  constexpr std::size_t kMaxConsumers = 4;
  const Random random;
  Schedule choices(random.fork(100));
  for (const unsigned cores : {1U, 2U}) {
    for (std::size_t consumers = 1; consumers <= kMaxConsumers; ++consumers) {
      this->at_.storeRelease(0);
      const std::uint64_t capacity = 1 + choices.below(8);
      Words spaceWords;
      const auto space = this->over(spaceWords);
      alignas(128) std::array<std::uint64_t, kMaxConsumers> cursors{};

      const auto slowest = [&] {
        std::uint64_t least = ~std::uint64_t{0};
        for (std::size_t i = 0; i < consumers; ++i) {
          least = std::min(least, Word64(&cursors[i]).loadAcquire());
        }
        return least;
      };
      std::vector<std::thread> threads;
      for (std::size_t i = 0; i < consumers; ++i) {
        threads.emplace_back([&, i] {
          Schedule schedule(random.fork(i + 1));
          Spinner spinner(cores);
          const Word64 cursor(&cursors[i]);
          for (std::uint64_t next = 0; next < kPositions;) {
            ASSERT_TRUE(this->event_.await([&] { return this->at_.loadAcquire() > next; }, kForever, spinner));
            schedule.delay();
            next = this->at_.loadAcquire();
            cursor.storeRelease(next);
            space.notify();
          }
        });
      }
      Schedule schedule(random.fork(0));
      Spinner spinner(cores);
      for (std::uint64_t next = 0; next < kPositions; ++next) {
        ASSERT_TRUE(space.await([&] { return next - slowest() < capacity; }, kForever, spinner));
        schedule.delay();
        this->at_.storeRelease(next + 1);
        this->event_.notify();
      }
      for (std::thread& thread : threads) {
        thread.join();
      }
    }
  }
}

TYPED_TEST(EventCountContract, losesNoWakeUpAmongSeveralWakers) {
  constexpr std::uint64_t kEach = 5'000;
  constexpr std::uint64_t kWakers = 3;
  const Random random;
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      Schedule schedule(random.fork(i));
      Spinner spinner(1);
      std::uint64_t seen = 0;
      while (seen < kEach * kWakers) {
        ASSERT_TRUE(this->event_.await([&] { return this->at_.loadAcquire() > seen; }, kForever, spinner));
        seen = this->at_.loadAcquire();
        schedule.delay();
      }
    });
  }
  for (std::uint64_t i = 0; i < kWakers; ++i) {
    threads.emplace_back([&, i] {
      Schedule schedule(random.fork(10 + i));
      for (std::uint64_t n = 0; n < kEach; ++n) {
        schedule.delay();
        this->at_.fetchAddRelease(1);
        this->event_.notify();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

TYPED_TEST(EventCountContract, wakesAllThreeWaiters) {
  const Random random;
  Schedule schedule(random.fork(0));
  for (std::uint64_t round = 0; round < 300; ++round) {
    std::vector<std::thread> waiters;
    for (int i = 0; i < 3; ++i) {
      waiters.emplace_back([&] {
        Spinner spinner(1);
        EXPECT_TRUE(this->event_.await([&] { return this->at_.loadAcquire() > round; }, kForever, spinner));
      });
    }
    schedule.delay();
    this->at_.storeRelease(round + 1);
    this->event_.notify();
    for (std::thread& waiter : waiters) {
      waiter.join();
    }
  }
}

TYPED_TEST(EventCountContract, survivesTheCounterWrappingAround) {
  constexpr std::uint64_t kPositions = 2'000;
  this->words_.counter = ~std::uint32_t{0} - 20;
  std::atomic<std::uint64_t> seen{0};
  std::thread waiter([&] {
    Spinner spinner(1);
    while (seen < kPositions) {
      ASSERT_TRUE(this->event_.await([&] { return this->at_.loadAcquire() > seen; }, kForever, spinner));
      seen = this->at_.loadAcquire();
    }
  });
  for (std::uint64_t next = 1; next <= kPositions; ++next) {
    this->at_.storeRelease(next);
    this->event_.notify();
    // Lets the waiter sleep before each step, so that the counter is bumped often enough to wrap.
    while (Word32(&this->words_.waiters).loadRelaxed() == 0 && seen < kPositions) {
      std::this_thread::yield();
    }
  }
  waiter.join();
  EXPECT_LT(this->words_.counter, 5'000U);
}

TYPED_TEST(EventCountContract, aSystemWaiterOutlivesAWakerThatDiedBeforeWaking) {
  const auto event = this->over(this->words_, Scope::kSystem);
  std::thread waiter([&] {
    Spinner spinner(1);
    EXPECT_TRUE(event.await([&] { return this->at_.loadAcquire() == 1; }, kForever, spinner));
  });
  const Word32 flags(&this->words_.waiters);
  while (flags.loadRelaxed() == 0) {
    std::this_thread::yield();
  }
  // What a killed process can leave: the store made, the flags taken, the counter not bumped.
  this->at_.storeRelease(1);
  flags.exchangeAcqRel(0);
  waiter.join();
}

#if defined(__linux__)

TYPED_TEST(EventCountContract, wakesAcrossProcesses) {
  struct Shared {
    Words forward;
    Words back;
    alignas(8) std::uint64_t position;
    alignas(8) std::uint64_t answer;
  };
  constexpr std::uint64_t kRounds = 50;
  void* const memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto* const shared = ::new (memory) Shared{};
  const auto forward = this->over(shared->forward, Scope::kSystem);
  const auto back = this->over(shared->back, Scope::kSystem);
  const Word64 position(&shared->position);
  const Word64 answer(&shared->answer);

  const pid_t child = forkAlone();
  if (child == 0) {
    Spinner spinner(1);
    for (std::uint64_t round = 1; round <= kRounds; ++round) {
      if (!forward.await([&] { return position.loadAcquire() >= round; }, kForever, spinner)) {
        _exit(1);
      }
      answer.storeRelease(round);
      back.notify();
    }
    _exit(0);
  }
  Spinner spinner(1);
  bool answered = true;
  for (std::uint64_t round = 1; round <= kRounds && answered; ++round) {
    position.storeRelease(round);
    forward.notify();
    answered = back.await([&] { return answer.loadAcquire() >= round; }, kForever, spinner);
  }
  EXPECT_TRUE(answered);
  EXPECT_EQ(endOf(child), 0);
  munmap(memory, sizeof(Shared));
}

#endif

}  // namespace
}  // namespace strand::test
