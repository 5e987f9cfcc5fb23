#include "kernels/row_test.h"

#include <algorithm>
#include <span>

namespace strand::kernels {
namespace {

constexpr std::uint32_t kSign = std::uint32_t{1} << 31;
constexpr std::uint32_t kAll = ~std::uint32_t{0};

}  // namespace

bool RowTest::wordOf(const Column& column, const KeyRange& range, Word& word) noexcept {
  const auto low = static_cast<std::uint32_t>(range.low);
  const std::uint32_t span = static_cast<std::uint32_t>(range.high) - low;
  switch (column.lane) {
    case Lane::kFloat:
      word.real = ~kSign;
      word.low = low;
      word.mask = kAll;
      word.span = span;
      return true;
    case Lane::kWord: {
      const std::uint32_t bits = column.isUnsigned ? low ^ kSign : low;
      word.real = 0;
      word.low = bits >> column.shift;
      word.mask = kAll >> column.shift;
      word.span = span >> column.shift;
      // The upper half of the values: their first bit.
      if (word.low == word.span + 1 && word.low + word.span == word.mask) {
        word.mask = word.low;
        word.span = 0;
      }
      return word.low << column.shift == bits;
    }
    default:
      return false;
  }
}

bool RowTest::insert(const Word& word) noexcept {
  const std::span<Word> tests(tests_.data(), count_);
  for (Word& other : tests) {
    if (other.offset != word.offset) continue;
    if (!other.asksForBits() || !word.asksForBits()) return false;
    other.low |= word.low;
    other.mask |= word.mask;
    return true;
  }
  std::size_t first = word.offset;
  std::size_t last = word.offset;
  for (const Word& other : tests) {
    first = std::min(first, other.offset);
    last = std::max(last, other.offset);
  }
  if (last - first >= kWindow) return false;
  tests_[count_++] = word;
  return true;
}

bool RowTest::add(std::size_t offset, const Column& column, const KeyRange& range) noexcept {
  Word word{};
  word.offset = offset;
  if (stride_ < kWindow || !wordOf(column, range, word) || !insert(word)) return false;
  placeWindow();
  return true;
}

void RowTest::placeWindow() noexcept {
  const std::span<const Word> tests(tests_.data(), count_);
  const auto before = [](const Word& a, const Word& b) { return a.offset < b.offset; };
  const auto [first, last] = std::minmax_element(tests.begin(), tests.end(), before);
  // Aligned where that is possible, so that no window lies in two cache lines.
  offset_ = first->offset / kWindow * kWindow;
  if (last->offset - offset_ >= kWindow) offset_ = first->offset;
  offset_ = std::min(offset_, stride_ - kWindow);
  words_ = {};
  for (const Word& word : tests) {
    const std::size_t at = (word.offset - offset_) / sizeof(std::uint32_t);
    words_.real[at] = word.real;
    words_.low[at] = word.low;
    words_.mask[at] = word.mask;
    words_.span[at] = word.span;
  }
}

}  // namespace strand::kernels
