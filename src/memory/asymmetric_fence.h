#pragma once

#include "memory/atomic_word.h"

/// A store and a later load of two threads each, where one thread does it all the time and the other hardly ever: the
/// frequent side pays nothing and the rare side pays for both (10 µs where another core runs this process, 0.3 µs
/// otherwise). A full fence on the frequent side would cost 5 ns, and far more where it has to wait for a line that
/// the other core is looking at: a commit per record to a spinning consumer took 4 times as long with it.
///
/// Source: membarrier(2), MEMBARRIER_CMD_PRIVATE_EXPEDITED. Where that is not to be had (other platforms, old kernels,
/// seccomp) both sides are full fences. Only for words that threads of one process share. A process that installs a
/// seccomp filter after this code is loaded must let membarrier through: the frequent side would be left without a fence.
namespace strand {

namespace detail {
/// Whether this process is registered with the kernel for expedited barriers. Decided once, at load.
extern const bool kAsymmetricFences;
}  // namespace detail

/// Between the store and the load of the frequent side.
inline void lightFence() noexcept {
  if (detail::kAsymmetricFences) {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  } else {
    fullFence();
  }
}

/// Between the store and the load of the rare side. Pairs with every lightFence() of this process.
void heavyFence() noexcept;

}  // namespace strand
