#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace strand::kernels {

/// Whether every byte is below 0x80.
bool isAscii(std::span<const char> bytes) noexcept;

/// Appends UTF-8 as UTF-16. Malformed input becomes U+FFFD, one for each maximal subpart, as the WHATWG
/// Encoding Standard's decoder does (and with it TextDecoder); a byte order mark is kept.
void appendUtf16(std::span<const char> utf8, std::u16string& out) noexcept;

}  // namespace strand::kernels
