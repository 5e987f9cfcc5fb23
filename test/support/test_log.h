#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "log/log_appender.h"
#include "log/log_file.h"
#include "log/log_reader.h"
#include "log/log_status.h"
#include "support/scratch_directory.h"

namespace strand {

/// For GoogleTest's messages.
void PrintTo(LogStatus status, std::ostream* out);
void PrintTo(FaultCode code, std::ostream* out);

}  // namespace strand

namespace strand::test {

using Payload = std::vector<std::byte>;

/// The three kinds of frames, by what a user asks for.
struct FrameKind {
  const char* name;
  std::uint64_t maxFrameBytes;
  bool checksum;
};
void PrintTo(const FrameKind& kind, std::ostream* out);
inline constexpr FrameKind kNarrow{"narrow", 0, false};
inline constexpr FrameKind kWide{"wide", 100'000, false};
inline constexpr FrameKind kChecked{"checked", 0, true};
inline const std::vector<FrameKind> kFrameKinds{kNarrow, kWide, kChecked};

[[nodiscard]] LogOptions reading(const std::string& path);
[[nodiscard]] LogOptions writing(const std::string& path, std::uint64_t capacity = 0, const FrameKind& kind = kNarrow,
                                 std::uint64_t maxCapacity = 0);

/// Opens a log that is there to be opened.
[[nodiscard]] std::shared_ptr<LogFile> openLog(const LogOptions& options);
/// The fault with which a log is refused.
[[nodiscard]] Fault refusalOf(const LogOptions& options);

/// A log in a directory of its own.
class TestLog {
 public:
  explicit TestLog(std::uint64_t capacity = 4096, const FrameKind& kind = kNarrow, std::uint64_t maxCapacity = 0);

  [[nodiscard]] std::shared_ptr<LogFile> reader() const { return openLog(reading(path)); }
  [[nodiscard]] std::shared_ptr<LogFile> writer() const { return openLog(options); }
  [[nodiscard]] std::vector<std::byte> bytes() const { return readFile(path); }

  ScratchDirectory directory;
  std::string path;
  LogOptions options;
};

/// Writes an u64 of a file.
void forge(const std::string& path, std::uint64_t offset, std::uint64_t value);
/// Makes the checksum of the header's extension fit again.
void sealExtension(std::span<std::byte> bytes);

/// One frame by itself.
struct OneFrame {
  LogStatus status = LogStatus::kNone;
  Payload payload;
};
[[nodiscard]] OneFrame nextFrame(LogReader& reader, bool debugChecks = false);
[[nodiscard]] OneFrame previousFrame(LogReader& reader, bool debugChecks = false);

/// All frames from the cursor on, and what came instead of a further one.
struct Frames {
  std::vector<Payload> payloads;
  LogStatus last = LogStatus::kNone;
};
[[nodiscard]] Frames readOn(LogReader& reader, bool debugChecks = false);
[[nodiscard]] Frames readAll(const std::string& path, bool debugChecks = true);

}  // namespace strand::test
