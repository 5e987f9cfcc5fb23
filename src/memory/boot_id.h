#pragma once

#include <cstdint>

namespace strand {

/// A number for this boot of the machine, the same in all of its processes; 0 where the system does not tell boots apart.
/// What was stored in a file under another number may have lost any part of its pages with the power.
[[nodiscard]] std::uint64_t currentBootId() noexcept;

}  // namespace strand
