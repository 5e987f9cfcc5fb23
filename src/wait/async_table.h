#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace strand::wait {

/// One event loop, as far as waking is concerned. The binding implements it with a thread-safe function.
class AsyncSink {
 public:
  AsyncSink() = default;
  virtual ~AsyncSink() = default;
  AsyncSink(const AsyncSink&) = delete;
  AsyncSink& operator=(const AsyncSink&) = delete;

  /// Makes the loop test its fired waiters again. Called from any thread, under the table's lock: it must not
  /// block and must not call the table. It may be called often; coalescing is its own business.
  virtual void wake() noexcept = 0;
};

/// One asynchronous wait on one event counter. Owned by the binding, linked into the table between `add` and
/// `remove`; must stay in place and alive for that time.
class AsyncWaiter {
 public:
  AsyncWaiter(AsyncSink& sink, const std::uint32_t* counter) noexcept : sink_(&sink), counter_(counter) {}
  ~AsyncWaiter() = default;
  AsyncWaiter(const AsyncWaiter&) = delete;
  AsyncWaiter& operator=(const AsyncWaiter&) = delete;

  /// Set (release) by a signal before its sink's `wake`; the loop takes it before it tests the predicate, and leaves
  /// waiters alone whose flag is down.
  std::atomic<bool> fired{false};

  [[nodiscard]] AsyncSink& sink() const noexcept { return *sink_; }
  [[nodiscard]] const std::uint32_t* counter() const noexcept { return counter_; }

 private:
  friend class AsyncTable;

  AsyncSink* sink_;
  const std::uint32_t* counter_;
  // The table's links, guarded by the lock of the counter's bucket.
  AsyncWaiter* next_ = nullptr;
  AsyncWaiter* previous_ = nullptr;
  bool linked_ = false;
};

/// The asynchronous waiters of this process that were registered by this image of the code, by the address of
/// the event counter they wait for: an idle wait costs no thread and no timer.
///
/// A wait goes: `joinImage` (wait/image.h) → `add` → `EventCount::raise(kAsync)` → test the predicate → return to
/// the loop; when the sink is woken and `fired` is set: clear `fired` → `raise(kAsync)` → test the predicate.
/// Nothing is allocated, so nothing fails.
class AsyncTable {
 public:
  /// The table of this image. Never destroyed, so that threads may use it while the process exits.
  [[nodiscard]] static AsyncTable& instance() noexcept;

  AsyncTable() = default;
  ~AsyncTable() = default;
  AsyncTable(const AsyncTable&) = delete;
  AsyncTable& operator=(const AsyncTable&) = delete;

  void add(AsyncWaiter& waiter) noexcept;

  /// When it returns no other thread touches the waiter. Removing one that is not linked does nothing.
  void remove(AsyncWaiter& waiter) noexcept;

  /// Removes every waiter of a sink; when it returns no other thread touches them or the sink.
  void removeAll(AsyncSink& sink) noexcept;

  /// Marks every waiter on the counter as fired and wakes their sinks.
  void signal(const std::uint32_t* counter) noexcept;

 private:
  struct Bucket {
    std::mutex mutex;
    AsyncWaiter* first = nullptr;
  };
  static constexpr unsigned kBucketBits = 6;

  [[nodiscard]] Bucket& bucketOf(const std::uint32_t* counter) noexcept;
  static void unlink(Bucket& bucket, AsyncWaiter& waiter) noexcept;

  std::array<Bucket, std::size_t{1} << kBucketBits> buckets_;
};

}  // namespace strand::wait
