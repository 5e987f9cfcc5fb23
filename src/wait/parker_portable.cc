#include "wait/parker_portable.h"

#include <array>
#include <condition_variable>
#include <cstddef>
#include <mutex>

#include "memory/immortal.h"

namespace strand::wait {
namespace {

struct Bucket {
  std::mutex mutex;
  std::condition_variable changed;
};

constexpr unsigned kBucketBits = 6;
using Buckets = std::array<Bucket, std::size_t{1} << kBucketBits>;

// Words that share a bucket wake each other's sleepers, which the contract allows.
Bucket& bucketOf(Word32 word) noexcept {
  static Immortal<Buckets> buckets;
  const auto address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(word.address()));
  return (*buckets)[static_cast<std::size_t>((address * 0x9E3779B97F4A7C15U) >> (64U - kBucketBits))];
}

}  // namespace

ParkResult PortableParker::park(Word32 word, std::uint32_t expected, std::chrono::nanoseconds timeout,
                                Scope /*scope*/) noexcept {
  using Clock = std::chrono::steady_clock;
  Bucket& bucket = bucketOf(word);
  std::unique_lock lock(bucket.mutex);
  // The waker changes the word before it takes the lock: the change is seen here, or its notification is.
  if (word.loadAcquire() != expected) {
    return ParkResult::kChanged;
  }
  if (timeout <= std::chrono::nanoseconds::zero()) {
    return ParkResult::kTimedOut;
  }
  const Clock::time_point now = Clock::now();
  if (timeout >= Clock::time_point::max() - now) {
    bucket.changed.wait(lock);
    return ParkResult::kWoken;
  }
  const std::cv_status status = bucket.changed.wait_until(lock, now + timeout);
  return status == std::cv_status::timeout ? ParkResult::kTimedOut : ParkResult::kWoken;
}

void PortableParker::unparkAll(Word32 word, Scope /*scope*/) noexcept {
  Bucket& bucket = bucketOf(word);
  const std::scoped_lock lock(bucket.mutex);
  bucket.changed.notify_all();
}

#if defined(STRAND_PARKER_PORTABLE)

ParkResult PlatformParker::park(Word32 word, std::uint32_t expected, std::chrono::nanoseconds timeout,
                                Scope scope) noexcept {
  return PortableParker::park(word, expected, timeout, scope);
}

void PlatformParker::unparkAll(Word32 word, Scope scope) noexcept { PortableParker::unparkAll(word, scope); }

#endif

}  // namespace strand::wait
