#include "ring/text_stretch.h"

#include <algorithm>

#include "kernels/utf8.h"
#include "record/decode.h"

namespace strand {

bool TextStretch::append(const RecordReader& record, const Field& field, std::uint32_t& end, bool first) noexcept {
  const auto pointer = record.present(field) ? record.pointer(field) : std::nullopt;
  if (!pointer || pointer->length > kMaxBytes) {
    end = static_cast<std::uint32_t>(size_) | kAbsent;
    return true;
  }
  if (!first && size_ + pointer->length > kTargetBytes) return false;
  const std::span<const std::byte> payload = record.payload(*pointer);
  if (run_.data() + run_.size() == payload.data()) {
    run_ = {run_.data(), run_.size() + payload.size()};
  } else {
    copyRun();
    run_ = payload;
  }
  size_ += payload.size();
  end = static_cast<std::uint32_t>(size_);
  return true;
}

void TextStretch::copyRun() noexcept {
  if (bytes_.size() < size_) bytes_.resize(std::max<std::size_t>(size_, kTargetBytes));
  if (!run_.empty()) copyRacy(bytes_.data() + size_ - run_.size(), run_.data(), run_.size());
  run_ = {};
}

void TextStretch::finish(std::span<std::uint32_t> ends) noexcept {
  copyRun();
  ascii_ = kernels::isAscii(ascii());
  if (ascii_) return;
  utf16_.clear();
  std::size_t begin = 0;
  for (std::uint32_t& end : ends) {
    const std::size_t stop = end & ~kAbsent;
    kernels::appendUtf16(ascii().subspan(begin, stop - begin), utf16_);
    begin = stop;
    end = static_cast<std::uint32_t>(utf16_.size()) | (end & kAbsent);
  }
}

std::uint32_t TextStretch::gather(const StrandView& view, const Field& field, std::uint64_t fromSeq,
                                  std::span<std::uint32_t> ends) noexcept {
  size_ = 0;
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
  size_ = 0;
  (void)append(record, field, ends.front(), true);
  finish(ends.first(1));
}

}  // namespace strand
