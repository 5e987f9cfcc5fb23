#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "record.h"
#include "wait/spin.h"

#if __has_include(<boost/lockfree/spsc_queue.hpp>)
#define BENCH_HAS_BOOST 1
#include <boost/lockfree/spsc_queue.hpp>
#endif
#if __has_include(<readerwriterqueue/readerwriterqueue.h>)
#define BENCH_HAS_READERWRITERQUEUE 1
#include <readerwriterqueue/readerwriterqueue.h>
#endif
#if __has_include(<concurrentqueue/concurrentqueue.h>)
#define BENCH_HAS_CONCURRENTQUEUE 1
#include <concurrentqueue/concurrentqueue.h>
#endif

/// The peers, each used as its documentation recommends. A contender is constructed on the main
/// thread and has
///
///     push(record)       one thread: returns once the record is in
///     pushRun(first)     likewise for kRun records from makeRecord(first) on
///     drainOne(visit)    another thread: visits one record and releases it
///     drainAll(visit)    visits what is there, at least one, and releases it in one step
///
/// with false in kHasRuns or kHasDrainAll where its interface has no such thing.
namespace bench {

inline constexpr std::size_t kRun = 256;

template <class TryOnce>
void spinUntil(TryOnce&& tryOnce) noexcept {
  while (!tryOnce()) strand::wait::cpuRelax();
}

#ifdef BENCH_HAS_BOOST
/// boost::lockfree::spsc_queue. Cannot sleep.
class BoostSpsc {
 public:
  static constexpr bool kHasRuns = true;
  static constexpr bool kHasDrainAll = true;

  explicit BoostSpsc(std::size_t capacity) : queue_(capacity) {}

  void push(const Record& record) noexcept {
    spinUntil([&] { return queue_.push(record); });
  }

  void pushRun(std::uint64_t first) noexcept {
    std::array<Record, kRun> run;
    for (std::size_t i = 0; i < kRun; ++i) run[i] = makeRecord(first + i);
    std::size_t pushed = 0;
    spinUntil([&] { return (pushed += queue_.push(&run[pushed], kRun - pushed)) == kRun; });
  }

  template <class Visit>
  void drainOne(Visit& visit) noexcept {
    spinUntil([&] { return queue_.consume_one(visit); });
  }

  template <class Visit>
  void drainAll(Visit& visit) noexcept {
    spinUntil([&] { return queue_.consume_all(visit) != 0; });
  }

 private:
  boost::lockfree::spsc_queue<Record> queue_;
};
#endif

#ifdef BENCH_HAS_READERWRITERQUEUE
/// moodycamel::ReaderWriterQueue at a fixed size. Cannot sleep.
class ReaderWriter {
 public:
  static constexpr bool kHasRuns = false;
  static constexpr bool kHasDrainAll = false;

  explicit ReaderWriter(std::size_t capacity) : queue_(capacity) {}

  void push(const Record& record) noexcept {
    spinUntil([&] { return queue_.try_enqueue(record); });
  }

  template <class Visit>
  void drainOne(Visit& visit) noexcept {
    Record record{};
    spinUntil([&] { return queue_.try_dequeue(record); });
    visit(record);
  }

 private:
  moodycamel::ReaderWriterQueue<Record> queue_;
};

/// moodycamel::BlockingReaderWriterQueue at a fixed size. Its consumer sleeps on a semaphore, its
/// producer cannot.
class BlockingReaderWriter {
 public:
  static constexpr bool kHasRuns = false;
  static constexpr bool kHasDrainAll = false;

  explicit BlockingReaderWriter(std::size_t capacity) : queue_(capacity) {}

  void push(const Record& record) noexcept {
    spinUntil([&] { return queue_.try_enqueue(record); });
  }

  template <class Visit>
  void drainOne(Visit& visit) noexcept {
    Record record{};
    queue_.wait_dequeue(record);
    visit(record);
  }

 private:
  moodycamel::BlockingReaderWriterQueue<Record> queue_;
};
#endif

#ifdef BENCH_HAS_CONCURRENTQUEUE
/// moodycamel::ConcurrentQueue, made for many producers and consumers and used by one of each, with
/// the tokens that its documentation recommends. ReaderWriterQueue has no bulk calls; this one has.
/// Cannot sleep.
class Concurrent {
 public:
  static constexpr bool kHasRuns = true;
  static constexpr bool kHasDrainAll = true;

  explicit Concurrent(std::size_t capacity)
      : queue_(capacity, 1, 0), producer_(queue_), consumer_(queue_), arrived_(capacity) {}

  void push(const Record& record) noexcept {
    spinUntil([&] { return queue_.try_enqueue(producer_, record); });
  }

  void pushRun(std::uint64_t first) noexcept {
    std::array<Record, kRun> run;
    for (std::size_t i = 0; i < kRun; ++i) run[i] = makeRecord(first + i);
    spinUntil([&] { return queue_.try_enqueue_bulk(producer_, run.data(), kRun); });
  }

  template <class Visit>
  void drainOne(Visit& visit) noexcept {
    Record record{};
    spinUntil([&] { return queue_.try_dequeue(consumer_, record); });
    visit(record);
  }

  template <class Visit>
  void drainAll(Visit& visit) noexcept {
    std::size_t count = 0;
    spinUntil([&] {
      count = queue_.try_dequeue_bulk(consumer_, arrived_.data(), arrived_.size());
      return count != 0;
    });
    for (std::size_t i = 0; i < count; ++i) visit(arrived_[i]);
  }

 private:
  struct Traits : moodycamel::ConcurrentQueueDefaultTraits {
    // An index that covers the capacity from the start: try_enqueue never enlarges it.
    static constexpr std::size_t EXPLICIT_INITIAL_INDEX_SIZE = 512;
  };

  moodycamel::ConcurrentQueue<Record, Traits> queue_;
  moodycamel::ProducerToken producer_;
  moodycamel::ConsumerToken consumer_;
  std::vector<Record> arrived_;
};
#endif

}  // namespace bench
