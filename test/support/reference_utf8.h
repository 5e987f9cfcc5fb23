#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace strand::test {

/// UTF-8 to UTF-16, written from the WHATWG Encoding Standard's "UTF-8 decoder", state for state, to compare with.
inline std::u16string referenceUtf16(std::span<const char> bytes) {
  std::u16string out;
  std::uint32_t codePoint = 0;
  int needed = 0;
  int seen = 0;
  unsigned lower = 0x80;
  unsigned upper = 0xBF;
  const auto forget = [&] {
    codePoint = 0;
    needed = 0;
    seen = 0;
    lower = 0x80;
    upper = 0xBF;
  };
  const auto emit = [&](std::uint32_t point) {
    if (point < 0x10000) {
      out.push_back(static_cast<char16_t>(point));
    } else {
      out.push_back(static_cast<char16_t>(0xD800 + ((point - 0x10000) >> 10)));
      out.push_back(static_cast<char16_t>(0xDC00 + ((point - 0x10000) & 0x3FF)));
    }
  };
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (needed == 0) {
      if (byte <= 0x7F) {
        emit(byte);
      } else if (byte >= 0xC2 && byte <= 0xDF) {
        needed = 1;
        codePoint = byte & 0x1FU;
      } else if (byte >= 0xE0 && byte <= 0xEF) {
        if (byte == 0xE0) lower = 0xA0;
        if (byte == 0xED) upper = 0x9F;
        needed = 2;
        codePoint = byte & 0xFU;
      } else if (byte >= 0xF0 && byte <= 0xF4) {
        if (byte == 0xF0) lower = 0x90;
        if (byte == 0xF4) upper = 0x8F;
        needed = 3;
        codePoint = byte & 0x7U;
      } else {
        emit(0xFFFD);
      }
      continue;
    }
    if (byte < lower || byte > upper) {
      forget();
      emit(0xFFFD);
      --i;  // "prepend byte to stream"
      continue;
    }
    lower = 0x80;
    upper = 0xBF;
    codePoint = codePoint << 6 | (byte & 0x3FU);
    if (++seen == needed) {
      emit(codePoint);
      forget();
    }
  }
  if (needed != 0) emit(0xFFFD);
  return out;
}

}  // namespace strand::test
