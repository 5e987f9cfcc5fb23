#pragma once

#include "wait/parker.h"

namespace strand::wait {

/// Parking with nothing but the standard library: a fixed number of buckets, each a mutex and a condition
/// variable, chosen by the word's address. Reaches the threads of this process that run this image of the code,
/// and no others; `Scope::kSystem` is treated as `Scope::kProcess`.
struct PortableParker {
  static constexpr const char* kName = "portable mutex and condition variable";
  static constexpr bool kReachesOtherProcesses = false;

  static ParkResult park(Word32 word, std::uint32_t expected, std::chrono::nanoseconds timeout, Scope scope) noexcept;

  static void unparkAll(Word32 word, Scope scope) noexcept;
};

static_assert(Parker<PortableParker>);

}  // namespace strand::wait
