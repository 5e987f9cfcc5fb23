#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace strand::kernels {

/// Whether every byte is below 0x80.
bool isAscii(std::span<const char> bytes) noexcept;

/// Appends UTF-8 as UTF-16. Malformed input becomes U+FFFD, one for each maximal subpart, as the WHATWG
/// Encoding Standard's decoder does (and with it TextDecoder); a byte order mark is kept.
void appendUtf16(std::span<const char> utf8, std::u16string& out) noexcept;

/// Writes UTF-16 as UTF-8, a lone surrogate as U+FFFD. `out` has room for 3 bytes a unit.
/// @return bytes written
std::size_t writeUtf8(std::u16string_view utf16, std::span<char> out) noexcept;

/// Writes ASCII as bytes. `out` has room for one byte a unit.
/// @return whether all of it was ASCII; what was written is of no use otherwise
bool narrowAscii(std::u16string_view utf16, std::span<char> out) noexcept;

}  // namespace strand::kernels
