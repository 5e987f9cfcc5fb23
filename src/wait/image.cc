#include "wait/image.h"

#include <chrono>
#include <random>

#include "wait/async_table.h"

namespace strand::wait {
namespace {

/// splitmix64's finaliser (Steele, Lea, Flood 2014): every bit of the input reaches every bit of the result.
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31U);
}

std::uint64_t randomId() noexcept {
  // The address alone tells the images of one process apart, the rest those of different processes, should the
  // system have no entropy to give.
  static const char kHere = 0;
  std::uint64_t seed = mix(static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&kHere)));
  seed = mix(seed ^ static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()));
  try {
    std::random_device device;
    seed ^= (static_cast<std::uint64_t>(device()) << 32U) | device();
  } catch (...) {  // NOLINT(bugprone-empty-catch): see above
  }
  const std::uint64_t id = mix(seed) >> 1U;
  return id == kNoImage ? 1 : id;
}

}  // namespace

std::uint64_t imageId() noexcept {
  static const std::uint64_t kId = randomId();
  return kId;
}

void joinImage(Word64 image) noexcept {
  std::uint64_t seen = kNoImage;
  if (image.compareExchange(seen, imageId())) {
    return;
  }
  if (seen != imageId()) {
    image.storeRelease(kImagesMixed);
  }
}

}  // namespace strand::wait

extern "C" void strand_signal_async_v1(const std::uint32_t* counter) {
  strand::wait::AsyncTable::instance().signal(counter);
}
