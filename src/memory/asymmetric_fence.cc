#include "memory/asymmetric_fence.h"

#if defined(__linux__)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace strand {

#if defined(__linux__)

namespace {

long membarrier(int command) noexcept { return syscall(SYS_membarrier, command, 0, 0); }

bool registerProcess() noexcept {
  const long commands = membarrier(MEMBARRIER_CMD_QUERY);
  return commands > 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0 &&
         membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
}

}  // namespace

const bool detail::kAsymmetricFences = registerProcess();

void heavyFence() noexcept {
  fullFence();
  if (detail::kAsymmetricFences) {
    // A registered process is refused only by a filter that it installs on itself later.
    (void)membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    fullFence();
  }
}

#else

const bool detail::kAsymmetricFences = false;

void heavyFence() noexcept { fullFence(); }

#endif

}  // namespace strand
