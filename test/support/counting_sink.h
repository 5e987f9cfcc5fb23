#pragma once

#include <atomic>

#include "wait/async_table.h"

namespace strand::test {

/// Counts its wake-ups.
class CountingSink final : public wait::AsyncSink {
 public:
  void wake() noexcept override { wakes.fetch_add(1); }
  std::atomic<int> wakes{0};
};

}  // namespace strand::test
