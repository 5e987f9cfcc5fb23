#include "log/log_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "memory/little_endian.h"
#include "support/child_process.h"
#include "support/file_size_limit.h"
#include "support/payload.h"
#include "support/random.h"
#include "support/test_log.h"

namespace strand {
namespace {

using namespace layout;
using test::endOfChild;
using test::kChecked;
using test::kNarrow;
using test::kWide;
using test::openLog;
using test::readFile;
using test::reading;
using test::refusalOf;
using test::ScratchDirectory;
using test::TestLog;
using test::writeFile;
using test::writing;
using ::testing::HasSubstr;

std::vector<std::byte> bytesOf(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

class LogFileTest : public ::testing::Test {
 protected:
  /// Refused both ways, with a fault of this kind, and not a byte is changed.
  void expectRefusedUntouched(std::span<const std::byte> bytes, FaultCode code, const std::string& why) const {
    writeFile(path_, bytes);
    for (const LogOptions& options : {reading(path_), writing(path_, 4096)}) {
      const Fault fault = refusalOf(options);
      EXPECT_EQ(fault.code, code) << fault.message;
      EXPECT_THAT(fault.message, HasSubstr(why));
      EXPECT_THAT(fault.message, HasSubstr("'" + path_ + "'"));
      EXPECT_TRUE(readFile(path_) == std::vector<std::byte>(bytes.begin(), bytes.end()));
    }
  }

  ScratchDirectory directory_;
  std::string path_ = directory_.path("log");
};

TEST_F(LogFileTest, hasExactlyTheCapacityItWasMadeWith) {
  for (const std::uint64_t capacity : {28U, 515U, 516U, 4096U, 5001U}) {
    const std::string path = directory_.path(std::to_string(capacity));
    const auto log = openLog(writing(path, capacity));
    EXPECT_EQ(std::filesystem::file_size(path), capacity);
    EXPECT_EQ(log->header().extended, capacity >= 516);
    EXPECT_EQ(log->header().capacity, capacity);
    EXPECT_EQ(log->header().maxCapacity, capacity);
    EXPECT_EQ(log->committed(), log->header().dataOffset);
    EXPECT_EQ(log->event().has_value(), log->header().extended);
  }
}

TEST_F(LogFileTest, keepsTheFramesAndTheSizeOfAnExistingFile) {
  (void)openLog(writing(path_, 2000, kChecked, 9000));
  for (const LogOptions& options : {writing(path_, 8000), writing(path_, 1'000'000, kChecked), reading(path_)}) {
    const auto log = openLog(options);
    EXPECT_EQ(log->header().capacity, 2000U);
    EXPECT_EQ(log->header().maxCapacity, 9000U);
    EXPECT_TRUE(log->format().checked);
    EXPECT_EQ(std::filesystem::file_size(path_), 2000U);
  }
}

TEST_F(LogFileTest, picksTheFramesByWhatIsAskedFor) {
  const auto format = [&](std::uint64_t maxFrameBytes, bool checksum) {
    std::filesystem::remove(path_);
    return openLog(writing(path_, 4096, {"", maxFrameBytes, checksum}))->format();
  };
  EXPECT_EQ(format(0, false).width, 2U);
  EXPECT_EQ(format(65531, false).width, 2U);
  EXPECT_EQ(format(65532, false).width, 4U);
  EXPECT_FALSE(format(65532, false).checked);
  EXPECT_EQ(format(1U << 30U, false).width, 4U);
  EXPECT_EQ(format(0, true).width, 4U);
  EXPECT_TRUE(format(10, true).checked);
}

TEST_F(LogFileTest, refusesFramesThatTheFileDoesNotHave) {
  (void)openLog(writing(path_, 4096));
  LogOptions larger = reading(path_);
  larger.maxFrameBytes = 65532;
  EXPECT_THAT(refusalOf(larger).message, HasSubstr("has frames of at most 65531 bytes, maxFrameBytes asks for 65532"));
  LogOptions checked = reading(path_);
  checked.checksum = true;
  EXPECT_EQ(refusalOf(checked).code, FaultCode::kFormat);
  EXPECT_THAT(refusalOf(checked).message, HasSubstr("without checksums"));
  LogOptions fits = reading(path_);
  fits.maxFrameBytes = 65531;
  EXPECT_NE(openLog(fits), nullptr);
}

TEST_F(LogFileTest, leavesNoFileWhereTheOptionsMakeNone) {
  constexpr std::uint64_t kTooMuch = (std::uint64_t{1} << 53U) + 1;
  const std::vector<LogOptions> bad{writing(path_, 0),
                                    writing(path_, 27),
                                    writing(path_, 519, kWide),
                                    writing(path_, 523, kChecked),
                                    writing(path_, 100, kNarrow, 101),
                                    writing(path_, 4096, kNarrow, 4095),
                                    writing(path_, kTooMuch),
                                    writing(path_, 4096, kNarrow, kTooMuch),
                                    writing(path_, 4096, {"", (1U << 30U) + 1, false})};
  for (const LogOptions& options : bad) {
    const Fault fault = refusalOf(options);
    EXPECT_EQ(fault.code, FaultCode::kRange) << fault.message;
    EXPECT_TRUE(directory_.empty()) << fault.message;
  }
  EXPECT_EQ(refusalOf(reading(path_)).code, FaultCode::kFile);
  EXPECT_TRUE(directory_.empty());
}

TEST_F(LogFileTest, leavesNoFileWhereTheDiskHasNoRoomAndAnEmptyOneEmpty) {
  const test::FileSizeLimit limit(8192);
  EXPECT_EQ(refusalOf(writing(path_, 100'000)).code, FaultCode::kFile);
  EXPECT_TRUE(directory_.empty());
  writeFile(path_, {});
  EXPECT_EQ(refusalOf(writing(path_, 100'000)).code, FaultCode::kFile);
  EXPECT_EQ(std::filesystem::file_size(path_), 0U);
  EXPECT_NE(openLog(writing(path_, 8192)), nullptr);
}

TEST_F(LogFileTest, anEmptyFileIsNoLogToReadAndTheStartOfOneToWrite) {
  writeFile(path_, {});
  EXPECT_THAT(refusalOf(reading(path_)).message, HasSubstr("it has 0 bytes"));
  EXPECT_EQ(std::filesystem::file_size(path_), 0U);
  (void)openLog(writing(path_, 4096));
  EXPECT_EQ(std::filesystem::file_size(path_), 4096U);
}

TEST_F(LogFileTest, foreignFilesStayAsTheyAre) {
  expectRefusedUntouched(bytesOf("short"), FaultCode::kFormat, "it has 5 bytes");
  expectRefusedUntouched(bytesOf("A text of somebody's, longer than the header of a log is."), FaultCode::kFormat,
                         "no header");
  expectRefusedUntouched(std::vector<std::byte>(10'000), FaultCode::kFormat, "no header");
  test::Random random;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::byte> noise(random.between(24, 5000));
    for (std::byte& byte : noise) byte = static_cast<std::byte>(random.bits());
    expectRefusedUntouched(noise, FaultCode::kFormat, "no header");
  }
}

TEST_F(LogFileTest, aCommittedSizeOutsideTheFileIsRefusedUntouched) {
  for (const std::uint64_t capacity : {200U, 4096U}) {
    std::filesystem::remove(path_);
    (void)openLog(writing(path_, capacity));
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{23}, capacity + 1, UINT64_MAX}) {
      std::vector<std::byte> bytes = readFile(path_);
      storeLittle(bytes.data() + kLogOffsetSize, size);
      expectRefusedUntouched(bytes, FaultCode::kFormat, "committed size of " + std::to_string(size));
    }
  }
}

TEST_F(LogFileTest, aPlainLogWhoseFramesDoNotAddUpIsReadAndNotWritten) {
  std::vector<std::byte> bytes(200);
  storeLittle<std::uint64_t>(bytes.data(), 24);
  storeLittle<std::uint64_t>(bytes.data() + 8, 24);
  storeLittle<std::uint64_t>(bytes.data() + 16, 30);
  storeLittle<std::uint16_t>(bytes.data() + 24, 6);
  storeLittle<std::uint16_t>(bytes.data() + 28, 7);
  writeFile(path_, bytes);
  EXPECT_THAT(refusalOf(writing(path_)).message, HasSubstr("there is no frame at byte 24 of its 30"));
  EXPECT_TRUE(readFile(path_) == bytes);
  EXPECT_EQ(test::readAll(path_, false).payloads.size(), 1U);
  EXPECT_EQ(test::readAll(path_, true).last, LogStatus::kCorrupt);
  storeLittle<std::uint16_t>(bytes.data() + 28, 6);
  writeFile(path_, bytes);
  EXPECT_NE(openLog(writing(path_)), nullptr);
}

TEST_F(LogFileTest, whatIsNoRegularFileIsRefused) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  for (const std::string& path : {path_, directory_.path(), std::string("/dev/zero")}) {
    EXPECT_FALSE(refusalOf(reading(path)).ok());
    EXPECT_FALSE(refusalOf(writing(path, 4096)).ok());
  }
}

TEST_F(LogFileTest, isFoundThroughLinks) {
  const std::string link = directory_.path("link");
  ASSERT_EQ(symlink("log", link.c_str()), 0);
  (void)openLog(writing(link, 4096));
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(std::filesystem::file_size(path_), 4096U);
  EXPECT_NE(openLog(reading(link)), nullptr);
}

TEST_F(LogFileTest, whoMayOnlyReadReadsAndHasNoEvent) {
  (void)openLog(writing(path_, 4096));
  ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0444), 0);
  EXPECT_EQ(endOfChild([&] {
              if (!test::becomeNobody()) _exit(1);
              Fault fault;
              const auto log = LogFile::open(reading(path_), fault);
              if (log == nullptr || log->event()) _exit(2);
              if (LogFile::open(writing(path_), fault) != nullptr || fault.code != FaultCode::kFile) _exit(3);
            }),
            0);
}

TEST_F(LogFileTest, makingThatWasInterruptedIsFinishedByTheNextWriter) {
  for (const test::FrameKind& kind : test::kFrameKinds) {
    std::filesystem::remove(path_);
    (void)openLog(writing(path_, 5000, kind, 9000));
    for (const std::uint64_t size : {512U, 513U, 4096U, 4999U}) {
      std::filesystem::resize_file(path_, size);
      EXPECT_EQ(openLog(reading(path_))->committed(), 512U);
      EXPECT_EQ(std::filesystem::file_size(path_), size) << "readers change nothing";
      LogAppender appender(openLog(writing(path_)), {});
      EXPECT_EQ(std::filesystem::file_size(path_), 5000U);
      ASSERT_EQ(appender.reserve(0, 1), LogStatus::kOk);
      EXPECT_EQ(appender.room(), 5000 - 512 - static_cast<std::int64_t>(appender.log().format().overhead()));
    }
  }
}

TEST_F(LogFileTest, hasAnIdentityOfItsOwnForGood) {
  for (const test::FrameKind& kind : test::kFrameKinds) {
    std::filesystem::remove(path_);
    const std::uint64_t identity = openLog(writing(path_, 600, kind, 9000))->header().identity;
    EXPECT_NE(identity, 0U);
    {
      LogAppender appender(openLog(writing(path_)), {});
      EXPECT_EQ(appender.log().header().identity, identity);
      ASSERT_EQ(appender.append(test::makePayload(1, 5000)), LogStatus::kOk);
      EXPECT_GT(std::filesystem::file_size(path_), 5000U) << "it has grown";
    }
    EXPECT_EQ(openLog(reading(path_))->header().identity, identity);
    EXPECT_EQ(openLog(writing(path_))->header().identity, identity);
    std::filesystem::remove(path_);
    EXPECT_NE(openLog(writing(path_, 600, kind, 9000))->header().identity, identity) << "another log of the name";
  }
}

TEST_F(LogFileTest, madeOfAnEmptyFileOrWithoutItsSizeHasAnIdentity) {
  writeFile(path_, {});
  const std::uint64_t identity = openLog(writing(path_, 5000))->header().identity;
  EXPECT_NE(identity, 0U);
  std::filesystem::resize_file(path_, 512);
  EXPECT_EQ(openLog(reading(path_))->header().identity, identity);
  EXPECT_EQ(openLog(writing(path_))->header().identity, identity);
}

TEST_F(LogFileTest, withoutAnIdentityNeverGetsOne) {
  (void)openLog(writing(path_, 515));
  EXPECT_EQ(openLog(reading(path_))->header().identity, 0U) << "a plain log";
  std::filesystem::remove(path_);
  (void)openLog(writing(path_, 4096));
  test::forge(path_, kLogOffsetIdentity, 0);
  for (const LogOptions& options : {reading(path_), writing(path_), reading(path_)}) {
    EXPECT_EQ(openLog(options)->header().identity, 0U) << "one made before there was one";
  }
}

TEST_F(LogFileTest, oneWriterAtATime) {
  LogAppender first(openLog(writing(path_, 4096)), {});
  const Fault fault = refusalOf(writing(path_, 4096));
  EXPECT_EQ(fault.code, FaultCode::kLocked);
  EXPECT_THAT(fault.message, HasSubstr("has a writer already"));
  const auto locked = [&] {
    return endOfChild([&] {
      Fault refusal;
      const auto log = LogFile::open(writing(path_), refusal);
      _exit(log != nullptr ? 1 : (refusal.code == FaultCode::kLocked ? 2 : 3));
    });
  };
  EXPECT_EQ(locked(), 2);
  EXPECT_NE(openLog(reading(path_)), nullptr);
  ASSERT_EQ(first.close(), LogStatus::kOk);
  EXPECT_EQ(locked(), 1);
  LogAppender second(openLog(writing(path_)), {});
  EXPECT_EQ(second.append({}), LogStatus::kOk);
}

TEST_F(LogFileTest, aWriterThatNobodyAppendsToHoldsTheLockUntilItIsGone) {
  auto log = openLog(writing(path_, 4096));
  EXPECT_EQ(refusalOf(writing(path_)).code, FaultCode::kLocked);
  const auto pages = log->pages();  // what Buffers over the log keep
  log.reset();
  EXPECT_NE(openLog(writing(path_)), nullptr);
}

TEST_F(LogFileTest, aWriterThatWasRefusedLeavesTheLogUsable) {
  LogAppender first(openLog(writing(path_, 4096)), {});
  ASSERT_EQ(first.append(bytesOf("one")), LogStatus::kOk);
  (void)refusalOf(writing(path_, 9000, kChecked));
  ASSERT_EQ(first.append(bytesOf("two")), LogStatus::kOk);
  EXPECT_EQ(test::readAll(path_).payloads, (std::vector<test::Payload>{bytesOf("one"), bytesOf("two")}));
}

// Every byte of the header by itself, and every one of its words, set to a few values that matter.
class DamagedLog : public ::testing::TestWithParam<test::FrameKind> {
 protected:
  DamagedLog() {
    LogAppender appender(log_.writer(), {});
    for (std::uint64_t i = 0; i < 12; ++i) {
      EXPECT_EQ(appender.append(test::makePayload(i, static_cast<std::size_t>(i) * 17)), LogStatus::kOk);
    }
    EXPECT_EQ(appender.close(), LogStatus::kOk);
    healthy_ = log_.bytes();
  }

  /// Reads it there and back, seeks in it, and appends to it, wherever that is possible. Nothing may leave the file: its
  /// end lies on a page's, so that a step beyond ends the process.
  void use(const std::vector<std::byte>& bytes) {
    writeFile(log_.path, bytes);
    Fault fault;
    if (const auto log = LogFile::open(reading(log_.path), fault); log != nullptr) {
      ++readable_;
      LogReader reader(log);
      (void)test::readOn(reader, true);
      (void)test::readOn(reader, false);
      EXPECT_LE(reader.cursor() + log->header().dataOffset, bytes.size());
      while (test::previousFrame(reader).status == LogStatus::kOk) {
      }
      for (const std::uint64_t cursor : {std::uint64_t{0}, std::uint64_t{4}, reader.committed()}) {
        (void)reader.seek(cursor);
      }
      EXPECT_FALSE(log->memory().gone());
    } else {
      EXPECT_FALSE(fault.ok());
    }
    EXPECT_TRUE(readFile(log_.path) == bytes);
    fault = {};
    if (const auto log = LogFile::open(writing(log_.path), fault); log != nullptr) {
      ++writable_;
      LogAppender appender(log, {});
      const LogStatus status = appender.append(test::makePayload(1, 10));
      EXPECT_TRUE(status == LogStatus::kOk || status == LogStatus::kFull);
      EXPECT_FALSE(log->memory().gone());
    } else {
      EXPECT_FALSE(fault.ok());
      EXPECT_TRUE(readFile(log_.path) == bytes);
    }
    if (log_.bytes().size() != bytes.size()) std::filesystem::resize_file(log_.path, bytes.size());
  }

  TestLog log_{4096, GetParam()};
  std::vector<std::byte> healthy_;
  std::uint64_t readable_ = 0;
  std::uint64_t writable_ = 0;
};

INSTANTIATE_TEST_SUITE_P(, DamagedLog, ::testing::ValuesIn(test::kFrameKinds),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(DamagedLog, withAnyByteOfItsHeaderChangedIsRefusedOrHarmless) {
  for (std::size_t offset = 0; offset < kLogHeaderSize; ++offset) {
    for (const int value : {0, 128, 255}) {
      std::vector<std::byte> bytes = healthy_;
      if (bytes[offset] == static_cast<std::byte>(value)) continue;
      bytes[offset] = static_cast<std::byte>(value);
      use(bytes);
    }
  }
  EXPECT_GT(readable_, 500U);
  EXPECT_GT(writable_, 500U);
}

TEST_P(DamagedLog, withAnyWordOfItsHeaderChangedAndSealedIsRefusedOrHarmless) {
  for (std::uint32_t offset = 0; offset < 0x110; offset += 8) {
    for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{24}, std::uint64_t{513}, std::uint64_t{4095},
                                      std::uint64_t{1} << 32U, UINT64_MAX}) {
      // A capacity that asks for petabytes is a matter of the disk.
      if (offset == kLogOffsetCapacity && value > 4096) continue;
      std::vector<std::byte> bytes = healthy_;
      storeLittle(bytes.data() + offset, value);
      test::sealExtension(bytes);
      use(bytes);
    }
  }
}

TEST_P(DamagedLog, withRandomBytesOfItsFramesChangedIsReadInsideTheFile) {
  test::Random random;
  for (int round = 0; round < 200; ++round) {
    std::vector<std::byte> bytes = healthy_;
    for (std::uint64_t n = random.between(1, 8); n > 0; --n) {
      bytes[random.between(kLogHeaderSize, bytes.size() - 1)] = static_cast<std::byte>(random.bits());
    }
    use(bytes);
  }
}

}  // namespace
}  // namespace strand
