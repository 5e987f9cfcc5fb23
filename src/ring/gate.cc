#include "ring/gate.h"

#include <algorithm>

#include "ring/consumer_slots.h"

namespace strand {

std::uint64_t Gate::slowest() const noexcept {
  const std::uint32_t mask = words_.active().loadAcquire() & ConsumerSlots::kMask;
  std::uint64_t slowest = layout::kConsumerSlotVacant;
  for (std::uint32_t slot = 0; (mask >> slot) != 0; ++slot) {
    if (((mask >> slot) & 1U) != 0) slowest = std::min(slowest, words_.slotCursor(slot).loadAcquire());
  }
  // With nobody registered, or the last one just gone: it has raised READ_CURSOR before it left.
  return slowest == layout::kConsumerSlotVacant ? words_.readCursor().loadAcquire() : slowest;
}

std::uint64_t Gate::refresh() const noexcept {
  words_.gate().raiseTo(slowest());
  // Loaded in front of the fence: what another thread publishes behind it, a consumer that the second look misses may
  // miss, too.
  const std::uint64_t published = words_.gate().loadAcquire();
  fullFence();
  return std::min(published, slowest());
}

}  // namespace strand
