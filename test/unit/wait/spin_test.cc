#include "wait/spin.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace strand::wait {
namespace {

using namespace std::chrono_literals;

Spinner shrunkToTheFloor() {
  Spinner spinner(2);
  while (spinner.budget() > Spinner::kMinBudget) {
    spinner.missed();
  }
  return spinner;
}

TEST(Spinner, doesNotSpinOnOneCore) {
  Spinner spinner(1);
  int tests = 0;
  EXPECT_FALSE(spinner.spin([&] {
    ++tests;
    return false;
  }));
  EXPECT_EQ(tests, 1);
  EXPECT_EQ(spinner.budget(), 0ns);
  EXPECT_TRUE(spinner.spin([] { return true; }));
  EXPECT_EQ(spinner.budget(), 0ns);
}

TEST(Spinner, testsThePredicateAtEveryPause) {
  Spinner spinner(2);
  int tests = 0;
  EXPECT_TRUE(spinner.spin([&] { return ++tests == 7; }));
  EXPECT_EQ(tests, 7);
}

TEST(Spinner, stopsWhenTheBudgetIsUsedUp) {
  Spinner spinner(2);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(spinner.spin([] { return false; }));
  EXPECT_GE(std::chrono::steady_clock::now() - start, spinner.budget());
}

TEST(Spinner, spinsNoLongerThanTheLimit) {
  // A limit of nothing leaves one round of pauses; the budget would leave many.
  Spinner spinner(2);
  int tests = 0;
  EXPECT_FALSE(spinner.spin(
      [&] {
        ++tests;
        return false;
      },
      0ns));
  EXPECT_EQ(tests, Spinner::kPausesPerClock);
}

TEST(Spinner, growsOnSuccessUpToItsBound) {
  Spinner spinner = shrunkToTheFloor();
  auto before = spinner.budget();
  while (before < Spinner::kMaxBudget) {
    EXPECT_TRUE(spinner.spin([] { return true; }));
    ASSERT_GT(spinner.budget(), before);
    before = spinner.budget();
  }
  EXPECT_TRUE(spinner.spin([] { return true; }));
  EXPECT_EQ(spinner.budget(), Spinner::kMaxBudget);
}

TEST(Spinner, shrinksOnFailureDownToItsFloor) {
  Spinner spinner(2);
  auto before = spinner.budget();
  while (before > Spinner::kMinBudget) {
    spinner.missed();
    EXPECT_LT(spinner.budget(), before);
    before = spinner.budget();
  }
  spinner.missed();
  EXPECT_EQ(spinner.budget(), Spinner::kMinBudget);
}

TEST(Spinner, growsAfterASleepThatSpinningWouldHaveSaved) {
  Spinner spinner = shrunkToTheFloor();
  spinner.slept(Spinner::kMaxBudget);
  EXPECT_GT(spinner.budget(), Spinner::kMinBudget);
}

TEST(Spinner, shrinksAfterASleepThatNoSpinningWouldHaveSaved) {
  Spinner spinner(2);
  const auto before = spinner.budget();
  spinner.slept(10ms);
  EXPECT_LT(spinner.budget(), before);
}

#if defined(__linux__)

TEST(Spinner, countsTheCoresOfTheProcessAndNotOfAPinnedThread) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  const auto all = static_cast<unsigned>(CPU_COUNT(&before));
  cpu_set_t one;
  CPU_ZERO(&one);
  const int core = sched_getcpu();
  ASSERT_GE(core, 0);
  CPU_SET(static_cast<unsigned>(core), &one);

  std::thread([&] {
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(usableCores(), all);
  }).join();

  // This is the main thread.
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(usableCores(), 1U);
  EXPECT_EQ(Spinner().budget(), 0ns);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(usableCores(), all);
}

#endif

}  // namespace
}  // namespace strand::wait
