#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace strand {

/// A short text beside a status word: u32 length, then at most 104 bytes of UTF-8. The first writer wins;
/// the status word that is stored behind it publishes it.

/// Stores `text`, cut at a character's boundary. Does nothing where a reason stands already.
void writeReason(std::byte* at, std::string_view text) noexcept;
/// Reads the reason; empty where there is none or it is being written.
std::string readReason(std::byte* at) noexcept;
void clearReason(std::byte* at) noexcept;

}  // namespace strand
