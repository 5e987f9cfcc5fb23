#include "kernels/handle_set.h"

#include <algorithm>
#include <bit>

#include "kernels/column_key.h"
#include "memory/atomic_word.h"

namespace strand::kernels {
namespace {

/// Larger than every handle.
constexpr std::uint64_t kVacant = ~std::uint64_t{0};

/// A bitmap may take as much as the smallest cache holds, or as the hash table of so many handles would.
constexpr std::uint64_t kAlwaysBitmap = std::uint64_t{1} << 17;
constexpr std::uint64_t kBitsPerHandle = 128;

}  // namespace

HandleSet::HandleSet(std::span<const std::uint32_t> handles) noexcept : size_(handles.size()) {
  if (handles.empty()) return;
  const auto [lowest, highest] = std::minmax_element(handles.begin(), handles.end());
  lowest_ = *lowest;
  span_ = *highest - lowest_;
  if (span_ < std::max(kAlwaysBitmap, kBitsPerHandle * handles.size())) {
    bitmap_.resize(wordsFor(std::size_t{span_} + 1));
    for (const std::uint32_t handle : handles) {
      const std::uint32_t bit = handle - lowest_;
      bitmap_[bit / kBitsPerWord] |= std::uint64_t{1} << (bit % kBitsPerWord);
    }
    return;
  }
  const std::size_t places = std::bit_ceil(2 * handles.size());
  tableShift_ = static_cast<std::uint32_t>(kBitsPerWord) - static_cast<std::uint32_t>(std::countr_zero(places));
  table_.assign(places, kVacant);
  for (const std::uint32_t handle : handles) addToTable(handle);
}

void HandleSet::addToTable(std::uint32_t handle) noexcept {
  std::size_t place = placeOf(handle);
  while (table_[place] != kVacant && table_[place] != handle) place = (place + 1) & (table_.size() - 1);
  table_[place] = handle;
}

bool HandleSet::inTable(std::uint32_t handle) const noexcept {
  std::size_t place = placeOf(handle);
  while (table_[place] != kVacant && table_[place] != handle) place = (place + 1) & (table_.size() - 1);
  return table_[place] == handle;
}

void HandleSet::match(const Column& column, std::size_t count, std::uint64_t* bits) const noexcept {
  if (!bitmap_.empty()) {
    packTests(column.first, column.stride, count, bits, [this](const std::byte* at) -> std::uint32_t {
      return inBitmap(detail::loadRacy<std::uint32_t>(at)) ? 1 : 0;
    });
  } else if (!table_.empty()) {
    packTests(column.first, column.stride, count, bits, [this](const std::byte* at) -> std::uint32_t {
      return inTable(detail::loadRacy<std::uint32_t>(at)) ? 1 : 0;
    });
  } else {
    std::fill_n(bits, wordsFor(count), 0);
  }
}

}  // namespace strand::kernels
