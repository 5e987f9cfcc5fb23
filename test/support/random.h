#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <vector>

namespace strand::test {

/// Random choices of one test or thread. The seed is printed; STRAND_TEST_SEED repeats a run.
class Random {
 public:
  Random() : Random(announced()) {}
  explicit Random(std::uint64_t seed) : seed_(seed), engine_(seed) {}

  /// Another generator for thread or round `n` of the same test.
  [[nodiscard]] Random fork(std::uint64_t n) const { return Random(seed_ * 0x9E3779B97F4A7C15U + n + 1); }

  /// 0 .. limit - 1; `limit` is at least 1.
  std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
  /// low .. high, both possible.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
  bool percent(std::uint64_t chance) { return below(100) < chance; }
  std::uint64_t bits() { return engine_(); }

  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

 private:
  static std::uint64_t announced() {
    const char* const given = std::getenv("STRAND_TEST_SEED");
    const std::uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device{}();
    std::cout << "STRAND_TEST_SEED=" << seed << '\n';
    return seed;
  }

  std::uint64_t seed_;
  std::mt19937_64 engine_;
};

}  // namespace strand::test
