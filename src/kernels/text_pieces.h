#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace strand::kernels {

/// Encodes texts that stand one behind the other in `utf16` as UTF-8, each by itself: halves of a surrogate pair that
/// meet at a border stay lone.
///
/// @param ends where each text ends in `utf16`, ascending; becomes where its bytes end, counted from `base`
/// @param out room for 3 bytes a unit
/// @return bytes written
std::size_t encodePieces(std::u16string_view utf16, std::span<std::int32_t> ends, std::int32_t base,
                         std::span<char> out) noexcept;

}  // namespace strand::kernels
