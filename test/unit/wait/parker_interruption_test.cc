#include <gtest/gtest.h>

#include "wait/parker.h"

#if defined(STRAND_PARKER_LINUX)

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

namespace strand::wait {
namespace {

using namespace std::chrono_literals;

class InterruptedParking : public ::testing::Test {
 protected:
  void SetUp() override {
    struct sigaction action {};
    action.sa_handler = [](int) {};  // no SA_RESTART: the call fails with EINTR
    ASSERT_EQ(sigaction(SIGUSR1, &action, &before_), 0);
  }
  void TearDown() override { sigaction(SIGUSR1, &before_, nullptr); }

  std::uint32_t storage_ = 0;
  Word32 word_{&storage_};

 private:
  struct sigaction before_ {};
};

TEST_F(InterruptedParking, keepsItsDeadline) {
  // Interrupted more often than the timeout is long: a timeout that started over each time would
  // never end.
  constexpr auto kTimeout = 50ms;
  std::atomic<bool> done{false};
  std::thread sleeper([&] {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(PlatformParker::park(word_, 0, kTimeout, Scope::kProcess), ParkResult::kTimedOut);
    EXPECT_GE(std::chrono::steady_clock::now() - start, kTimeout);
    done = true;
  });
  while (!done) {
    pthread_kill(sleeper.native_handle(), SIGUSR1);
    std::this_thread::sleep_for(1ms);
  }
  sleeper.join();
}

TEST_F(InterruptedParking, sleepsOnWithoutATimeout) {
  std::atomic<bool> returned{false};
  std::thread sleeper([&] {
    while (word_.loadAcquire() == 0) {
      (void)PlatformParker::park(word_, 0, kForever, Scope::kProcess);
    }
    returned = true;
  });
  for (int i = 0; i < 50; ++i) {
    pthread_kill(sleeper.native_handle(), SIGUSR1);
    std::this_thread::sleep_for(100us);
  }
  EXPECT_FALSE(returned);
  word_.storeRelease(1);
  PlatformParker::unparkAll(word_, Scope::kProcess);
  sleeper.join();
}

}  // namespace
}  // namespace strand::wait

#endif
