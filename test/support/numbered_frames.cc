#include "support/numbered_frames.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "memory/little_endian.h"
#include "support/payload.h"

namespace strand::test {

Payload numbered(std::uint64_t number, std::uint64_t size) {
  Payload payload = makePayload(number, size + 8);
  storeLittle(payload.data(), number);
  return payload;
}

bool isNumbered(const Payload& payload, std::uint64_t number) {
  return payload.size() >= 8 && payload == numbered(number, payload.size() - 8);
}

LogStatus putNumbered(LogAppender& appender, std::uint64_t number, std::span<const std::uint64_t> sizes,
                      std::uint64_t way) {
  if (way == 0) {
    for (const std::uint64_t size : sizes) {
      if (const LogStatus status = appender.append(numbered(number++, size)); status != LogStatus::kOk) return status;
    }
    return LogStatus::kOk;
  }
  const std::uint64_t lead = appender.log().format().lead();
  if (way == 1) {
    for (const std::uint64_t size : sizes) {
      const Payload payload = numbered(number++, size);
      std::uint64_t at = 0;
      if (const LogStatus status = appender.allocate(payload.size(), false, at); status != LogStatus::kOk)
        return status;
      std::copy(payload.begin(), payload.end(), appender.log().memory().data() + at + lead);
    }
    return appender.commit();
  }
  std::uint64_t bytes = 0;
  std::vector<std::uint32_t> lengths;
  for (const std::uint64_t size : sizes) bytes += lengths.emplace_back(static_cast<std::uint32_t>(size + 8));
  if (const LogStatus status = appender.reserve(bytes, sizes.size()); status != LogStatus::kOk) return status;
  std::byte* at = appender.log().memory().data() + appender.nextPayload();
  for (const std::uint64_t size : sizes) {
    const Payload payload = numbered(number++, size);
    at = std::copy(payload.begin(), payload.end(), at) + appender.log().format().overhead();
  }
  return appender.adopt(lengths);
}

Frames framesOf(const std::shared_ptr<LogFile>& log) {
  LogReader reader(log);
  return readOn(reader, true);
}

bool zeroBehind(const LogFile& log) {
  const std::byte* const base = log.data();
  return std::all_of(base + log.committed(), base + log.memory().file().size(),
                     [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace strand::test
