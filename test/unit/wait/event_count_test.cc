#include "wait/event_count.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

#include "support/counting_sink.h"
#include "wait/async_table.h"

namespace strand::wait {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

struct SystemCalls {
  int unparks = 0;
  std::vector<nanoseconds> sleeps;
  std::function<void()> onSleep;
};

/// Stands in for the kernel: records every call, and never sleeps. Where a thread would sleep,
/// `onSleep` says what happens meanwhile.
struct ScriptedParker {
  static constexpr const char* kName = "scripted";
  static constexpr bool kReachesOtherProcesses = true;

  static inline SystemCalls log;

  static ParkResult park(Word32 word, std::uint32_t expected, nanoseconds timeout, Scope /*scope*/) noexcept {
    if (word.loadAcquire() != expected) {
      return ParkResult::kChanged;
    }
    log.sleeps.push_back(timeout);
    if (log.onSleep) {
      log.onSleep();
    }
    return ParkResult::kWoken;
  }

  static void unparkAll(Word32 /*word*/, Scope /*scope*/) noexcept { ++log.unparks; }
};

class EventCountTest : public ::testing::Test {
 protected:
  using ScriptedEvent = BasicEventCount<ScriptedParker>;

  void SetUp() override { ScriptedParker::log = {}; }

  std::uint32_t counter_ = 0;
  std::uint32_t waiters_ = 0;
  ScriptedEvent event_{Word32(&counter_), Word32(&waiters_), Scope::kProcess};
  Spinner noSpinning_{1};
};

TEST_F(EventCountTest, notifyWithoutAWaiterMakesNoSystemCallAndWritesNothing) {
  for (int i = 0; i < 1000; ++i) {
    event_.notify();
  }
  EXPECT_EQ(ScriptedParker::log.unparks, 0);
  EXPECT_EQ(counter_, 0U);
  EXPECT_EQ(waiters_, 0U);
}

TEST_F(EventCountTest, notifyTakesTheFlagsSoThatTheNextOneMakesNoSystemCall) {
  event_.raise(kSleeper);
  event_.notify();
  event_.notify();
  EXPECT_EQ(ScriptedParker::log.unparks, 1);
  EXPECT_EQ(counter_, 1U);
  EXPECT_EQ(waiters_, 0U);
}

TEST_F(EventCountTest, notifyIfAsksOnlyWhereSomebodyWaitsAndLeavesTheFlagsWhereItIsNotWorthwhile) {
  int asked = 0;
  const auto answer = [&](bool worthwhile) {
    return [&asked, worthwhile] {
      ++asked;
      return worthwhile;
    };
  };
  event_.notifyIf(answer(true));
  EXPECT_EQ(asked, 0);
  event_.raise(kSleeper);
  event_.notifyIf(answer(false));
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(ScriptedParker::log.unparks, 0);
  EXPECT_EQ(waiters_, kSleeper);
  EXPECT_EQ(counter_, 0U);
  event_.notifyIf(answer(true));
  EXPECT_EQ(ScriptedParker::log.unparks, 1);
  EXPECT_EQ(waiters_, 0U);
  EXPECT_EQ(counter_, 1U);
}

TEST_F(EventCountTest, asynchronousWaitersAloneCostNoUnpark) {
  test::CountingSink sink;
  AsyncWaiter waiter(sink, &counter_);
  AsyncTable::instance().add(waiter);
  event_.raise(kAsync);
  event_.notify();
  AsyncTable::instance().remove(waiter);
  EXPECT_EQ(ScriptedParker::log.unparks, 0);
  EXPECT_EQ(counter_, 1U);
  EXPECT_EQ(sink.wakes, 1);
  EXPECT_TRUE(waiter.fired.load());
}

TEST_F(EventCountTest, sleepersAloneDoNotSignalEventLoops) {
  test::CountingSink sink;
  AsyncWaiter waiter(sink, &counter_);
  AsyncTable::instance().add(waiter);
  event_.raise(kSleeper);
  event_.notify();
  EXPECT_EQ(sink.wakes, 0);
  event_.raise(kSleeper | kAsync);
  event_.notify();
  AsyncTable::instance().remove(waiter);
  EXPECT_EQ(sink.wakes, 1);
  EXPECT_EQ(ScriptedParker::log.unparks, 2);
}

TEST_F(EventCountTest, neverSleepsThroughAStoreWhereverItComes) {
  // The waker runs as a whole right after the waiter's n-th test of the predicate has found
  // nothing. Wherever that is, the waiter must either see the store in its next test or be kept
  // from sleeping by the bumped counter.
  for (int n = 1; n <= 6; ++n) {
    counter_ = 0;
    waiters_ = 0;
    ScriptedParker::log = {};
    bool stored = false;
    bool lost = false;
    const auto wake = [&] {
      stored = true;
      event_.notify();
    };
    ScriptedParker::log.onSleep = [&] {
      lost = lost || stored;
      if (ScriptedParker::log.sleeps.size() > 3) {
        wake();
      }
    };
    int tests = 0;
    const bool reached = event_.await(
        [&] {
          const bool seen = stored;
          if (++tests == n) {
            wake();
          }
          return seen;
        },
        kForever, noSpinning_);
    EXPECT_TRUE(reached);
    EXPECT_FALSE(lost) << "asleep although the store came after test " << n;
  }
}

TEST_F(EventCountTest, sleepsAgainAfterASpuriousWakeUp) {
  bool stored = false;
  ScriptedParker::log.onSleep = [&] { stored = ScriptedParker::log.sleeps.size() == 5; };
  EXPECT_TRUE(event_.await([&] { return stored; }, kForever, noSpinning_));
  EXPECT_EQ(ScriptedParker::log.sleeps.size(), 5U);
}

TEST_F(EventCountTest, announcesItselfAnewBeforeEverySleep) {
  bool stored = false;
  bool announced = true;
  ScriptedParker::log.onSleep = [&] {
    announced = announced && waiters_ == kSleeper;
    waiters_ = 0;  // another waker, whose store was not the awaited one
    counter_ += 1;
    stored = ScriptedParker::log.sleeps.size() == 4;
  };
  EXPECT_TRUE(event_.await([&] { return stored; }, kForever, noSpinning_));
  EXPECT_TRUE(announced);
}

TEST_F(EventCountTest, anEndlessWaitInOneProcessSetsNoTimer) {
  bool stored = false;
  ScriptedParker::log.onSleep = [&] { stored = true; };
  EXPECT_TRUE(event_.await([&] { return stored; }, kForever, noSpinning_));
  ASSERT_EQ(ScriptedParker::log.sleeps.size(), 1U);
  EXPECT_EQ(ScriptedParker::log.sleeps.front(), kForever);
}

TEST_F(EventCountTest, anEndlessWaitBetweenProcessesSleepsInSlices) {
  const ScriptedEvent shared(Word32(&counter_), Word32(&waiters_), Scope::kSystem);
  bool stored = false;
  ScriptedParker::log.onSleep = [&] { stored = true; };
  EXPECT_TRUE(shared.await([&] { return stored; }, kForever, noSpinning_));
  ASSERT_EQ(ScriptedParker::log.sleeps.size(), 1U);
  EXPECT_EQ(ScriptedParker::log.sleeps.front(), ScriptedEvent::kSystemSlice);
}

TEST_F(EventCountTest, neverSleepsPastItsTimeout) {
  ScriptedParker::log.onSleep = [] { std::this_thread::sleep_for(1ms); };
  EXPECT_FALSE(event_.await([] { return false; }, 10ms, noSpinning_));
  ASSERT_FALSE(ScriptedParker::log.sleeps.empty());
  nanoseconds last = 10ms;
  for (const nanoseconds sleep : ScriptedParker::log.sleeps) {
    EXPECT_LE(sleep, last);
    EXPECT_GT(sleep, 0ns);
    last = sleep;
  }
}

TEST_F(EventCountTest, withoutTimeOnlyTests) {
  int tests = 0;
  EXPECT_FALSE(event_.await(
      [&] {
        ++tests;
        return false;
      },
      0ns, noSpinning_));
  EXPECT_EQ(tests, 1);
  EXPECT_EQ(waiters_, 0U);
}

TEST_F(EventCountTest, learnsToSpinFromShortWaitsAndNotToFromLongOnes) {
  Spinner spinner(2);
  while (spinner.budget() > Spinner::kMinBudget) {
    spinner.missed();
  }
  // Wakes that come while it spins.
  for (int i = 0; i < 10; ++i) {
    int tests = 0;
    EXPECT_TRUE(event_.await([&] { return ++tests == 4; }, kForever, spinner));
  }
  EXPECT_EQ(spinner.budget(), Spinner::kMaxBudget);
  EXPECT_TRUE(ScriptedParker::log.sleeps.empty());
  // Wakes that come long after.
  bool stored = false;
  ScriptedParker::log.onSleep = [&] {
    std::this_thread::sleep_for(1ms);
    stored = true;
  };
  for (int i = 0; i < 10; ++i) {
    stored = false;
    EXPECT_TRUE(event_.await([&] { return stored; }, kForever, spinner));
  }
  EXPECT_EQ(spinner.budget(), Spinner::kMinBudget);
}

using EventCountDeathTest = EventCountTest;

TEST_F(EventCountDeathTest, shutdownEndsEveryWait) {
  // The flag is for good, so it is set in a process of its own.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const EventCount event(Word32(&counter_), Word32(&waiters_), Scope::kProcess);
        std::atomic<int> ended{0};
        std::vector<std::thread> waiters;
        for (int i = 0; i < 3; ++i) {
          waiters.emplace_back([&] {
            Spinner spinner;
            // As a blocked JavaScript worker waits.
            while (!shuttingDown()) {
              (void)event.await([] { return false; }, 10ms, spinner);
            }
            ++ended;
          });
        }
        // And one that is woken.
        waiters.emplace_back([&] {
          Spinner spinner(1);
          ended += event.await([] { return false; }, kForever, spinner) ? 0 : 1;
        });
        beginShutdown();
        while (ended.load() < 4) {
          event.notify();
          std::this_thread::yield();
        }
        for (std::thread& waiter : waiters) {
          waiter.join();
        }
        Spinner spinner;
        const bool late = event.await([] { return false; }, kForever, spinner);
        std::exit(late ? 1 : 0);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace strand::wait
