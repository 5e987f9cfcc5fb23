#pragma once

#include <chrono>
#include <cstdint>
#include <thread>

#include "support/random.h"
#include "wait/spin.h"

namespace strand::test {

/// One thread's random delays: often none, mostly a few pauses, now and then long enough for others to fall asleep.
class Schedule {
 public:
  explicit Schedule(Random random) : random_(random) {}

  void delay() {
    if (random_.percent(30)) {
      return;
    }
    if (random_.percent(85)) {
      for (std::uint64_t i = below(200); i > 0; --i) {
        wait::cpuRelax();
      }
    } else if (random_.percent(80)) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(below(200)));
    }
  }

  [[nodiscard]] std::uint64_t below(std::uint64_t limit) { return random_.below(limit); }

 private:
  Random random_;
};

}  // namespace strand::test
