#include "support/test_log.h"

#include <array>
#include <fstream>
#include <ostream>
#include <utility>

#include "memory/little_endian.h"
#include "record/crc32.h"

namespace strand {

void PrintTo(LogStatus status, std::ostream* out) {
  static constexpr std::array<const char*, 10> kNames{"kOk",     "kNone",     "kClosed",   "kGone", "kCorrupt",
                                                      "kCursor", "kTooSmall", "kTooLarge", "kFull", "kFile"};
  *out << kNames.at(static_cast<std::size_t>(status));
}

void PrintTo(FaultCode code, std::ostream* out) {
  static constexpr std::array<const char*, 7> kNames{"kNone", "kType",   "kRange", "kHeader",
                                                     "kFile", "kFormat", "kLocked"};
  *out << kNames.at(static_cast<std::size_t>(code));
}

}  // namespace strand

namespace strand::test {
namespace {

using Step = LogStatus (LogReader::*)(const LogReader::Limits&, std::span<std::uint32_t>, std::span<std::uint32_t>,
                                      LogReader::Batch&) noexcept;

OneFrame oneFrame(LogReader& reader, Step step, bool debugChecks) {
  std::array<std::uint32_t, 1> start{};
  std::array<std::uint32_t, 1> length{};
  LogReader::Batch batch;
  OneFrame frame;
  frame.status = (reader.*step)({1, UINT64_MAX, debugChecks}, start, length, batch);
  if (frame.status != LogStatus::kOk) return frame;
  const std::uint64_t from = batch.base + start[0];
  if (batch.count != 1 || batch.bytes != std::uint64_t{start[0]} + length[0] ||
      from + length[0] > reader.log().memory().reserved()) {
    ADD_FAILURE() << "a batch of " << batch.count << " and " << batch.bytes << " bytes, frame of " << length[0]
                  << " at " << from;
    return frame;
  }
  frame.payload.assign(reader.log().data() + from, reader.log().data() + from + length[0]);
  return frame;
}

}  // namespace

void PrintTo(const FrameKind& kind, std::ostream* out) { *out << kind.name; }

LogOptions reading(const std::string& path) {
  LogOptions options;
  options.path = path;
  return options;
}

LogOptions writing(const std::string& path, std::uint64_t capacity, const FrameKind& kind, std::uint64_t maxCapacity) {
  LogOptions options;
  options.path = path;
  options.writable = true;
  options.capacity = capacity;
  options.maxCapacity = maxCapacity;
  options.maxFrameBytes = kind.maxFrameBytes;
  options.checksum = kind.checksum;
  return options;
}

std::shared_ptr<LogFile> openLog(const LogOptions& options) {
  Fault fault;
  std::shared_ptr<LogFile> log = LogFile::open(options, fault);
  if (log == nullptr || !fault.ok()) throw std::runtime_error("cannot open a log: " + fault.message);
  return log;
}

Fault refusalOf(const LogOptions& options) {
  Fault fault;
  EXPECT_EQ(LogFile::open(options, fault), nullptr);
  EXPECT_FALSE(fault.ok());
  return fault;
}

TestLog::TestLog(std::uint64_t capacity, const FrameKind& kind, std::uint64_t maxCapacity)
    : path(directory.path("log")), options(writing(path, capacity, kind, maxCapacity)) {
  // The same for all, so that their bytes can be compared.
  options.identity = 1;
  (void)openLog(options);
}

void forge(const std::string& path, std::uint64_t offset, std::uint64_t value) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  std::array<std::byte, 8> bytes{};
  storeLittle(bytes.data(), value);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!file.flush()) throw std::runtime_error("cannot write to " + path);
}

void sealExtension(std::span<std::byte> bytes) {
  const auto sealed = bytes.subspan(layout::kLogOffsetMagic, layout::kLogOffsetExtensionCrc - layout::kLogOffsetMagic);
  storeLittle(bytes.data() + layout::kLogOffsetExtensionCrc, crc32(sealed));
}

OneFrame nextFrame(LogReader& reader, bool debugChecks) { return oneFrame(reader, &LogReader::next, debugChecks); }
OneFrame previousFrame(LogReader& reader, bool debugChecks) {
  return oneFrame(reader, &LogReader::previous, debugChecks);
}

Frames readOn(LogReader& reader, bool debugChecks) {
  Frames frames;
  for (;;) {
    OneFrame frame = nextFrame(reader, debugChecks);
    frames.last = frame.status;
    if (frame.status != LogStatus::kOk) return frames;
    frames.payloads.push_back(std::move(frame.payload));
  }
}

Frames readAll(const std::string& path, bool debugChecks) {
  LogReader reader(openLog(reading(path)));
  return readOn(reader, debugChecks);
}

}  // namespace strand::test
