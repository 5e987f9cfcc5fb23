#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "memory/little_endian.h"
#include "support/golden_file.h"
#include "support/test_log.h"

// The bytes of a log are a file format: the plain one is shmio's, the others are ours. Whoever changes one of these
// files changes the format and gives it a new version, unless he only fills bytes that may be 0 still.
namespace strand {
namespace {

using test::GoldenFile;
using test::openLog;
using test::Payload;

Payload text(std::string_view characters) {
  const auto bytes = std::as_bytes(std::span(characters));
  return {bytes.begin(), bytes.end()};
}

const std::vector<Payload> kPayloads{text("ada"), text(""), text("grace hopper")};

/// Writes them to a new log, of a boot and with an identity that are always the same ones.
std::vector<std::byte> written(const test::ScratchDirectory& directory, std::uint64_t capacity,
                               const test::FrameKind& kind) {
  LogOptions options = test::writing(directory.path("log"), capacity, kind, 2 * capacity);
  options.bootId = 0x0102030405060708;
  options.identity = 0x1112131415161718;
  LogAppender appender(openLog(options), {});
  for (const Payload& payload : kPayloads) EXPECT_EQ(appender.append(payload), LogStatus::kOk);
  EXPECT_EQ(appender.close(), LogStatus::kOk);
  return test::readFile(options.path);
}

void expectPinned(const std::string& name, const std::vector<std::byte>& bytes, const std::string& comment) {
  const GoldenFile golden(name);
  if (GoldenFile::updating()) golden.write(bytes, comment);
  EXPECT_EQ(golden.difference(bytes), "");
}

/// A log as shmio writes it, put together here.
class ShmioLog {
 public:
  explicit ShmioLog(std::size_t capacity) : bytes(capacity) {
    storeLittle<std::uint64_t>(bytes.data(), 24);
    storeLittle<std::uint64_t>(bytes.data() + 8, 24);
    storeLittle<std::uint64_t>(bytes.data() + 16, 24);
  }
  void append(const Payload& payload) {
    const auto end = loadLittle<std::uint64_t>(bytes.data() + 16);
    const std::size_t total = payload.size() + 4;
    storeLittle(bytes.data() + end, static_cast<std::uint16_t>(total));
    std::copy(payload.begin(), payload.end(), bytes.data() + end + 2);
    storeLittle(bytes.data() + end + total - 2, static_cast<std::uint16_t>(total));
    storeLittle<std::uint64_t>(bytes.data() + 16, end + total);
  }

  std::vector<std::byte> bytes;
};

constexpr const char* kContents = " with \"ada\", \"\" and \"grace hopper\"";

TEST(GoldenLog, ofShmiosFormat) {
  ShmioLog log(100);
  for (const Payload& payload : kPayloads) log.append(payload);
  expectPinned(
      "log_shmio", log.bytes,
      std::string("A log of 100 bytes in the format of shmio: 24 bytes of header, 16-bit lengths;") + kContents);
}

TEST(GoldenLog, aPinnedLogOfShmioIsReadBothWays) {
  const test::ScratchDirectory directory;
  test::writeFile(directory.path("log"), GoldenFile("log_shmio").read());
  LogReader reader(openLog(test::reading(directory.path("log"))));
  EXPECT_EQ(test::readOn(reader, true).payloads, kPayloads);
  for (std::size_t i = kPayloads.size(); i-- > 0;) {
    EXPECT_EQ(test::previousFrame(reader, true).payload, kPayloads[i]);
  }
}

TEST(GoldenLog, aPinnedLogOfShmioIsWrittenOnAsShmioWouldDo) {
  const test::ScratchDirectory directory;
  const std::string path = directory.path("log");
  const std::vector<std::byte> pinned = GoldenFile("log_shmio").read();
  test::writeFile(path, pinned);
  (void)openLog(test::writing(path));
  EXPECT_TRUE(test::readFile(path) == pinned) << "opening changes nothing";
  LogAppender appender(openLog(test::writing(path)), {});
  ASSERT_EQ(appender.append(text("edsger")), LogStatus::kOk);
  ASSERT_EQ(appender.close(), LogStatus::kOk);
  ShmioLog expected(100);
  for (const Payload& payload : kPayloads) expected.append(payload);
  expected.append(text("edsger"));
  EXPECT_TRUE(test::readFile(path) == expected.bytes);
}

TEST(GoldenLog, ofASmallFileIsShmiosToo) {
  const test::ScratchDirectory directory;
  LogOptions options = test::writing(directory.path("log"), 100);
  LogAppender appender(openLog(options), {});
  for (const Payload& payload : kPayloads) ASSERT_EQ(appender.append(payload), LogStatus::kOk);
  ASSERT_EQ(appender.close(), LogStatus::kOk);
  EXPECT_EQ(GoldenFile("log_shmio").difference(test::readFile(options.path)), "");
}

class ExtendedGoldenLog : public ::testing::TestWithParam<test::FrameKind> {
 protected:
  [[nodiscard]] static std::string name() { return std::string("log_") + GetParam().name; }
};

INSTANTIATE_TEST_SUITE_P(, ExtendedGoldenLog, ::testing::ValuesIn(test::kFrameKinds),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(ExtendedGoldenLog, hasThePinnedBytes) {
  const test::ScratchDirectory directory;
  expectPinned(name(), written(directory, 640, GetParam()),
               std::string("A log of 640 bytes that may grow to 1,280, with the extended header and ") +
                   GetParam().name + " frames, made in boot 0x0102030405060708 as 0x1112131415161718;" + kContents);
}

TEST_P(ExtendedGoldenLog, isReadAndWrittenOn) {
  const test::ScratchDirectory directory;
  const std::string path = directory.path("log");
  test::writeFile(path, GoldenFile(name()).read());
  {
    LogAppender appender(openLog(test::writing(path)), {});
    EXPECT_EQ(appender.log().header().maxCapacity, 1280U);
    EXPECT_EQ(appender.log().header().identity, 0x1112131415161718U);
    ASSERT_EQ(appender.append(text("edsger")), LogStatus::kOk);
  }
  std::vector<Payload> expected = kPayloads;
  expected.push_back(text("edsger"));
  EXPECT_EQ(test::readAll(path).payloads, expected);
}

}  // namespace
}  // namespace strand
