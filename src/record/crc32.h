#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace strand {

/// CRC-32 as in ISO-HDLC (reflected polynomial 0xEDB88320), as zlib computes it.
constexpr std::uint32_t crc32(std::span<const std::byte> bytes) noexcept {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const std::byte byte : bytes) {
    crc ^= static_cast<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

}  // namespace strand
