#include "wait/spin.h"

#include <thread>

#if defined(__linux__)
#include <sched.h>
#include <unistd.h>
#endif

namespace strand::wait {

unsigned usableCores() noexcept {
#if defined(__linux__)
  // The main thread's cores stand for the process's: a thread that is pinned itself may still spin for one that is
  // not. Fails on machines with more cores than the set has room for, which have more than one.
  cpu_set_t set;
  if (sched_getaffinity(getpid(), sizeof set, &set) == 0) {
    return static_cast<unsigned>(std::max(CPU_COUNT(&set), 1));
  }
#endif
  return std::max(std::thread::hardware_concurrency(), 1U);
}

}  // namespace strand::wait
