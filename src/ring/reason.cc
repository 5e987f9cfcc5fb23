#include "ring/reason.h"

#include <algorithm>
#include <cstdint>

#include "layout/strand_layout.h"
#include "memory/atomic_word.h"

namespace strand {
namespace {

constexpr std::size_t kTextOffset = 4;

std::size_t fittingLength(std::string_view text) noexcept {
  std::size_t length = std::min<std::size_t>(text.size(), layout::kMaxReasonBytes);
  while (length < text.size() && length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U) {
    --length;
  }
  return length;
}

}  // namespace

void writeReason(std::byte* at, std::string_view text) noexcept {
  const Word32 length(at, 0);
  std::uint32_t none = 0;
  if (text.empty() || !length.compareExchange(none, layout::kReasonPending)) return;
  const std::size_t bytes = fittingLength(text);
  for (std::size_t i = 0; i < bytes; ++i) {
    Word8(at, kTextOffset + i).storeRelaxed(static_cast<std::uint8_t>(text[i]));
  }
  length.storeRelease(static_cast<std::uint32_t>(bytes));
}

std::string readReason(std::byte* at) noexcept {
  const std::uint32_t length = Word32(at, 0).loadAcquire();
  if (length == 0 || length > layout::kMaxReasonBytes) return {};
  std::string text(length, '\0');
  copyRacy(text.data(), at + kTextOffset, length);
  return text;
}

void clearReason(std::byte* at) noexcept { Word32(at, 0).storeRelease(0); }

}  // namespace strand
