#pragma once

#include <cstdint>

namespace strand {

/// Answer of a log's hot calls. Anything but kOk has changed nothing that others can see.
enum class LogStatus : std::uint32_t {
  kOk = 0,
  kNone,      ///< no frame there (yet)
  kClosed,    ///< this writer or reader has been closed
  kGone,      ///< the file was truncated under its mapping
  kCorrupt,   ///< bytes that are no frame, where a frame should be
  kCursor,    ///< a position that is no frame's start, or past what is committed
  kTooSmall,  ///< the next frame is larger than the batch may be
  kTooLarge,  ///< a payload that the file's frames cannot hold
  kFull,      ///< the file has reached its capacity
  kFile,      ///< the system refused; the fault says what
};

}  // namespace strand
