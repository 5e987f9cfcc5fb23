#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace strand {

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78) as in RFC 3720, by the processor's instruction where it has one.
/// @param crc of the bytes in front, 0 for none
[[nodiscard]] std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes) noexcept;

namespace detail {
/// The same everywhere, by a table.
[[nodiscard]] std::uint32_t crc32cGeneric(std::uint32_t crc, std::span<const std::byte> bytes) noexcept;
}  // namespace detail

}  // namespace strand
