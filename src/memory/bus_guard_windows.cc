#include "memory/bus_guard.h"

namespace strand {

struct BusGuard::Slot {};

BusGuard BusGuard::over(std::byte* /*data*/, std::uint64_t /*size*/, bool /*writable*/, Loses /*loses*/) noexcept {
  return {};
}
BusGuard::~BusGuard() = default;
bool BusGuard::tripped() const noexcept { return false; }

void BusGuard::trip() const noexcept {}

}  // namespace strand
