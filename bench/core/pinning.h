#pragma once

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>

#endif

namespace bench {

/// Cores that this process may use, the first two of them; {-1, -1} where there are fewer, or where
/// the platform cannot tell.
struct TwoCores {
  int first = -1;
  int second = -1;
};

inline TwoCores findTwoCores() noexcept {
  TwoCores cores;
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(static_cast<unsigned>(cpu), &allowed)) continue;
    if (cores.first < 0) {
      cores.first = cpu;
    } else {
      cores.second = cpu;
      return cores;
    }
  }
  cores.first = -1;
#endif
  return cores;
}

/// Keeps the calling thread on one core. Without effect for -1.
inline void pinTo(int cpu) noexcept {
#if defined(__linux__)
  if (cpu < 0) return;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<unsigned>(cpu), &one);
  (void)pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
#else
  (void)cpu;
#endif
}

}  // namespace bench
