#pragma once

#include <cstdint>
#include <vector>

#include "memory/atomic_word.h"
#include "registry/registry_table.h"
#include "support/quick_platform.h"

namespace strand::test {

/// Records whom it would have woken.
struct RecordingPlatform : QuickPlatform<AtomicWord> {
  static void signal(Word32 doorbell, Word64 /*image*/) noexcept { rung.push_back(doorbell.address()); }

  static inline std::vector<std::uint32_t*> rung;
};
using RecordingTable = BasicRegistryTable<RecordingPlatform>;

}  // namespace strand::test
