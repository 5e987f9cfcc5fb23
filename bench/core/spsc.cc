// Two threads, records of 24 bytes:
//
//     producer (core 1) ── Record ──▶ consumer (core 2), which checks every record
//
//     spsc list                                        the contenders that were compiled in
//     spsc <contender> <mode> check                    a digest of what arrived
//     spsc <contender> <mode> measure [--quick]        nanoseconds per record
//
// Modes: `one` pushes and releases one record at a time, `drain` pushes one at a time and releases
// all that is there in one step, `runs` pushes runs of 256 and releases likewise. The answer is one
// line of JSON.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <span>
#include <string_view>
#include <thread>

#include "pinning.h"
#include "record.h"
#include "spsc_peers.h"
#include "spsc_strand.h"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kCapacity = 8192;

struct OneByOne {
  static constexpr std::uint64_t kStep = 1;
  static void push(auto& queue, std::uint64_t first) noexcept { queue.push(makeRecord(first)); }
  static void drain(auto& queue, auto& visit) noexcept { queue.drainOne(visit); }
};

struct OneDrained {
  static constexpr std::uint64_t kStep = 1;
  static void push(auto& queue, std::uint64_t first) noexcept { queue.push(makeRecord(first)); }
  static void drain(auto& queue, auto& visit) noexcept { queue.drainAll(visit); }
};

struct InRuns {
  static constexpr std::uint64_t kStep = kRun;
  static void push(auto& queue, std::uint64_t first) noexcept { queue.pushRun(first); }
  static void drain(auto& queue, auto& visit) noexcept { queue.drainAll(visit); }
};

/// Sends records [from, to) through the queue, from one thread to another.
/// @return the time from the first push to the last visit
template <class Mode, class Queue, class Visit>
Clock::duration transfer(Queue& queue, std::uint64_t from, std::uint64_t to, Visit& visit) {
  const TwoCores cores = findTwoCores();
  std::atomic<int> ready{0};
  const auto meet = [&] {
    ready.fetch_add(1, std::memory_order_acq_rel);
    spinUntil([&] { return ready.load(std::memory_order_acquire) == 2; });
  };
  Clock::time_point start;
  std::thread producer([&] {
    pinTo(cores.first);
    meet();
    start = Clock::now();
    for (std::uint64_t next = from; next < to; next += Mode::kStep) Mode::push(queue, next);
  });
  Clock::time_point end;
  std::thread consumer([&] {
    pinTo(cores.second);
    if constexpr (requires { queue.beginConsuming(); }) queue.beginConsuming();
    meet();
    while (visit.seen() < to) Mode::drain(queue, visit);
    end = Clock::now();
    if constexpr (requires { queue.endConsuming(); }) queue.endConsuming();
  });
  producer.join();
  consumer.join();
  return end - start;
}

template <class Mode, class Queue>
int check() {
  constexpr std::uint64_t kRecords = 400 * kRun;
  Queue queue(kCapacity);
  RecordDigest digest;
  transfer<Mode>(queue, 0, kRecords, digest);
  std::printf("{\"digest\":\"%016" PRIx64 "\",\"count\":%" PRIu64 "}\n", digest.hash(), digest.seen());
  return EXIT_SUCCESS;
}

template <class Mode, class Queue>
int measure(bool quick) {
  const std::uint64_t records = 4'000ULL * kRun;
  const int passes = quick ? 10 : 60;
  Queue queue(kCapacity);
  RecordCheck visit;
  double best = std::numeric_limits<double>::infinity();
  // Many short passes: the quickest met no other work on either core. The first warms up and does
  // not count.
  for (int pass = 0; pass <= passes; ++pass) {
    const std::uint64_t from = visit.seen();
    const auto elapsed = transfer<Mode>(queue, from, from + records, visit);
    const double nanos = std::chrono::duration<double, std::nano>(elapsed).count() / static_cast<double>(records);
    if (pass > 0) best = std::min(best, nanos);
  }
  if (visit.wrong() != 0) {
    std::fprintf(stderr, "%" PRIu64 " fields arrived wrong\n", visit.wrong());
    return EXIT_FAILURE;
  }
  std::printf("{\"metrics\":{\"cost\":%.4f}}\n", best);
  return EXIT_SUCCESS;
}

struct Request {
  std::string_view contender;
  std::string_view mode;
  std::string_view what;
  bool quick;
};

template <class Mode, class Queue>
int run(const Request& request) {
  if (request.what == "check") return check<Mode, Queue>();
  return measure<Mode, Queue>(request.quick);
}

template <class Queue>
int runIn(const Request& request) {
  if (request.mode == "one") return run<OneByOne, Queue>(request);
  if constexpr (Queue::kHasDrainAll) {
    if (request.mode == "drain") return run<OneDrained, Queue>(request);
  }
  if constexpr (Queue::kHasRuns) {
    if (request.mode == "runs") return run<InRuns, Queue>(request);
  }
  std::fputs("no such mode for this contender\n", stderr);
  return EXIT_FAILURE;
}

struct Contender {
  std::string_view name;
  int (*run)(const Request& request);
};

constexpr Contender kContenders[] = {
    {"strand", runIn<StrandRing>},
#ifdef BENCH_HAS_BOOST
    {"boost", runIn<BoostSpsc>},
#endif
#ifdef BENCH_HAS_READERWRITERQUEUE
    {"readerwriterqueue", runIn<ReaderWriter>},
    {"blocking-readerwriterqueue", runIn<BlockingReaderWriter>},
#endif
#ifdef BENCH_HAS_CONCURRENTQUEUE
    {"concurrentqueue", runIn<Concurrent>},
#endif
};

int main(std::span<char*> arguments) {
  if (arguments.size() == 2 && std::string_view(arguments[1]) == "list") {
    for (const Contender& contender : kContenders) std::printf("%s\n", contender.name.data());
    return EXIT_SUCCESS;
  }
  if (arguments.size() < 4) {
    std::fputs("usage: spsc list | spsc CONTENDER one|drain|runs check|measure [--quick]\n", stderr);
    return EXIT_FAILURE;
  }
  const Request request{arguments[1], arguments[2], arguments[3],
                        arguments.size() > 4 && std::string_view(arguments[4]) == "--quick"};
  for (const Contender& contender : kContenders) {
    if (contender.name == request.contender) return contender.run(request);
  }
  std::fputs("no such contender: see `spsc list`\n", stderr);
  return EXIT_FAILURE;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::main({argv, static_cast<std::size_t>(argc)}); }
