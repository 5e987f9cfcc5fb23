#include "wait/async_table.h"

#include "memory/immortal.h"

namespace strand::wait {

AsyncTable& AsyncTable::instance() noexcept {
  static Immortal<AsyncTable> table;
  return *table;
}

AsyncTable::Bucket& AsyncTable::bucketOf(const std::uint32_t* counter) noexcept {
  // Fibonacci hashing: the counters of all strands lie at the same offset in their pages, so the low bits alone
  // would put them into one bucket.
  const auto address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(counter));
  return buckets_[static_cast<std::size_t>((address * 0x9E3779B97F4A7C15U) >> (64U - kBucketBits))];
}

void AsyncTable::add(AsyncWaiter& waiter) noexcept {
  Bucket& bucket = bucketOf(waiter.counter_);
  const std::scoped_lock lock(bucket.mutex);
  if (waiter.linked_) {
    return;
  }
  waiter.linked_ = true;
  waiter.previous_ = nullptr;
  waiter.next_ = bucket.first;
  if (waiter.next_ != nullptr) {
    waiter.next_->previous_ = &waiter;
  }
  bucket.first = &waiter;
}

void AsyncTable::unlink(Bucket& bucket, AsyncWaiter& waiter) noexcept {
  (waiter.previous_ != nullptr ? waiter.previous_->next_ : bucket.first) = waiter.next_;
  if (waiter.next_ != nullptr) {
    waiter.next_->previous_ = waiter.previous_;
  }
  waiter.next_ = nullptr;
  waiter.previous_ = nullptr;
  waiter.linked_ = false;
}

void AsyncTable::remove(AsyncWaiter& waiter) noexcept {
  Bucket& bucket = bucketOf(waiter.counter_);
  const std::scoped_lock lock(bucket.mutex);
  if (waiter.linked_) {
    unlink(bucket, waiter);
  }
}

void AsyncTable::removeAll(AsyncSink& sink) noexcept {
  for (Bucket& bucket : buckets_) {
    const std::scoped_lock lock(bucket.mutex);
    for (AsyncWaiter* waiter = bucket.first; waiter != nullptr;) {
      AsyncWaiter* const next = waiter->next_;
      if (waiter->sink_ == &sink) {
        unlink(bucket, *waiter);
      }
      waiter = next;
    }
  }
}

void AsyncTable::signal(const std::uint32_t* counter) noexcept {
  Bucket& bucket = bucketOf(counter);
  const std::scoped_lock lock(bucket.mutex);
  for (AsyncWaiter* waiter = bucket.first; waiter != nullptr; waiter = waiter->next_) {
    if (waiter->counter_ == counter) {
      waiter->fired.store(true, std::memory_order_release);
      waiter->sink_->wake();
    }
  }
}

}  // namespace strand::wait
