#include "kernels/utf8.h"

#include <cstring>

namespace strand::kernels {
namespace {

constexpr char16_t kReplacement = 0xFFFD;

/// Shape of a sequence by its first byte: bytes to follow, and the range of the second one, which excludes
/// overlong forms, surrogates and what is past U+10FFFF. Unicode Standard, table 3-7.
struct Lead {
  int following = 0;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xBF;
  std::uint32_t bits = 0;
};

constexpr Lead leadOf(std::uint8_t byte) noexcept {
  if (byte >= 0xC2 && byte <= 0xDF) return {1, 0x80, 0xBF, byte & 0x1FU};
  if (byte == 0xE0) return {2, 0xA0, 0xBF, 0};
  if (byte == 0xED) return {2, 0x80, 0x9F, 0xD};
  if (byte >= 0xE1 && byte <= 0xEF) return {2, 0x80, 0xBF, byte & 0x0FU};
  if (byte == 0xF0) return {3, 0x90, 0xBF, 0};
  if (byte >= 0xF1 && byte <= 0xF3) return {3, 0x80, 0xBF, byte & 0x07U};
  if (byte == 0xF4) return {3, 0x80, 0x8F, 4};
  return {};
}

}  // namespace

bool isAscii(std::span<const char> bytes) noexcept {
  std::uint8_t all = 0;
  for (const char byte : bytes) all = static_cast<std::uint8_t>(all | static_cast<std::uint8_t>(byte));
  return all < 0x80;
}

void appendUtf16(std::span<const char> utf8, std::u16string& out) noexcept {
  std::size_t at = 0;
  while (at < utf8.size()) {
    const auto first = static_cast<std::uint8_t>(utf8[at++]);
    if (first < 0x80) {
      out.push_back(first);
      continue;
    }
    Lead lead = leadOf(first);
    std::uint32_t point = lead.bits;
    int missing = lead.following;
    while (missing > 0 && at < utf8.size()) {
      const auto byte = static_cast<std::uint8_t>(utf8[at]);
      if (byte < lead.low || byte > lead.high) break;
      point = point << 6 | (byte & 0x3FU);
      lead.low = 0x80;
      lead.high = 0xBF;
      --missing;
      ++at;
    }
    if (lead.following == 0 || missing > 0) {
      out.push_back(kReplacement);
    } else if (point < 0x10000) {
      out.push_back(static_cast<char16_t>(point));
    } else {
      out.push_back(static_cast<char16_t>(0xD7C0 + (point >> 10)));
      out.push_back(static_cast<char16_t>(0xDC00 + (point & 0x3FF)));
    }
  }
}

std::size_t writeUtf8(std::u16string_view utf16, std::span<char> out) noexcept {
  std::size_t size = 0;
  const auto put = [&](std::uint32_t byte) { out[size++] = static_cast<char>(byte); };
  for (std::size_t at = 0; at < utf16.size(); ++at) {
    std::uint32_t point = utf16[at];
    if (point < 0x80) {
      put(point);
      continue;
    }
    if (point < 0x800) {
      put(0xC0 | point >> 6);
      put(0x80 | (point & 0x3F));
      continue;
    }
    if ((point & 0xF800) == 0xD800) {
      const std::uint32_t next = at + 1 < utf16.size() ? utf16[at + 1] : 0U;
      if (point < 0xDC00 && (next & 0xFC00) == 0xDC00) {
        point = 0x10000 + ((point & 0x3FF) << 10 | (next & 0x3FF));
        ++at;
        put(0xF0 | point >> 18);
        put(0x80 | (point >> 12 & 0x3F));
        put(0x80 | (point >> 6 & 0x3F));
        put(0x80 | (point & 0x3F));
        continue;
      }
      point = kReplacement;
    }
    put(0xE0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  }
  return size;
}

bool narrowAscii(std::u16string_view utf16, std::span<char> out) noexcept {
  std::uint32_t all = 0;
  char* const to = out.data();
  for (std::size_t i = 0; i < utf16.size(); ++i) {
    all |= utf16[i];
    to[i] = static_cast<char>(utf16[i]);
  }
  return all < 0x80;
}

}  // namespace strand::kernels
