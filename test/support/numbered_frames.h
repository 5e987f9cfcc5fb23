#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "log/log_appender.h"
#include "support/test_log.h"

namespace strand::test {

/// A frame that can be told from all others, and of which no byte may be wrong.
[[nodiscard]] Payload numbered(std::uint64_t number, std::uint64_t size);
[[nodiscard]] bool isNumbered(const Payload& payload, std::uint64_t number);

/// Appends in one of the ways there are (0 to 2): one frame, several by one commit, or frames that were built in place.
LogStatus putNumbered(LogAppender& appender, std::uint64_t number, std::span<const std::uint64_t> sizes,
                      std::uint64_t way);

/// Everything that a reader finds.
[[nodiscard]] Frames framesOf(const std::shared_ptr<LogFile>& log);
/// Whether nothing is left behind the committed frames.
[[nodiscard]] bool zeroBehind(const LogFile& log);

}  // namespace strand::test
