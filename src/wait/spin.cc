#include "wait/spin.h"

#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace strand::wait {

unsigned usableCores() noexcept {
#if defined(__linux__)
  // Fails on machines with more cores than the set has room for, which have more than one.
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    return static_cast<unsigned>(std::max(CPU_COUNT(&set), 1));
  }
#endif
  return std::max(std::thread::hardware_concurrency(), 1U);
}

}  // namespace strand::wait
