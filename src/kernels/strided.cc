#include "kernels/strided.h"

#include <algorithm>
#include <cstring>

#include "memory/atomic_word.h"

namespace strand::kernels {
namespace {

template <typename T>
void gather(const std::byte* from, std::size_t stride, std::size_t count, std::byte* to) noexcept {
  for (std::size_t i = 0; i < count; ++i, from += stride) {
    const T value = readRacy<T>(from);
    std::memcpy(to + i * sizeof value, &value, sizeof value);
  }
}

template <std::size_t kWidth>
void scatter(const std::byte* from, std::size_t count, std::byte* to, std::size_t stride) noexcept {
  for (std::size_t i = 0; i < count; ++i, to += stride) std::memcpy(to, from + i * kWidth, kWidth);
}

}  // namespace

void gatherNumbers(const std::byte* from, std::size_t stride, std::size_t count, std::size_t width,
                   std::byte* to) noexcept {
  switch (width) {
    case 1:
      return gather<std::uint8_t>(from, stride, count, to);
    case 2:
      return gather<std::uint16_t>(from, stride, count, to);
    case 4:
      return gather<std::uint32_t>(from, stride, count, to);
    default:
      return gather<std::uint64_t>(from, stride, count, to);
  }
}

void gatherBytes(const std::byte* from, std::size_t stride, std::size_t count, std::size_t width,
                 std::byte* to) noexcept {
  for (std::size_t i = 0; i < count; ++i, from += stride, to += width) copyRacy(to, from, width);
}

void gatherBits(const std::byte* from, std::size_t stride, std::size_t count, std::uint32_t bit,
                std::span<std::uint32_t> words, std::size_t first) noexcept {
  std::size_t done = 0;
  while (done < count) {
    const std::size_t at = first + done;
    const std::size_t run = std::min<std::size_t>(count - done, 32 - at % 32);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < run; ++i, from += stride) {
      bits |= (std::uint32_t{readRacy<std::uint8_t>(from)} >> bit & 1U) << i;
    }
    words[at / 32] |= bits << at % 32;
    done += run;
  }
}

void scatterNumbers(const std::byte* from, std::size_t count, std::size_t width, std::byte* to,
                    std::size_t stride) noexcept {
  switch (width) {
    case 1:
      return scatter<1>(from, count, to, stride);
    case 2:
      return scatter<2>(from, count, to, stride);
    case 4:
      return scatter<4>(from, count, to, stride);
    case 8:
      return scatter<8>(from, count, to, stride);
    case 16:
      return scatter<16>(from, count, to, stride);
    default:
      for (std::size_t i = 0; i < count; ++i) std::memcpy(to + i * stride, from + i * width, width);
  }
}

void clearAbsent(std::byte* values, std::size_t stride, std::size_t count, std::size_t width,
                 std::span<const std::uint32_t> words, std::size_t first) noexcept {
  std::size_t i = 0;
  while (i < count) {
    const std::size_t at = first + i;
    if (at % 32 == 0 && words[at / 32] == ~std::uint32_t{0}) {
      i += 32;
      continue;
    }
    if (!bitAt(words, at)) std::memset(values + i * stride, 0, width);
    ++i;
  }
}

void normalizeBooleans(std::byte* values, std::size_t stride, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    std::byte& value = values[i * stride];
    value = std::byte{value != std::byte{0}};
  }
}

}  // namespace strand::kernels
