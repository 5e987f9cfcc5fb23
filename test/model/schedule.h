#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "support/random.h"

namespace strand::test {

/// Decides who goes on.
class Policy {
 public:
  Policy() = default;
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;
  virtual ~Policy() = default;
  /// Whether another shall go on, at a place where the running one can. @param synchronising: more than a plain access
  virtual bool preempts(bool synchronising) = 0;
  /// Which of so many that can.
  virtual std::size_t pick(std::size_t count) = 0;
};

class RandomPolicy final : public Policy {
 public:
  explicit RandomPolicy(Random& random) : random_(random), mean_(std::uint64_t{1} << random.between(0, 7)) {}
  bool preempts(bool /*synchronising*/) override {
    if (left_ > 0) {
      --left_;
      return false;
    }
    left_ = random_.below(2 * mean_);
    return true;
  }
  std::size_t pick(std::size_t count) override { return random_.below(count); }

 private:
  Random& random_;
  std::uint64_t mean_;
  std::uint64_t left_ = 0;
};

/// Preempts at the given places, which are counted from 0.
class PlacesPolicy final : public Policy {
 public:
  PlacesPolicy(std::vector<std::uint64_t> places, bool everyAccess, std::size_t first)
      : places_(std::move(places)), everyAccess_(everyAccess), first_(first) {}
  bool preempts(bool synchronising) override {
    if (!synchronising && !everyAccess_) return false;
    const std::uint64_t place = passed_++;
    return std::find(places_.begin(), places_.end(), place) != places_.end();
  }
  std::size_t pick(std::size_t count) override { return picks_++ == 0 ? std::min(first_, count - 1) : 0; }
  [[nodiscard]] std::uint64_t passed() const { return passed_; }

 private:
  std::vector<std::uint64_t> places_;
  bool everyAccess_;
  std::size_t first_;
  std::uint64_t passed_ = 0;
  std::size_t picks_ = 0;
};

}  // namespace strand::test
