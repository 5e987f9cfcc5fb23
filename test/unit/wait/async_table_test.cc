#include "wait/async_table.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "contract/wait/schedule.h"
#include "support/counting_sink.h"
#include "wait/event_count.h"
#include "wait/image.h"

namespace strand::wait {
namespace {

using test::Random;
using test::Schedule;

class AsyncTableTest : public ::testing::Test {
 protected:
  AsyncTable table_;
  test::CountingSink sink_;
  test::CountingSink otherSink_;
  std::uint32_t counter_ = 0;
  std::uint32_t otherCounter_ = 0;
};

TEST_F(AsyncTableTest, signalsEveryWaiterOnTheCounterAndNoOther) {
  AsyncWaiter first(sink_, &counter_);
  AsyncWaiter second(sink_, &counter_);
  AsyncWaiter third(otherSink_, &counter_);
  AsyncWaiter elsewhere(otherSink_, &otherCounter_);
  for (AsyncWaiter* const waiter : {&first, &second, &third, &elsewhere}) {
    table_.add(*waiter);
  }
  table_.signal(&counter_);
  EXPECT_TRUE(first.fired && second.fired && third.fired);
  EXPECT_FALSE(elsewhere.fired);
  EXPECT_EQ(sink_.wakes, 2);
  EXPECT_EQ(otherSink_.wakes, 1);
  table_.removeAll(sink_);
  table_.removeAll(otherSink_);
}

TEST_F(AsyncTableTest, signalsTheSameWaiterAgainUntilItIsRemoved) {
  AsyncWaiter waiter(sink_, &counter_);
  table_.add(waiter);
  table_.signal(&counter_);
  waiter.fired = false;
  table_.signal(&counter_);
  EXPECT_TRUE(waiter.fired);
  table_.remove(waiter);
  waiter.fired = false;
  table_.signal(&counter_);
  EXPECT_FALSE(waiter.fired);
  EXPECT_EQ(sink_.wakes, 2);
}

TEST_F(AsyncTableTest, removesFromAnyPlaceInTheList) {
  // Three on one counter; each of the three goes first once.
  for (std::size_t leaving = 0; leaving < 3; ++leaving) {
    std::array<std::unique_ptr<AsyncWaiter>, 3> waiters;
    for (auto& waiter : waiters) {
      waiter = std::make_unique<AsyncWaiter>(sink_, &counter_);
      table_.add(*waiter);
    }
    table_.remove(*waiters[leaving]);
    waiters[leaving].reset();  // the sanitizer sees any later touch
    table_.signal(&counter_);
    for (auto& waiter : waiters) {
      if (waiter) {
        EXPECT_TRUE(waiter->fired);
        table_.remove(*waiter);
      }
    }
  }
}

TEST_F(AsyncTableTest, addingTwiceOrRemovingTwiceDoesNothing) {
  AsyncWaiter waiter(sink_, &counter_);
  table_.remove(waiter);
  table_.add(waiter);
  table_.add(waiter);
  table_.signal(&counter_);
  EXPECT_EQ(sink_.wakes, 1);
  table_.remove(waiter);
  table_.remove(waiter);
  table_.signal(&counter_);
  EXPECT_EQ(sink_.wakes, 1);
  table_.add(waiter);
  table_.signal(&counter_);
  EXPECT_EQ(sink_.wakes, 2);
  table_.remove(waiter);
}

TEST_F(AsyncTableTest, removeAllForgetsASinkOnEveryCounter) {
  constexpr std::size_t kCounters = 300;
  std::vector<std::uint32_t> counters(kCounters);
  std::vector<std::unique_ptr<AsyncWaiter>> leaving;
  std::vector<std::unique_ptr<AsyncWaiter>> staying;
  for (const std::uint32_t& counter : counters) {
    leaving.push_back(std::make_unique<AsyncWaiter>(sink_, &counter));
    staying.push_back(std::make_unique<AsyncWaiter>(otherSink_, &counter));
    table_.add(*leaving.back());
    table_.add(*staying.back());
  }
  table_.removeAll(sink_);
  leaving.clear();
  for (const std::uint32_t& counter : counters) {
    table_.signal(&counter);
  }
  EXPECT_EQ(sink_.wakes, 0);
  EXPECT_EQ(otherSink_.wakes, static_cast<int>(kCounters));
  table_.removeAll(otherSink_);
}

TEST_F(AsyncTableTest, touchesNothingAfterRemovalWhileSignalsRace) {
  const Random random;
  constexpr std::size_t kCounters = 4;
  std::array<std::uint32_t, kCounters> counters{};
  std::atomic<bool> stop{false};
  std::vector<std::thread> signallers;
  for (std::uint64_t i = 0; i < 2; ++i) {
    signallers.emplace_back([&, i] {
      Schedule schedule(random.fork(i));
      while (!stop) {
        table_.signal(&counters[schedule.below(kCounters)]);
      }
    });
  }
  std::vector<std::thread> loops;
  for (std::uint64_t i = 0; i < 3; ++i) {
    loops.emplace_back([&, i] {
      Schedule schedule(random.fork(10 + i));
      for (int round = 0; round < 1'000; ++round) {
        // A sink and waiters that are freed right behind their removal.
        auto sink = std::make_unique<test::CountingSink>();
        std::vector<std::unique_ptr<AsyncWaiter>> waiters;
        for (std::uint64_t n = 1 + schedule.below(5); n > 0; --n) {
          waiters.push_back(std::make_unique<AsyncWaiter>(*sink, &counters[schedule.below(kCounters)]));
          table_.add(*waiters.back());
        }
        schedule.delay();
        if (schedule.below(2) == 0) {
          table_.removeAll(*sink);
        } else {
          for (const auto& waiter : waiters) {
            table_.remove(*waiter);
          }
        }
        waiters.clear();
        sink.reset();
      }
    });
  }
  for (std::thread& loop : loops) {
    loop.join();
  }
  stop = true;
  for (std::thread& signaller : signallers) {
    signaller.join();
  }
}

/// An event loop: one outstanding wake, and a thread that sleeps until there is one.
class LoopSink final : public AsyncSink {
 public:
  void wake() noexcept override {
    const std::scoped_lock lock(mutex_);
    woken_ = true;
    changed_.notify_one();
  }

  void turn() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return woken_; });
    woken_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

TEST(AsyncWait, losesNoWakeUpBesideSleepers) {
  const Random random;
  constexpr std::uint64_t kPositions = 10'000;
  struct alignas(128) {
    std::uint32_t counter = 0;
    std::uint32_t waiters = 0;
    std::uint64_t image = 0;
    std::uint64_t position = 0;
    std::uint32_t spaceCounter = 0;
    std::uint32_t spaceWaiters = 0;
    std::uint64_t cursors[3] = {};
  } words;
  const EventCount event(Word32(&words.counter), Word32(&words.waiters), Scope::kProcess, Word64(&words.image));
  const EventCount space(Word32(&words.spaceCounter), Word32(&words.spaceWaiters), Scope::kProcess);
  const Word64 position(&words.position);

  const auto consumed = [&](std::size_t who, std::uint64_t upTo) {
    Word64(&words.cursors[who]).storeRelease(upTo);
    space.notify();
  };
  std::vector<std::thread> consumers;
  for (std::size_t who = 0; who < 2; ++who) {
    consumers.emplace_back([&, who] {
      Schedule schedule(random.fork(who));
      LoopSink sink;
      AsyncWaiter waiter(sink, event.counter().address());
      joinImage(Word64(&words.image));
      AsyncTable::instance().add(waiter);
      for (std::uint64_t next = 0; next < kPositions;) {
        event.raise(kAsync);
        while (position.loadAcquire() <= next) {
          sink.turn();
          if (waiter.fired.exchange(false, std::memory_order_acq_rel)) {
            event.raise(kAsync);
          }
        }
        schedule.delay();
        next = position.loadAcquire();
        consumed(who, next);
      }
      AsyncTable::instance().remove(waiter);
    });
  }
  consumers.emplace_back([&] {
    Spinner spinner(1);
    for (std::uint64_t next = 0; next < kPositions;) {
      EXPECT_TRUE(event.await([&] { return position.loadAcquire() > next; }, kForever, spinner));
      next = position.loadAcquire();
      consumed(2, next);
    }
  });
  Schedule schedule(random.fork(10));
  Spinner spinner(1);
  for (std::uint64_t next = 0; next < kPositions; ++next) {
    EXPECT_TRUE(space.await(
        [&] {
          for (std::uint64_t& cursor : words.cursors) {
            if (next - Word64(&cursor).loadAcquire() >= 3) {
              return false;
            }
          }
          return true;
        },
        kForever, spinner));
    schedule.delay();
    position.storeRelease(next + 1);
    event.notify();
  }
  for (std::thread& consumer : consumers) {
    consumer.join();
  }
}

}  // namespace
}  // namespace strand::wait
