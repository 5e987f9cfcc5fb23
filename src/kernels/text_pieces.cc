#include "kernels/text_pieces.h"

#include <algorithm>

#include "kernels/utf8.h"

namespace strand::kernels {

std::size_t encodePieces(std::u16string_view utf16, std::span<std::int32_t> ends, std::int32_t base,
                         std::span<char> out) noexcept {
  if (narrowAscii(utf16, out)) {
    for (std::int32_t& end : ends) end += base;
    return utf16.size();
  }
  std::size_t from = 0;
  std::size_t size = 0;
  for (std::int32_t& end : ends) {
    const std::size_t to = std::clamp<std::size_t>(static_cast<std::uint32_t>(end), from, utf16.size());
    size += writeUtf8(utf16.substr(from, to - from), out.subspan(size));
    from = to;
    end = base + static_cast<std::int32_t>(size);
  }
  return size;
}

}  // namespace strand::kernels
