#include "memory/random_word.h"

#include <atomic>
#include <chrono>
#include <random>

#if defined(_WIN32)
#include <process.h>
#else
#include <unistd.h>
#endif

namespace strand {
namespace {

/// splitmix64's finaliser (Steele, Lea, Flood 2014): every bit of the input reaches every bit of the result.
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

std::uint64_t processId() noexcept {
#if defined(_WIN32)
  return static_cast<std::uint64_t>(_getpid());
#else
  return static_cast<std::uint64_t>(getpid());
#endif
}

/// Should the system have no entropy to give: the address tells the images of one process apart, the count its calls, the
/// rest different processes.
std::uint64_t seedWithoutEntropy() noexcept {
  static std::atomic<std::uint64_t> calls{0};
  std::uint64_t seed = mix(static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&calls)));
  seed = mix(seed ^ calls.fetch_add(1, std::memory_order_relaxed));
  seed = mix(seed ^ processId());
  return mix(seed ^ static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()));
}

}  // namespace

std::uint64_t randomWord() noexcept {
  std::uint64_t seed = seedWithoutEntropy();
  try {
    std::random_device device;
    seed ^= (static_cast<std::uint64_t>(device()) << 32U) | device();
  } catch (...) {  // NOLINT(bugprone-empty-catch): see above
  }
  const std::uint64_t word = mix(seed);
  return word != 0 ? word : 1;
}

}  // namespace strand
