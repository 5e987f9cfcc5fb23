#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <string>
#include <type_traits>

#include "wait/parker.h"
#include "wait/parker_portable.h"

namespace strand::test {

/// Everything that promises the contract of wait/parker.h on this platform.
using Parkers = ::testing::Types<wait::PlatformParker, wait::PortableParker>;

struct ParkerNames {
  template <typename P>
  static std::string GetName(int /*index*/) {
    return std::is_same_v<P, wait::PlatformParker> ? "platform" : "portable";
  }
};

/// A sleep this long means a lost wake-up. It ends as a failure instead of a hang.
inline constexpr std::chrono::seconds kHang{30};

/// A parker that counts the endless sleeps which only `kHang` ended.
template <wait::Parker P>
struct WatchedParker {
  static constexpr const char* kName = P::kName;
  static constexpr bool kReachesOtherProcesses = P::kReachesOtherProcesses;

  static wait::ParkResult park(Word32 word, std::uint32_t expected, std::chrono::nanoseconds timeout,
                               wait::Scope scope) noexcept {
    const wait::ParkResult result = P::park(word, expected, std::min<std::chrono::nanoseconds>(timeout, kHang), scope);
    if (result == wait::ParkResult::kTimedOut && timeout > kHang) {
      ++hangs;
    }
    return result;
  }

  static void unparkAll(Word32 word, wait::Scope scope) noexcept { P::unparkAll(word, scope); }

  static inline std::atomic<int> hangs{0};
};

template <typename P>
class ParkerSuite : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { std::cout << "running over: " << P::kName << '\n'; }

  void SetUp() override { WatchedParker<P>::hangs = 0; }
  void TearDown() override { EXPECT_EQ(WatchedParker<P>::hangs.load(), 0) << "lost wake-ups"; }
};

}  // namespace strand::test
