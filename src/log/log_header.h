#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "layout/log_layout.h"
#include "log/frame_format.h"
#include "record/fault.h"

namespace strand {

/// What never changes in a log's header.
struct LogHeader {
  std::uint64_t headerSize = layout::kPlainLogHeaderSize;
  std::uint64_t dataOffset = layout::kPlainLogHeaderSize;
  FrameFormat format;
  /// Whether our extension is there, with the writer's words and the event.
  bool extended = false;
  std::uint64_t capacity = 0;     ///< bytes the file was made with; of a plain log its present size
  std::uint64_t maxCapacity = 0;  ///< bytes it may grow to
  /// Tells the file from another one of the same name; 0 in a plain log, and in one made before there was one.
  std::uint64_t identity = 0;
};

/// The header of a new log: extended unless the file is too small for that.
[[nodiscard]] LogHeader planLogHeader(std::uint64_t capacity, std::uint64_t maxCapacity, FrameFormat format) noexcept;

using LogHeaderBytes = std::array<std::byte, layout::kLogHeaderSize>;

/// `header.headerSize` bytes of a log without frames.
void encodeLogHeader(const LogHeader& header, LogHeaderBytes& out) noexcept;

/// Reads and validates the start of a file, and trusts nothing in it.
/// @param bytes the first 512, or the whole of a smaller file
/// @param path for messages
/// @param committed absolute end of the committed frames
[[nodiscard]] bool decodeLogHeader(std::span<const std::byte> bytes, std::uint64_t fileSize, const std::string& path,
                                   LogHeader& out, std::uint64_t& committed, Fault& fault) noexcept;

}  // namespace strand
