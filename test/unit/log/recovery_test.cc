#include "log/recovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/numbered_frames.h"
#include "support/page.h"
#include "support/test_log.h"

namespace strand {
namespace {

using namespace layout;
using test::FrameKind;
using test::framesOf;
using test::kPage;
using test::numbered;
using test::openLog;
using test::TestLog;
using test::writeFile;
using test::zeroBehind;
using ::testing::HasSubstr;

class RecoveredLog : public ::testing::TestWithParam<FrameKind> {
 protected:
  static constexpr std::uint64_t kFrames = 5;

  RecoveredLog() : log_(4096, GetParam(), 3 * kPage) {
    options_ = log_.options;
    options_.bootId = 1;
    LogAppender appender(openLog(options_), {});
    for (std::uint64_t i = 0; i < kFrames; ++i) EXPECT_EQ(appender.append(numbered(i, 42)), LogStatus::kOk);
    total_ = 50 + appender.log().format().overhead();
  }

  /// Opens it after the machine has died.
  std::shared_ptr<LogFile> afterPowerLoss() {
    ++options_.bootId;
    return openLog(options_);
  }
  void damage(std::uint64_t at) const {
    std::vector<std::byte> bytes = log_.bytes();
    bytes.at(at) ^= std::byte{0x55};
    writeFile(log_.path, bytes);
  }

  TestLog log_;
  LogOptions options_;
  std::uint64_t total_ = 0;
};

INSTANTIATE_TEST_SUITE_P(, RecoveredLog, ::testing::ValuesIn(test::kFrameKinds),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(RecoveredLog, keepsEverythingThatIsSound) {
  const std::uint64_t identity = openLog(options_)->header().identity;
  EXPECT_NE(identity, 0U);
  for (int i = 0; i < 3; ++i) {
    const auto log = afterPowerLoss();
    EXPECT_EQ(log->header().identity, identity);
    EXPECT_EQ(log->word(kLogOffsetIdentity).loadAcquire(), identity);
    EXPECT_EQ(framesOf(log).payloads.size(), kFrames);
    EXPECT_EQ(log->word(kLogOffsetBoot).loadAcquire(), options_.bootId);
    EXPECT_EQ(log->word(kLogOffsetDurable).loadAcquire(), log->committed());
    EXPECT_EQ(log->word(kLogOffsetReserved).loadAcquire(), log->committed());
  }
}

TEST_P(RecoveredLog, endsBeforeTheFirstFrameThatIsNot) {
  for (std::uint64_t frame = kFrames; frame-- > 0;) {
    test::forge(log_.path, kLogOffsetDurable, 512);
    // Its last length, then its first one.
    damage(512 + (frame + 1) * total_ - 1 - (frame % 2 == 0 ? total_ - GetParam().checksum - 1 : 0));
    const auto log = afterPowerLoss();
    EXPECT_EQ(log->committed(), 512 + frame * total_);
    EXPECT_EQ(framesOf(log).payloads.size(), frame);
    EXPECT_TRUE(zeroBehind(*log));
  }
}

TEST_P(RecoveredLog, isTrustedAsItIsInTheSameBoot) {
  damage(512 + total_ + 1);
  EXPECT_EQ(openLog(options_)->committed(), 512 + kFrames * total_);
}

TEST_P(RecoveredLog, isTrustedAsFarAsItIsDurable) {
  test::forge(log_.path, kLogOffsetDurable, 512 + 3 * total_);
  damage(512 + total_ + 1);
  EXPECT_EQ(afterPowerLoss()->committed(), 512 + kFrames * total_);
}

TEST_P(RecoveredLog, isWalkedFromItsFirstFrameWhereDurableSaysNothing) {
  for (const std::uint64_t durable : {std::uint64_t{0}, std::uint64_t{511}, 512 + kFrames * total_ + 1, UINT64_MAX}) {
    test::forge(log_.path, kLogOffsetDurable, durable);
    EXPECT_EQ(framesOf(afterPowerLoss()).payloads.size(), kFrames);
  }
  test::forge(log_.path, kLogOffsetDurable, UINT64_MAX);
  damage(512 + total_ + 1);
  EXPECT_EQ(framesOf(afterPowerLoss()).payloads.size(), 1U);
}

TEST_P(RecoveredLog, isCutBackToTheFileThatLostTheLengthItHadGrownTo) {
  {
    LogAppender appender(openLog(options_), {});
    while (appender.append(numbered(0, 900)) == LogStatus::kOk) {
    }
    ASSERT_EQ(std::filesystem::file_size(log_.path), 3 * kPage);
  }
  std::filesystem::resize_file(log_.path, 4096);
  EXPECT_THAT(test::refusalOf(options_).message, HasSubstr("was it truncated?")) << "nothing died";
  test::forge(log_.path, kLogOffsetDurable, 4097);
  LogOptions later = options_;
  ++later.bootId;
  EXPECT_THAT(test::refusalOf(later).message, HasSubstr("was it truncated?")) << "that had been flushed";
  EXPECT_EQ(std::filesystem::file_size(log_.path), 4096U);
  test::forge(log_.path, kLogOffsetDurable, 512);
  EXPECT_THAT(test::refusalOf(test::reading(log_.path)).message, HasSubstr("was it truncated?"));
  const auto log = afterPowerLoss();
  const test::Frames frames = framesOf(log);
  EXPECT_EQ(frames.last, LogStatus::kNone);
  EXPECT_EQ(frames.payloads.size(), kFrames + (4096 - 512 - kFrames * total_) / (total_ - 50 + 908));
  EXPECT_TRUE(zeroBehind(*log));
}

TEST_P(RecoveredLog, isWalkedEveryTimeWhereBootsAreNotToldApart) {
  Fault fault;
  const auto log = openLog(options_);
  log->word(kLogOffsetBoot).storeRelease(0);
  log->word(kLogOffsetDurable).storeRelease(512);
  log->memory().data()[512 + 2 * total_ - 1] ^= std::byte{1};
  ASSERT_TRUE(recoverLog(*log, 0, fault));
  EXPECT_EQ(log->committed(), 512 + total_);
}

TEST_P(RecoveredLog, flushesWhatItKeepsBeforeItSaysSo) {
  {
    LogAppender appender(openLog(options_), {});
    ASSERT_EQ(appender.append(numbered(0, kPage)), LogStatus::kOk);
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> flushes;
  options_.onFlush = [&](std::uint64_t at, std::uint64_t bytes) { flushes.emplace_back(at, bytes); };
  (void)afterPowerLoss();
  EXPECT_EQ(flushes,
            (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{kPage, 2 * kPage}, {0, 2 * kPage}, {0, kPage}}))
      << "what it cleared, what it kept, the header";
}

TEST_P(RecoveredLog, flushesWhatItClearsBeforeAnybodyWritesThere) {
  {
    LogAppender appender(openLog(options_), {});
    std::uint64_t at = 0;
    ASSERT_EQ(appender.allocate(100, false, at), LogStatus::kOk);
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> flushes;
  options_.onFlush = [&](std::uint64_t at, std::uint64_t bytes) { flushes.emplace_back(at, bytes); };
  EXPECT_TRUE(zeroBehind(*openLog(options_)));
  EXPECT_EQ(flushes, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, kPage}}));
  flushes.clear();
  (void)openLog(options_);
  EXPECT_TRUE(flushes.empty()) << "nothing was left behind";
}

}  // namespace
}  // namespace strand
