#include "log/log_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "memory/little_endian.h"
#include "support/page.h"
#include "support/payload.h"
#include "support/random.h"
#include "support/test_log.h"

namespace strand {
namespace {

using namespace layout;
using test::kPage;
using test::makePayload;
using test::Payload;
using test::Random;
using test::readOn;
using test::TestLog;
using Limits = LogReader::Limits;

constexpr std::uint64_t kAllBytes = UINT64_MAX;

struct Read {
  LogStatus status = LogStatus::kNone;
  std::vector<Payload> payloads;
  std::uint64_t bytes = 0;  ///< batch.bytes
};

using Step = LogStatus (LogReader::*)(const Limits&, std::span<std::uint32_t>, std::span<std::uint32_t>,
                                      LogReader::Batch&) noexcept;

Read read(LogReader& reader, Step step, const Limits& limits, std::size_t arrays = 64) {
  std::vector<std::uint32_t> starts(arrays);
  std::vector<std::uint32_t> lengths(arrays);
  LogReader::Batch batch;
  Read result;
  result.status = (reader.*step)(limits, starts, lengths, batch);
  result.bytes = batch.bytes;
  EXPECT_EQ(batch.count != 0, result.status == LogStatus::kOk);
  std::uint64_t end = 0;
  for (std::uint32_t i = 0; i < batch.count; ++i) {
    const std::byte* const from = reader.log().data() + batch.base + starts[i];
    result.payloads.emplace_back(from, from + lengths[i]);
    end = std::max(end, std::uint64_t{starts[i]} + lengths[i]);
  }
  if (result.status == LogStatus::kOk) {
    EXPECT_EQ(end, batch.bytes);
    EXPECT_LE(batch.base + batch.bytes, reader.log().committed());
  }
  return result;
}
Read next(LogReader& reader, const Limits& limits, std::size_t arrays = 64) {
  return read(reader, &LogReader::next, limits, arrays);
}
Read previous(LogReader& reader, const Limits& limits, std::size_t arrays = 64) {
  return read(reader, &LogReader::previous, limits, arrays);
}

/// A log of random frames.
class RandomLog {
 public:
  RandomLog(Random& random, const test::FrameKind& kind, std::uint64_t frames, std::uint64_t longest)
      : log_(512 + frames * (longest + 12), kind) {
    LogAppender appender(log_.writer(), {});
    for (std::uint64_t i = 0; i < frames; ++i) {
      starts.push_back(appender.end() - 512);
      payloads.push_back(makePayload(i, random.percent(10) ? 0 : random.below(longest + 1)));
      EXPECT_EQ(appender.append(payloads.back()), LogStatus::kOk);
    }
    end = appender.end() - 512;
  }

  [[nodiscard]] std::shared_ptr<LogFile> open() const { return log_.reader(); }
  [[nodiscard]] const TestLog& log() const { return log_; }

  std::vector<Payload> payloads;
  std::vector<std::uint64_t> starts;  ///< cursors
  std::uint64_t end = 0;

 private:
  TestLog log_;
};

class EveryLog : public ::testing::TestWithParam<test::FrameKind> {
 protected:
  Random random_;
};

INSTANTIATE_TEST_SUITE_P(, EveryLog, ::testing::ValuesIn(test::kFrameKinds),
                         [](const auto& kind) { return kind.param.name; });

Limits someLimits(Random& random) {
  return {static_cast<std::uint32_t>(random.between(1, 50)), random.between(300, 5000), random.percent(50)};
}

void expectWithin(const std::vector<Payload>& payloads, const Limits& limits) {
  std::uint64_t bytes = 0;
  for (const Payload& payload : payloads) bytes += payload.size();
  EXPECT_LE(bytes, limits.bytes);
  EXPECT_LE(payloads.size(), limits.messages);
}

TEST_P(EveryLog, isReadInBatchesAsItWasWritten) {
  const RandomLog log(random_, GetParam(), 500, 300);
  for (int round = 0; round < 20; ++round) {
    LogReader reader(log.open());
    EXPECT_EQ(reader.committed(), log.end);
    std::vector<Payload> all;
    while (reader.ready()) {
      const Limits limits = someLimits(random_);
      const Read batch = next(reader, limits, random_.between(1, 50));
      ASSERT_EQ(batch.status, LogStatus::kOk);
      expectWithin(batch.payloads, limits);
      all.insert(all.end(), batch.payloads.begin(), batch.payloads.end());
      EXPECT_EQ(reader.cursor(), all.size() == log.payloads.size() ? log.end : log.starts[all.size()]);
    }
    EXPECT_EQ(all, log.payloads);
    EXPECT_EQ(next(reader, {10, kAllBytes, true}).status, LogStatus::kNone);
  }
}

TEST_P(EveryLog, isReadBackwardsInTheOppositeOrder) {
  const RandomLog log(random_, GetParam(), 500, 300);
  std::vector<Payload> reversed = log.payloads;
  std::reverse(reversed.begin(), reversed.end());
  for (int round = 0; round < 20; ++round) {
    LogReader reader(log.open());
    ASSERT_EQ(reader.seek(log.end), LogStatus::kOk);
    std::vector<Payload> all;
    while (reader.cursor() != 0) {
      const Limits limits = someLimits(random_);
      const Read batch = previous(reader, limits, random_.between(1, 50));
      ASSERT_EQ(batch.status, LogStatus::kOk);
      expectWithin(batch.payloads, limits);
      all.insert(all.end(), batch.payloads.begin(), batch.payloads.end());
      EXPECT_EQ(reader.cursor(), log.starts[log.starts.size() - all.size()]);
    }
    EXPECT_EQ(all, reversed);
    EXPECT_EQ(previous(reader, {10, kAllBytes, true}).status, LogStatus::kNone);
  }
}

TEST_P(EveryLog, stepsThereAndBackMeetTheSameFrames) {
  const RandomLog log(random_, GetParam(), 100, 100);
  LogReader reader(log.open());
  std::size_t at = 0;
  for (int step = 0; step < 2000; ++step) {
    const Limits limits{static_cast<std::uint32_t>(random_.between(1, 5)), kAllBytes, random_.percent(50)};
    if (random_.percent(50)) {
      const Read batch = next(reader, limits);
      ASSERT_EQ(batch.status, at == 100 ? LogStatus::kNone : LogStatus::kOk);
      for (const Payload& payload : batch.payloads) ASSERT_EQ(payload, log.payloads[at++]);
    } else {
      const Read batch = previous(reader, limits);
      ASSERT_EQ(batch.status, at == 0 ? LogStatus::kNone : LogStatus::kOk);
      for (const Payload& payload : batch.payloads) ASSERT_EQ(payload, log.payloads[--at]);
    }
  }
}

TEST_P(EveryLog, isSoughtAtTheStartsOfItsFramesAndAtItsEndOnly) {
  const RandomLog log(random_, GetParam(), 60, 60);
  LogReader fresh(log.open());
  LogReader wandering(log.open());
  for (std::uint64_t round = 0; round < 2; ++round) {
    for (std::uint64_t i = 0; i <= log.end + 20; ++i) {
      const std::uint64_t cursor = round == 0 ? i : log.end + 20 - i;
      const bool fits = cursor == log.end || std::binary_search(log.starts.begin(), log.starts.end(), cursor);
      const std::uint64_t before = wandering.cursor();
      ASSERT_EQ(wandering.seek(cursor), fits ? LogStatus::kOk : LogStatus::kCursor) << cursor;
      ASSERT_EQ(wandering.cursor(), fits ? cursor : before);
      if (random_.percent(95)) continue;
      LogReader one(log.open());
      ASSERT_EQ(one.seek(cursor), fits ? LogStatus::kOk : LogStatus::kCursor) << cursor;
    }
    (void)readOn(wandering);
  }
  EXPECT_EQ(fresh.seek(UINT64_MAX), LogStatus::kCursor);
  EXPECT_EQ(fresh.seek(UINT64_MAX - 512), LogStatus::kCursor);
  for (std::size_t i = 0; i < log.starts.size(); ++i) {
    ASSERT_EQ(fresh.seek(log.starts[i]), LogStatus::kOk);
    EXPECT_EQ(test::nextFrame(fresh, true).payload, log.payloads[i]);
  }
}

TEST_P(EveryLog, whoseBytesWereChangedIsReadInsideOfWhatIsCommitted) {
  const RandomLog log(random_, GetParam(), 60, 60);
  const std::vector<std::byte> healthy = log.log().bytes();
  std::uint64_t corrupt = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<std::byte> bytes = healthy;
    for (std::uint64_t n = random_.between(1, 5); n > 0; --n) {
      bytes[512 + random_.below(log.end)] = static_cast<std::byte>(random_.bits());
    }
    test::writeFile(log.log().path, bytes);
    LogReader reader(log.open());
    LogStatus status = LogStatus::kOk;
    while (status == LogStatus::kOk) {
      // Bounds are checked with every batch.
      status = next(reader, {static_cast<std::uint32_t>(random_.between(1, 9)), kAllBytes, random_.percent(30)}).status;
      ASSERT_LE(reader.cursor(), log.end);
    }
    ASSERT_TRUE(status == LogStatus::kNone || status == LogStatus::kCorrupt);
    if (status == LogStatus::kCorrupt) ++corrupt;
    ASSERT_EQ(reader.seek(log.end), LogStatus::kOk);
    status = LogStatus::kOk;
    while (status == LogStatus::kOk) status = previous(reader, {5, kAllBytes, random_.percent(30)}).status;
    ASSERT_TRUE(status == LogStatus::kNone || status == LogStatus::kCorrupt);
    for (int i = 0; i < 10; ++i) (void)reader.seek(random_.below(log.end + 10));
  }
  EXPECT_GT(corrupt, 30U);
}

TEST_P(EveryLog, aBadLengthNeverLeadsOutside) {
  const RandomLog log(random_, GetParam(), 10, 60);
  const std::vector<std::byte> healthy = log.log().bytes();
  const std::uint32_t width = log.open()->format().width;
  const std::uint64_t overhead = log.open()->format().overhead();
  for (std::size_t frame = 0; frame < 10; ++frame) {
    const std::uint64_t frameEnd = frame == 9 ? log.end : log.starts[frame + 1];
    const std::uint64_t left = log.end - log.starts[frame];
    for (const std::uint64_t total : {std::uint64_t{0}, std::uint64_t{1}, overhead - 1, left + 1, std::uint64_t{65535},
                                      std::uint64_t{0xFFFFFFFF}}) {
      if (width == 2 && total > 65535) continue;
      std::vector<std::byte> bytes = healthy;
      const auto damage = [&](std::uint64_t at) {
        std::copy_n(reinterpret_cast<const std::byte*>(&total), width, bytes.data() + at);
      };
      damage(512 + log.starts[frame]);
      damage(512 + frameEnd - width);
      test::writeFile(log.log().path, bytes);
      LogReader reader(log.open());
      const test::Frames frames = readOn(reader);
      EXPECT_EQ(frames.payloads.size(), frame);
      EXPECT_EQ(frames.last, LogStatus::kCorrupt);
      EXPECT_EQ(reader.cursor(), log.starts[frame]);
      EXPECT_EQ(reader.faultAt(), 512 + log.starts[frame]);
      EXPECT_TRUE(reader.ready()) << "there is a fault to be told";
      ASSERT_EQ(reader.seek(log.end), LogStatus::kOk);
      std::size_t back = 0;
      test::OneFrame last;
      while ((last = test::previousFrame(reader)).status == LogStatus::kOk) ++back;
      EXPECT_EQ(last.status, LogStatus::kCorrupt);
      EXPECT_EQ(back, 9 - frame);
    }
  }
}

TEST_P(EveryLog, goesOnBehindFramesThatAreAppendedWhileItIsRead) {
  const TestLog log(100'000, GetParam());
  LogAppender appender(log.writer(), {});
  LogReader reader(log.reader());
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_FALSE(reader.ready());
    EXPECT_EQ(test::nextFrame(reader).status, LogStatus::kNone);
    ASSERT_EQ(appender.append(makePayload(i, i)), LogStatus::kOk);
    EXPECT_TRUE(reader.ready());
    EXPECT_EQ(test::nextFrame(reader).payload, makePayload(i, i));
  }
}

TEST_P(EveryLog, thatWasCutInTheMiddleIsGone) {
  // Wherever the cut is: behind it the rest of a page reads as zeros, and the next page is a fault.
  const RandomLog log(random_, GetParam(), 60, 1000);
  const std::vector<std::byte> healthy = log.log().bytes();
  for (int round = 0; round < 100; ++round) {
    test::writeFile(log.log().path, healthy);
    LogReader reader(log.open());
    LogReader backward(log.open());
    ASSERT_EQ(backward.seek(backward.committed()), LogStatus::kOk);
    for (std::uint64_t n = random_.below(20); n > 0; --n) ASSERT_EQ(test::nextFrame(reader).status, LogStatus::kOk);
    // A cut through the last length alone may take nothing but zeros, and nobody could tell.
    const std::uint64_t cut = random_.percent(20) ? random_.below(600) : random_.below(512 + log.end - 4);
    std::filesystem::resize_file(log.log().path, cut);
    const std::size_t first =
        static_cast<std::size_t>(std::find(log.starts.begin(), log.starts.end(), reader.cursor()) - log.starts.begin());
    const std::uint64_t before = reader.cursor();
    const test::Frames frames = readOn(reader);
    EXPECT_EQ(frames.last, LogStatus::kGone) << cut;
    for (std::size_t i = 0; i < frames.payloads.size(); ++i) {
      ASSERT_EQ(frames.payloads[i], log.payloads[first + i]) << "cut at " << cut << ", read from " << before;
    }
    EXPECT_EQ(test::previousFrame(backward).status, LogStatus::kGone) << cut;
    for (LogReader* const each : {&reader, &backward}) {
      EXPECT_TRUE(each->ready());
      EXPECT_EQ(test::nextFrame(*each).status, LogStatus::kGone);
      EXPECT_EQ(test::previousFrame(*each).status, LogStatus::kGone);
      EXPECT_EQ(each->seek(0), LogStatus::kGone);
    }
    // Goes on being gone, whatever comes later.
    test::writeFile(log.log().path, healthy);
    EXPECT_EQ(test::nextFrame(reader).status, LogStatus::kGone);
  }
}

TEST_P(EveryLog, seekingInALogThatWasCutSaysThatItIsGone) {
  const RandomLog log(random_, GetParam(), 60, 1000);
  const std::vector<std::byte> healthy = log.log().bytes();
  for (int round = 0; round < 50; ++round) {
    test::writeFile(log.log().path, healthy);
    LogReader reader(log.open());
    const std::uint64_t cut = random_.below(512 + log.end);
    std::filesystem::resize_file(log.log().path, cut);
    const std::size_t frame = random_.between(1, 59);
    const LogStatus status = reader.seek(log.starts[frame]);
    // The frame in front of it has to be stepped over.
    if (512 + log.starts[frame - 1] >= cut) {
      EXPECT_EQ(status, LogStatus::kGone) << log.starts[frame] << ' ' << cut;
    } else {
      EXPECT_TRUE(status == LogStatus::kOk || status == LogStatus::kGone);
    }
  }
}

TEST(LogReader, givesNoMoreFramesThanTheArraysOrTheLimitsTake) {
  const TestLog log(4096);
  LogAppender appender(log.writer(), {});
  for (std::uint64_t i = 0; i < 10; ++i) ASSERT_EQ(appender.append(makePayload(i, 10)), LogStatus::kOk);
  LogReader reader(log.reader());
  EXPECT_EQ(next(reader, {3, kAllBytes, false}).payloads.size(), 3U);
  EXPECT_EQ(next(reader, {100, kAllBytes, false}, 2).payloads.size(), 2U);
  EXPECT_EQ(next(reader, {100, 29, false}).payloads.size(), 2U);
  EXPECT_EQ(next(reader, {100, 30, false}).payloads.size(), 3U);
  EXPECT_EQ(previous(reader, {3, kAllBytes, false}).payloads.size(), 2U + 1U);
  EXPECT_EQ(previous(reader, {100, kAllBytes, false}, 2).payloads.size(), 2U);
  EXPECT_EQ(previous(reader, {100, 29, false}).payloads.size(), 2U);
  EXPECT_EQ(previous(reader, {100, 30, false}).payloads.size(), 3U);
}

TEST(LogReader, saysHowLargeTheNextFrameIsWhereTheLimitsHaveNoRoom) {
  const TestLog log(4096);
  LogAppender appender(log.writer(), {});
  for (const std::uint64_t size : {20U, 10U, 20U}) ASSERT_EQ(appender.append(makePayload(size, size)), LogStatus::kOk);
  LogReader reader(log.reader());
  const Read small = next(reader, {9, 19, false});
  EXPECT_EQ(small.status, LogStatus::kTooSmall);
  EXPECT_EQ(small.bytes, 20U);
  EXPECT_EQ(reader.cursor(), 0U);
  EXPECT_EQ(next(reader, {9, 20, false}).payloads.size(), 1U);
  EXPECT_EQ(next(reader, {0, kAllBytes, false}).status, LogStatus::kTooSmall);
  EXPECT_EQ(next(reader, {9, kAllBytes, false}, 0).status, LogStatus::kTooSmall);
  EXPECT_EQ(next(reader, {9, 19, false}).payloads.size(), 1U) << "what fits comes, the rest is told next time";
  EXPECT_EQ(next(reader, {9, 19, false}).bytes, 20U);
  EXPECT_EQ(next(reader, {9, kAllBytes, false}).payloads.size(), 1U);
  EXPECT_EQ(next(reader, {0, 0, false}).status, LogStatus::kNone);
  const Read back = previous(reader, {9, 19, false});
  EXPECT_EQ(back.status, LogStatus::kTooSmall);
  EXPECT_EQ(back.bytes, 20U);
  EXPECT_EQ(previous(reader, {0, kAllBytes, false}).status, LogStatus::kTooSmall);
  ASSERT_EQ(reader.seek(0), LogStatus::kOk);
  EXPECT_EQ(previous(reader, {0, 0, false}).status, LogStatus::kNone);
}

TEST(LogReader, readsEmptyFramesWithoutRoomForBytes) {
  const TestLog log(4096);
  LogAppender appender(log.writer(), {});
  for (int i = 0; i < 3; ++i) ASSERT_EQ(appender.append({}), LogStatus::kOk);
  ASSERT_EQ(appender.append(makePayload(1, 1)), LogStatus::kOk);
  LogReader reader(log.reader());
  EXPECT_EQ(next(reader, {9, 0, false}).payloads.size(), 3U);
  EXPECT_EQ(next(reader, {9, 0, false}).status, LogStatus::kTooSmall);
  EXPECT_EQ(previous(reader, {9, 0, false}).payloads.size(), 3U);
}

TEST(LogReader, debugChecksCompareBothLengthsAndTheNeighbours) {
  for (const test::FrameKind& kind : {test::kNarrow, test::kWide}) {
    const TestLog log(4096, kind);
    LogAppender appender(log.writer(), {});
    for (std::uint64_t i = 0; i < 3; ++i) ASSERT_EQ(appender.append(makePayload(i, 20)), LogStatus::kOk);
    const std::uint64_t total = 20 + appender.log().format().overhead();
    appender.log().memory().data()[512 + 2 * total - 1] ^= std::byte{1};  // of the second frame's last length
    LogReader reader(log.reader());
    EXPECT_EQ(readOn(reader, false).payloads.size(), 3U);
    ASSERT_EQ(reader.seek(0), LogStatus::kOk);
    const test::Frames checked = readOn(reader, true);
    EXPECT_EQ(checked.payloads.size(), 1U);
    EXPECT_EQ(checked.last, LogStatus::kCorrupt);
    ASSERT_EQ(reader.seek(2 * total), LogStatus::kOk);
    EXPECT_EQ(test::nextFrame(reader, true).status, LogStatus::kCorrupt) << "its neighbour is damaged";
  }
}

TEST(LogReader, checksumsNoticeEveryChangedByteOfAFrame) {
  const TestLog log(4096, test::kChecked);
  LogAppender appender(log.writer(), {});
  for (std::uint64_t i = 0; i < 3; ++i) ASSERT_EQ(appender.append(makePayload(i, 20)), LogStatus::kOk);
  std::byte* const base = appender.log().memory().data();
  LogReader reader(log.reader());
  for (std::uint64_t at = 512 + 32; at < 512 + 64; ++at) {
    base[at] ^= std::byte{4};
    ASSERT_EQ(reader.seek(0), LogStatus::kOk);
    const bool lastLength = at >= 512 + 60;
    EXPECT_EQ(readOn(reader, lastLength).payloads.size(), 1U) << at;
    if (!lastLength) {
      // Going back, the length of the frame in the middle is compared first.
      ASSERT_EQ(reader.seek(96), LogStatus::kOk);
      ASSERT_EQ(test::previousFrame(reader).status, LogStatus::kOk);
      EXPECT_EQ(test::previousFrame(reader).status, LogStatus::kCorrupt) << at;
    }
    base[at] ^= std::byte{4};
  }
  ASSERT_EQ(reader.seek(0), LogStatus::kOk);
  EXPECT_EQ(readOn(reader, true).payloads.size(), 3U);
}

TEST(LogReader, aPositionBehindALogThatWasCutBackIsNoCursor) {
  const TestLog log(4096);
  LogAppender appender(log.writer(), {});
  for (std::uint64_t i = 0; i < 5; ++i) ASSERT_EQ(appender.append(makePayload(i, 20)), LogStatus::kOk);
  LogReader reader(log.reader());
  (void)readOn(reader);
  const Word64 size = appender.log().word(kLogOffsetSize);
  size.storeRelease(512 + 2 * 24);
  EXPECT_EQ(test::nextFrame(reader).status, LogStatus::kCursor);
  EXPECT_EQ(test::previousFrame(reader).status, LogStatus::kCursor);
  EXPECT_EQ(reader.seek(5 * 24), LogStatus::kCursor);
  EXPECT_TRUE(reader.ready());
  EXPECT_EQ(reader.committed(), 48U);
  ASSERT_EQ(reader.seek(24), LogStatus::kOk);
  EXPECT_EQ(test::nextFrame(reader).payload, makePayload(1, 20));
  EXPECT_EQ(test::nextFrame(reader).status, LogStatus::kNone);
  // In front of the first frame there is nothing at all.
  size.storeRelease(100);
  EXPECT_EQ(reader.committed(), 0U);
  EXPECT_EQ(reader.seek(0), LogStatus::kCursor);
  EXPECT_EQ(test::nextFrame(reader).status, LogStatus::kCursor);
}

TEST(LogReader, aSizePastTheFileIsATruncation) {
  const TestLog log(4096);
  LogAppender appender(log.writer(), {});
  ASSERT_EQ(appender.append(makePayload(1, 20)), LogStatus::kOk);
  for (const std::uint64_t size : {std::uint64_t{4097}, std::uint64_t{1} << 40U, UINT64_MAX}) {
    LogReader reader(log.reader());
    appender.log().word(kLogOffsetSize).storeRelease(size);
    EXPECT_LE(reader.committed() + 512, std::max<std::uint64_t>(kPage, 4096));
    EXPECT_EQ(test::nextFrame(reader).status, LogStatus::kGone);
    EXPECT_EQ(reader.seek(24), LogStatus::kGone);
    appender.log().word(kLogOffsetSize).storeRelease(512 + 24);
    EXPECT_EQ(test::nextFrame(reader).status, LogStatus::kGone) << "for good";
  }
}

TEST(LogReader, seeksInALongLogFromWhereverItHasBeen) {
  Random random;
  const RandomLog log(random, test::kWide, 300, 60'000);  // several of the distances at which starts are remembered
  LogReader reader(log.open());
  (void)readOn(reader);
  for (int i = 0; i < 500; ++i) {
    const std::size_t frame = random.below(300);
    ASSERT_EQ(reader.seek(log.starts[frame]), LogStatus::kOk);
    if (random.percent(30)) {
      ASSERT_EQ(test::nextFrame(reader).payload, log.payloads[frame]);
    }
    ASSERT_EQ(reader.seek(log.starts[random.below(300)] + random.between(1, 7)), LogStatus::kCursor);
  }
}

}  // namespace
}  // namespace strand
