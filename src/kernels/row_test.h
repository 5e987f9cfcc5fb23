#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/column.h"

namespace strand::kernels {

/// Tests of several words of a slot, which a kernel makes at once: a window of eight words, each with its own range of
/// keys. A word w passes where
///
///   ((key - low) & mask) <= span,   key = w ^ ((w >> 31) & real)
///
/// in unsigned arithmetic. `real` turns the bits of an f32 into its key and is 0 for integers; `low` has their sign
/// bit flipped already. A value narrower than its word, or a single bit, is tested in its place: what lies below it
/// never borrows from it, since `low` is 0 there, and `mask` cuts off what lies above it. A word of which nothing is
/// asked has the mask 0.
class RowTest {
 public:
  static constexpr std::size_t kWords = 8;
  static constexpr std::size_t kWindow = kWords * sizeof(std::uint32_t);

  struct alignas(kWindow) Words {
    std::array<std::uint32_t, kWords> real{};
    std::array<std::uint32_t, kWords> low{};
    std::array<std::uint32_t, kWords> mask{};
    std::array<std::uint32_t, kWords> span{};
  };

  /// @param stride bytes from one slot to the next, a multiple of 4
  explicit RowTest(std::size_t stride) noexcept : stride_(stride) {}

  /// Adds the test of one column.
  ///
  /// @param offset of the column's word in the slot, a multiple of 4
  /// @param column whose `first` and `stride` do not matter here
  /// @return whether it could be added: not the test of a column of longs, one beyond the window, or one of a word that
  ///   another test has, though single bits can share one; and none to slots shorter than the window, where columns
  ///   are faster
  bool add(std::size_t offset, const Column& column, const KeyRange& range) noexcept;

  [[nodiscard]] std::size_t stride() const noexcept { return stride_; }
  /// Where the window begins in the slot. It ends there, too.
  [[nodiscard]] std::size_t offset() const noexcept { return offset_; }
  [[nodiscard]] const Words& words() const noexcept { return words_; }

 private:
  struct Word {
    std::size_t offset;
    std::uint32_t real;
    std::uint32_t low;
    std::uint32_t mask;
    std::uint32_t span;

    /// Whether it asks for bits to be set and for nothing else: w - low borrows from no bit then, and only then all
    /// bits of `low` come out as 0.
    [[nodiscard]] bool asksForBits() const noexcept { return span == 0 && low == mask; }
  };
  static bool wordOf(const Column& column, const KeyRange& range, Word& word) noexcept;
  bool insert(const Word& word) noexcept;
  void placeWindow() noexcept;

  std::size_t stride_;
  std::array<Word, kWords> tests_{};
  std::size_t count_ = 0;
  std::size_t offset_ = 0;
  Words words_;
};

}  // namespace strand::kernels
