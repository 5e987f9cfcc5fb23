#include "ring/text_stretch.h"

#include <algorithm>

#include "kernels/utf8.h"
#include "record/decode.h"

namespace strand {

bool TextStretch::append(const RecordReader& record, const Field& field, std::uint32_t& end, bool first) noexcept {
  const auto pointer = record.present(field) ? record.pointer(field) : std::nullopt;
  if (!pointer || pointer->length > kMaxBytes) {
    end = static_cast<std::uint32_t>(bytes_.size()) | kAbsent;
    return true;
  }
  const std::size_t before = bytes_.size();
  if (!first && before + pointer->length > kTargetBytes) return false;
  bytes_.resize(before + pointer->length);
  copyRacy(bytes_.data() + before, record.payload(*pointer).data(), pointer->length);
  end = static_cast<std::uint32_t>(bytes_.size());
  return true;
}

void TextStretch::finish(std::span<std::uint32_t> ends) noexcept {
  ascii_ = kernels::isAscii(bytes_);
  if (ascii_) return;
  utf16_.clear();
  std::size_t begin = 0;
  for (std::uint32_t& end : ends) {
    const std::size_t stop = end & ~kAbsent;
    kernels::appendUtf16(std::span(bytes_).subspan(begin, stop - begin), utf16_);
    begin = stop;
    end = static_cast<std::uint32_t>(utf16_.size()) | (end & kAbsent);
  }
}

std::uint32_t TextStretch::gather(const StrandView& view, const Field& field, std::uint64_t fromSeq,
                                  std::span<std::uint32_t> ends) noexcept {
  bytes_.clear();
  std::uint32_t count = 0;
  const std::span<const std::byte> heap = view.heap();
  while (count < ends.size() &&
         append(RecordReader(view.slot(fromSeq + count), heap), field, ends[count], count == 0)) {
    ++count;
  }
  finish(ends.first(count));
  return count;
}

void TextStretch::decode(const RecordReader& record, const Field& field, std::span<std::uint32_t> ends) noexcept {
  bytes_.clear();
  (void)append(record, field, ends.front(), true);
  finish(ends.first(1));
}

}  // namespace strand
