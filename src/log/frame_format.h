#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/crc32c.h"
#include "layout/log_layout.h"
#include "memory/little_endian.h"

namespace strand {

/// How a log's frames are laid out (layout/log_layout.h). Addresses are bytes from the file's start.
struct FrameFormat {
  std::uint32_t width = 2;  ///< bytes of a length: 2 or 4
  bool checked = false;     ///< whether frames carry a checksum

  /// Bytes in front of a payload, and behind it.
  [[nodiscard]] constexpr std::uint32_t lead() const noexcept { return width + (checked ? 4U : 0U); }
  [[nodiscard]] constexpr std::uint32_t trail() const noexcept { return width; }
  [[nodiscard]] constexpr std::uint32_t overhead() const noexcept { return lead() + trail(); }
  [[nodiscard]] constexpr std::uint64_t maxPayload() const noexcept {
    return width == 2 ? UINT16_MAX - overhead() : layout::kMaxWidePayload;
  }

  [[nodiscard]] std::uint64_t loadTotal(const std::byte* from) const noexcept {
    return width == 2 ? loadLittle<std::uint16_t>(from) : loadLittle<std::uint32_t>(from);
  }
  void storeTotal(std::byte* to, std::uint64_t total) const noexcept {
    if (width == 2) {
      storeLittle(to, static_cast<std::uint16_t>(total));
    } else {
      storeLittle(to, static_cast<std::uint32_t>(total));
    }
  }

  /// Bytes of the whole frame that begins at `at`, by its first length; 0 where no frame can begin there that ends at
  /// or before `end`. The length is loaded once: what it becomes later does not matter.
  [[nodiscard]] std::uint64_t totalAt(const std::byte* base, std::uint64_t at, std::uint64_t end) const noexcept {
    if (end - at < overhead()) return 0;
    const std::uint64_t total = loadTotal(base + at);
    return total >= overhead() && total <= end - at ? total : 0;
  }
  /// The same of the frame that ends at `at`, by its last length; 0 also where its first length is another. Going back,
  /// a wrong one leads anywhere.
  [[nodiscard]] std::uint64_t totalBefore(const std::byte* base, std::uint64_t at, std::uint64_t begin) const noexcept {
    if (at - begin < overhead()) return 0;
    const std::uint64_t total = loadTotal(base + at - width);
    return total >= overhead() && total <= at - begin && loadTotal(base + at - total) == total ? total : 0;
  }

  /// Whether a sound pair of lengths, or the first frame's place, lies in front of `at`.
  [[nodiscard]] bool neighbourSound(const std::byte* base, std::uint64_t at, std::uint64_t begin) const noexcept {
    return at == begin || totalBefore(base, at, begin) != 0;
  }

  [[nodiscard]] std::uint32_t checksumOf(const std::byte* base, std::uint64_t at, std::uint64_t total) const noexcept {
    std::array<std::byte, 12> prefix{};
    storeLittle(prefix.data(), at);
    storeLittle(prefix.data() + 8, static_cast<std::uint32_t>(total));
    return crc32c(crc32c(0, prefix), {base + at + lead(), static_cast<std::size_t>(total - overhead())});
  }
  void storeChecksum(std::byte* base, std::uint64_t at, std::uint64_t total) const noexcept {
    storeLittle(base + at + width, checksumOf(base, at, total));
  }

  /// Whether all that a frame says of itself agrees: both lengths, and the checksum where there is one.
  [[nodiscard]] bool sound(const std::byte* base, std::uint64_t at, std::uint64_t total) const noexcept {
    return loadTotal(base + at + total - width) == total && (!checked || checksumFits(base, at, total));
  }
  [[nodiscard]] bool checksumFits(const std::byte* base, std::uint64_t at, std::uint64_t total) const noexcept {
    return loadLittle<std::uint32_t>(base + at + width) == checksumOf(base, at, total);
  }
};

}  // namespace strand
