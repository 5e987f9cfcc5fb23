#include "wait/shutdown.h"

#include <atomic>

namespace strand::wait {
namespace {

std::atomic<bool> ending{false};

}  // namespace

bool shuttingDown() noexcept { return ending.load(std::memory_order_acquire); }

void beginShutdown() noexcept { ending.store(true, std::memory_order_release); }

}  // namespace strand::wait
