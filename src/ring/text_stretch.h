#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "record/decode.h"
#include "ring/status.h"
#include "ring/strand_view.h"

namespace strand {

/// The texts of one field in consecutive records, decoded together: one string in private memory, and where
/// each record's text ends in it. Decoding one string of a few kilobytes and cutting pieces off it costs a
/// fifth of decoding the texts one by one.
class TextStretch {
 public:
  /// A stretch ends with the record that takes it to this many bytes; a longer text stands alone.
  static constexpr std::uint32_t kTargetBytes = 4096;
  /// Set in an end where the value is absent or null.
  static constexpr std::uint32_t kAbsent = std::uint32_t{1} << 31;
  /// A text whose end would need that bit is not decoded here.
  static constexpr std::uint32_t kMaxBytes = kAbsent - 1;

  /// Gathers text or JSON text of up to `ends.size()` records from `fromSeq` on, all of them committed.
  /// Payloads are copied before they are looked at, since another thread may be changing them.
  /// @return how many records were gathered, at least one
  std::uint32_t gather(const StrandView& view, const Field& field, std::uint64_t fromSeq,
                       std::span<std::uint32_t> ends) noexcept;

  /// The same for one record in private memory.
  void decode(const RecordReader& record, const Field& field, std::span<std::uint32_t> ends) noexcept;

  /// Latin-1 (here: ASCII) text, if it is one; otherwise utf16() holds it.
  [[nodiscard]] bool isAscii() const noexcept { return ascii_; }
  [[nodiscard]] std::span<const char> ascii() const noexcept { return {bytes_.data(), size_}; }
  [[nodiscard]] std::u16string_view utf16() const noexcept { return utf16_; }

 private:
  bool append(const RecordReader& record, const Field& field, std::uint32_t& end, bool first) noexcept;
  void copyRun() noexcept;
  void finish(std::span<std::uint32_t> ends) noexcept;

  /// The first `size_` bytes are the stretch; the last `run_.size()` of them are still to be copied: payloads that lie
  /// one behind the other are copied as one.
  std::vector<char> bytes_;
  std::size_t size_ = 0;
  std::span<const std::byte> run_;
  std::u16string utf16_;
  bool ascii_ = true;
};

}  // namespace strand
