#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace strand::test {

/// Byte `i` of the payload that belongs to `key`: every byte of every payload can be checked without a copy.
constexpr std::byte payloadByte(std::uint64_t key, std::uint64_t i) noexcept {
  std::uint64_t mixed = (key + 1) * 0x9E3779B97F4A7C15U + i * 0xBF58476D1CE4E5B9U;
  mixed ^= mixed >> 31;
  return static_cast<std::byte>(mixed >> 24);
}

inline void fillPayload(std::uint64_t key, std::span<std::byte> out) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = payloadByte(key, i);
}

inline std::vector<std::byte> makePayload(std::uint64_t key, std::size_t size) {
  std::vector<std::byte> bytes(size);
  fillPayload(key, bytes);
  return bytes;
}

inline bool isPayload(std::uint64_t key, std::span<const std::byte> bytes) noexcept {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != payloadByte(key, i)) return false;
  }
  return true;
}

}  // namespace strand::test
