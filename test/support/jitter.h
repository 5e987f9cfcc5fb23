#pragma once

#include <thread>

#include "support/random.h"
#include "wait/spin.h"

namespace strand::test {

/// A thread's random delay: mostly none, sometimes a few pauses, now and then the rest of its time slice.
inline void jitter(Random& random) {
  const std::uint64_t choice = random.below(100);
  if (choice < 70) return;
  if (choice < 97) {
    for (std::uint64_t i = random.below(100); i > 0; --i) wait::cpuRelax();
  } else {
    std::this_thread::yield();
  }
}

}  // namespace strand::test
