#include "registry/registry_table.h"

#include <chrono>

#include "registry/registry_table_impl.h"
#include "wait/event_count.h"
#include "wait/parker.h"
#include "wait/spin.h"

namespace strand {

void RegistryPlatform::relax() noexcept { wait::cpuRelax(); }

void RegistryPlatform::park(Word32 word, std::uint32_t expected) noexcept {
  // Where another image's threads are not heard, as by the portable parker, the time is what ends the sleep.
  (void)wait::PlatformParker::park(word, expected, std::chrono::milliseconds(10), wait::Scope::kProcess);
}

void RegistryPlatform::unpark(Word32 word) noexcept { wait::PlatformParker::unparkAll(word, wait::Scope::kProcess); }

void RegistryPlatform::signal(Word32 doorbell, Word64 image) noexcept { wait::detail::signalAsync(doorbell, image); }

template class BasicRegistryTable<RegistryPlatform>;

}  // namespace strand
