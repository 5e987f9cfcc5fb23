#include "kernels/crc32c.h"

#include <array>

#include "kernels/column_kernels.h"
#include "memory/little_endian.h"

#if defined(STRAND_X86_KERNELS)
#include <nmmintrin.h>
#endif

namespace strand {
namespace {

constexpr std::array<std::uint32_t, 256> makeTable() noexcept {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
    table[i] = crc;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kTable = makeTable();

#if defined(STRAND_X86_KERNELS)
__attribute__((target("sse4.2"))) std::uint32_t crc32cSse42(std::uint32_t crc,
                                                            std::span<const std::byte> bytes) noexcept {
  std::uint64_t state = ~crc;
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) state = _mm_crc32_u64(state, loadLittle<std::uint64_t>(at));
  auto narrow = static_cast<std::uint32_t>(state);
  for (; left > 0; --left, ++at) narrow = _mm_crc32_u8(narrow, static_cast<std::uint8_t>(*at));
  return ~narrow;
}
#endif

using Crc = std::uint32_t (*)(std::uint32_t, std::span<const std::byte>) noexcept;

Crc choose() noexcept {
#if defined(STRAND_X86_KERNELS)
  if (__builtin_cpu_supports("sse4.2") != 0) return crc32cSse42;
#endif
  return detail::crc32cGeneric;
}

}  // namespace

std::uint32_t detail::crc32cGeneric(std::uint32_t crc, std::span<const std::byte> bytes) noexcept {
  std::uint32_t state = ~crc;
  for (const std::byte byte : bytes) {
    state = kTable[(state ^ static_cast<std::uint32_t>(byte)) & 0xFFU] ^ (state >> 8U);
  }
  return ~state;
}

std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes) noexcept {
  static const Crc kCrc = choose();
  return kCrc(crc, bytes);
}

}  // namespace strand
