// How fast this machine's memory is: the limit that bulk work is held against.
//
//     bandwidth list                                   the contenders
//     bandwidth <contender> check                      a digest of what was read or copied
//     bandwidth <contender> measure [--quick]          nanoseconds per KiB
//
// Reading loads one word of every cache line once, in order, which moves all lines and leaves no doubt
// that arithmetic is not what is measured. Copying is `memcpy`, counted by the bytes copied. `memory`
// is a block several times the size of the last-level cache, `l3` and `l2` ones that stay in the third
// and in the second level. The answer is one line of JSON.

#if defined(__linux__)
#include <unistd.h>
#endif

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;
constexpr std::size_t kLineWords = 64 / sizeof(std::uint64_t);

/// Half of the smallest second level in use, so that a copy's source and destination fit it together.
constexpr std::size_t kInL2 = 128 * kKiB;
/// More than a second level holds, and with its copy less than any last level of today.
constexpr std::size_t kInL3 = 3 * kMiB;
constexpr std::size_t kChecked = kMiB;

/// Eight times the last-level cache: what a pass leaves there is no help to the next.
std::size_t farLargerThanCaches() noexcept {
  constexpr std::size_t kLeast = 128 * kMiB;
  constexpr std::size_t kMost = 512 * kMiB;
#if defined(__linux__) && defined(_SC_LEVEL3_CACHE_SIZE)
  const long lastLevel = sysconf(_SC_LEVEL3_CACHE_SIZE);
  if (lastLevel > 0) return std::clamp(8 * static_cast<std::size_t>(lastLevel), kLeast, kMost);
#endif
  return 2 * kLeast;
}

using Block = std::vector<std::uint64_t>;

/// Written in full, so that every page is there before anything is timed.
Block makeBlock(std::size_t bytes) {
  Block block(bytes / sizeof(std::uint64_t));
  std::uint64_t value = 0;
  for (std::uint64_t& word : block) word = value += 0x9E3779B97F4A7C15U;
  return block;
}

/// Keeps the compiler from leaving work out whose result nobody uses.
void use(const void* value) noexcept { asm volatile("" : : "r"(value) : "memory"); }

class ReadOnce {
 public:
  explicit ReadOnce(std::size_t bytes) : block_(makeBlock(bytes)) {}

  void operator()() noexcept {
    // Four sums, so that an addition does not wait for the one before it.
    std::uint64_t sums[4] = {};
    const std::uint64_t* word = block_.data();
    for (const std::uint64_t* const end = word + block_.size(); word != end; word += 4 * kLineWords) {
      for (std::size_t line = 0; line < 4; ++line) sums[line] += word[line * kLineWords];
    }
    use(sums);
  }

  [[nodiscard]] std::span<const std::uint64_t> result() const noexcept { return block_; }

 private:
  Block block_;
};

class CopyOnce {
 public:
  explicit CopyOnce(std::size_t bytes) : from_(makeBlock(bytes)), to_(from_.size()) {}

  void operator()() noexcept {
    std::memcpy(to_.data(), from_.data(), from_.size() * sizeof(std::uint64_t));
    use(to_.data());
  }

  [[nodiscard]] std::span<const std::uint64_t> result() const noexcept { return to_; }

 private:
  Block from_;
  Block to_;
};

template <class Work>
int check() {
  Work work(kChecked);
  work();
  std::uint64_t hash = 14695981039346656037U;
  for (const std::uint64_t word : work.result()) hash = (hash ^ word) * 1099511628211U;
  std::printf("{\"digest\":\"%016" PRIx64 "\",\"count\":%zu}\n", hash, work.result().size());
  return EXIT_SUCCESS;
}

/// The quickest of many passes, each long enough for the clock.
template <class Work>
int measure(std::size_t bytes, bool quick) {
  using Nanos = std::chrono::duration<double, std::nano>;
  Work work(bytes);
  const std::size_t repetitions = std::max<std::size_t>(1, 16 * kMiB / bytes);
  const auto deadline = Clock::now() + std::chrono::milliseconds(quick ? 100 : 600);
  double best = std::numeric_limits<double>::infinity();
  for (int pass = 0; pass < 5 || Clock::now() < deadline; ++pass) {
    const auto start = Clock::now();
    for (std::size_t i = 0; i < repetitions; ++i) work();
    best = std::min(best, Nanos(Clock::now() - start).count() / static_cast<double>(repetitions));
  }
  std::printf("{\"metrics\":{\"cost\":%.5f}}\n", best / (static_cast<double>(bytes) / kKiB));
  return EXIT_SUCCESS;
}

struct Contender {
  std::string_view name;
  int (*check)();
  int (*measure)(std::size_t bytes, bool quick);
  std::size_t (*bytes)() noexcept;
};

constexpr auto inL2 = []() noexcept { return kInL2; };
constexpr auto inL3 = []() noexcept { return kInL3; };

constexpr Contender kContenders[] = {
    {"read-memory", check<ReadOnce>, measure<ReadOnce>, farLargerThanCaches},
    {"copy-memory", check<CopyOnce>, measure<CopyOnce>, farLargerThanCaches},
    {"read-l3", check<ReadOnce>, measure<ReadOnce>, inL3},
    {"copy-l3", check<CopyOnce>, measure<CopyOnce>, inL3},
    {"read-l2", check<ReadOnce>, measure<ReadOnce>, inL2},
    {"copy-l2", check<CopyOnce>, measure<CopyOnce>, inL2},
};

int main(std::span<char*> arguments) {
  if (arguments.size() == 2 && std::string_view(arguments[1]) == "list") {
    for (const Contender& contender : kContenders) std::printf("%s\n", contender.name.data());
    return EXIT_SUCCESS;
  }
  if (arguments.size() < 3) {
    std::fputs("usage: bandwidth list | bandwidth CONTENDER check|measure [--quick]\n", stderr);
    return EXIT_FAILURE;
  }
  const bool quick = arguments.size() > 3 && std::string_view(arguments[3]) == "--quick";
  for (const Contender& contender : kContenders) {
    if (contender.name != arguments[1]) continue;
    return std::string_view(arguments[2]) == "check" ? contender.check() : contender.measure(contender.bytes(), quick);
  }
  std::fputs("no such contender: see `bandwidth list`\n", stderr);
  return EXIT_FAILURE;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::main({argv, static_cast<std::size_t>(argc)}); }
