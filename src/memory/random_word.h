#pragma once

#include <cstdint>

namespace strand {

/// Another number each time, in whatever image of this code and in whatever process; never 0. No secret.
[[nodiscard]] std::uint64_t randomWord() noexcept;

}  // namespace strand
