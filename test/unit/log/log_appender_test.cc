#include "log/log_appender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "memory/little_endian.h"
#include "support/file_size_limit.h"
#include "support/page.h"
#include "support/payload.h"
#include "support/random.h"
#include "support/test_log.h"

namespace strand {
namespace {

using namespace layout;
using test::kChecked;
using test::kNarrow;
using test::kPage;
using test::kWide;
using test::makePayload;
using test::openLog;
using test::Payload;
using test::readAll;
using test::reading;
using test::TestLog;
using test::writing;
using ::testing::HasSubstr;

constexpr Durability kNone{};
constexpr Durability kOnCommit{Durability::Kind::kCommit, {}};

/// Lays out a frame and fills it.
LogStatus put(LogAppender& appender, const Payload& payload, bool debugChecks = false) {
  std::uint64_t at = 0;
  const LogStatus status = appender.allocate(payload.size(), debugChecks, at);
  if (status != LogStatus::kOk) return status;
  EXPECT_EQ(at + payload.size() + appender.log().format().overhead(), appender.end());
  std::copy(payload.begin(), payload.end(), appender.log().memory().data() + at + appender.log().format().lead());
  return status;
}

class EveryFrame : public ::testing::TestWithParam<test::FrameKind> {};

INSTANTIATE_TEST_SUITE_P(, EveryFrame, ::testing::ValuesIn(test::kFrameKinds),
                         [](const auto& kind) { return kind.param.name; });

TEST_P(EveryFrame, isSeenOnceCommittedAndNotBefore) {
  const TestLog log(4096, GetParam());
  LogAppender appender(log.writer(), kNone);
  LogReader reader(log.reader());
  std::vector<Payload> expected;
  for (std::uint64_t commit = 0; commit < 4; ++commit) {
    for (std::uint64_t i = 0; i <= commit; ++i) {
      expected.push_back(makePayload(commit * 10 + i, 20));
      ASSERT_EQ(put(appender, expected.back()), LogStatus::kOk);
      EXPECT_EQ(test::nextFrame(reader).status, LogStatus::kNone);
      EXPECT_FALSE(reader.ready());
    }
    ASSERT_EQ(appender.commit(), LogStatus::kOk);
    EXPECT_TRUE(reader.ready());
    for (std::uint64_t i = 0; i <= commit; ++i) {
      const test::OneFrame frame = test::nextFrame(reader, true);
      ASSERT_EQ(frame.status, LogStatus::kOk);
      EXPECT_EQ(frame.payload, expected[expected.size() - 1 - commit + i]);
    }
  }
  EXPECT_EQ(readAll(log.path).payloads, expected);
}

TEST_P(EveryFrame, isTheSameHoweverItWasAppended) {
  test::Random random;
  std::vector<Payload> payloads;
  std::uint64_t largest = 0;
  for (std::uint64_t i = 0; i < 40; ++i) {
    payloads.push_back(makePayload(i, random.below(200)));
    largest = std::max<std::uint64_t>(largest, payloads.back().size());
  }
  const TestLog appended(20'000, GetParam());
  const TestLog allocated(20'000, GetParam());
  const TestLog adopted(20'000, GetParam());
  LogAppender one(appended.writer(), kNone);
  LogAppender other(allocated.writer(), kNone);
  LogAppender third(adopted.writer(), kNone);
  std::vector<std::uint32_t> lengths;
  std::uint64_t at = third.nextPayload();
  for (const Payload& payload : payloads) {
    ASSERT_EQ(one.append(payload), LogStatus::kOk);
    ASSERT_EQ(put(other, payload), LogStatus::kOk);
    std::copy(payload.begin(), payload.end(), third.log().memory().data() + at);
    at += payload.size() + third.log().format().overhead();
    lengths.push_back(static_cast<std::uint32_t>(payload.size()));
  }
  ASSERT_EQ(other.commit(), LogStatus::kOk);
  ASSERT_EQ(third.adopt(lengths), LogStatus::kOk);
  EXPECT_EQ(readAll(appended.path).payloads, payloads);
  EXPECT_TRUE(appended.bytes() == allocated.bytes());
  EXPECT_TRUE(appended.bytes() == adopted.bytes());
}

TEST_P(EveryFrame, fillsTheFileToItsLastByteAndNotFurther) {
  const std::uint64_t overhead = TestLog(4096, GetParam()).reader()->format().overhead();
  const TestLog log(512 + 5 * (overhead + 100) + overhead, GetParam());
  LogAppender appender(log.writer(), kNone);
  ASSERT_EQ(appender.reserve(0, 1), LogStatus::kOk);
  for (std::uint64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(appender.room(), static_cast<std::int64_t>((5 - i) * (overhead + 100)));
    ASSERT_EQ(appender.append(makePayload(i, 100)), LogStatus::kOk);
  }
  EXPECT_EQ(appender.room(), 0);
  EXPECT_EQ(appender.append(makePayload(0, 1)), LogStatus::kFull);
  EXPECT_THAT(appender.fault().message, HasSubstr("Shared memory exhausted: '" + log.path + "'"));
  EXPECT_THAT(appender.fault().message, HasSubstr(std::to_string(overhead) + " are free"));
  EXPECT_THAT(appender.fault().message, HasSubstr(std::to_string(overhead + 1) + " are needed"));
  ASSERT_EQ(appender.append({}), LogStatus::kOk) << "what fits still goes in";
  EXPECT_LT(appender.room(), 0);
  EXPECT_EQ(appender.append({}), LogStatus::kFull);
  EXPECT_EQ(appender.adopt(std::vector<std::uint32_t>{0}), LogStatus::kFull);
  EXPECT_EQ(appender.commit(), LogStatus::kOk);
  EXPECT_EQ(readAll(log.path).payloads.size(), 6U);
  EXPECT_EQ(std::filesystem::file_size(log.path), appender.end());
}

TEST_P(EveryFrame, appendsGoOnWhereTheLastWriterEnded) {
  const TestLog log(4096, GetParam());
  std::vector<Payload> expected;
  for (std::uint64_t writer = 0; writer < 5; ++writer) {
    LogAppender appender(log.writer(), kNone);
    expected.push_back(makePayload(writer, 30 + writer));
    ASSERT_EQ(appender.append(expected.back()), LogStatus::kOk);
    // Given up with the writer.
    ASSERT_EQ(put(appender, makePayload(99, 200)), LogStatus::kOk);
  }
  EXPECT_EQ(readAll(log.path).payloads, expected);
}

TEST_P(EveryFrame, thatWasGivenUpIsClearedByTheNextWriter) {
  const TestLog log(4096, GetParam());
  {
    LogAppender appender(log.writer(), kNone);
    ASSERT_EQ(appender.append(makePayload(1, 50)), LogStatus::kOk);
    for (int i = 0; i < 3; ++i) ASSERT_EQ(put(appender, Payload(100, std::byte{0xEE})), LogStatus::kOk);
  }
  const auto bytes = log.bytes();
  EXPECT_GE(std::count(bytes.begin(), bytes.end(), std::byte{0xEE}), 300);
  const auto next = log.writer();
  const auto cleared = log.bytes();
  const auto end = static_cast<std::ptrdiff_t>(next->committed());
  EXPECT_TRUE(std::all_of(cleared.begin() + end, cleared.end(), [](std::byte byte) { return byte == std::byte{0}; }));
  EXPECT_TRUE(std::equal(cleared.begin() + 512, cleared.begin() + end, bytes.begin() + 512));
}

TEST(LogAppender, takesFramesFromNothingToTheLargest) {
  const TestLog log(200'000);
  LogAppender appender(log.writer(), kNone);
  std::vector<Payload> expected;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{65530}, std::size_t{65531}}) {
    expected.push_back(makePayload(size, size));
    ASSERT_EQ(appender.append(expected.back()), LogStatus::kOk);
  }
  EXPECT_EQ(appender.append(makePayload(0, 65532)), LogStatus::kTooLarge);
  std::uint64_t at = 0;
  EXPECT_EQ(appender.allocate(65532, false, at), LogStatus::kTooLarge);
  EXPECT_EQ(appender.adopt(std::vector<std::uint32_t>{1, 65532, 1}), LogStatus::kTooLarge);
  EXPECT_EQ(readAll(log.path).payloads, expected);
}

TEST(LogAppender, wideFramesHoldAGibibyteAndNoMore) {
  for (const test::FrameKind& kind : {kWide, kChecked}) {
    const TestLog log(4096, kind);
    LogAppender appender(log.writer(), kNone);
    std::uint64_t at = 0;
    EXPECT_EQ(appender.allocate(std::uint64_t{1} << 30U, false, at), LogStatus::kFull);
    EXPECT_EQ(appender.allocate((std::uint64_t{1} << 30U) + 1, false, at), LogStatus::kTooLarge);
    EXPECT_EQ(appender.adopt(std::vector<std::uint32_t>{(1U << 30U) + 1}), LogStatus::kTooLarge);
    ASSERT_EQ(appender.append(makePayload(1, 1000)), LogStatus::kOk);
  }
}

TEST(LogAppender, growsUnderOpenReadersUpToTheMost) {
  constexpr std::uint64_t kMost = 5U << 20U;
  const TestLog log(4096, kWide, kMost);
  LogAppender appender(log.writer(), kNone);
  LogReader reader(log.reader());
  std::vector<Payload> expected;
  std::uint64_t lastSize = 4096;
  for (std::uint64_t i = 0;; ++i) {
    Payload payload = makePayload(i, 70'000);
    const LogStatus status = appender.append(payload);
    const std::uint64_t size = std::filesystem::file_size(log.path);
    EXPECT_GE(size, lastSize);
    lastSize = size;
    if (status == LogStatus::kFull) break;
    ASSERT_EQ(status, LogStatus::kOk);
    const test::OneFrame frame = test::nextFrame(reader, true);
    ASSERT_EQ(frame.status, LogStatus::kOk);
    ASSERT_TRUE(frame.payload == payload);
    expected.push_back(std::move(payload));
  }
  EXPECT_EQ(expected.size(), (kMost - 512) / 70'008);
  EXPECT_EQ(std::filesystem::file_size(log.path), kMost);
  ASSERT_EQ(appender.append(makePayload(0, kMost - appender.end() - 8)), LogStatus::kOk) << "to the last byte";
  ASSERT_EQ(appender.close(), LogStatus::kOk);
  EXPECT_EQ(readAll(log.path).payloads.size(), expected.size() + 1);
  LogAppender next(log.writer(), kNone);
  EXPECT_EQ(next.append({}), LogStatus::kFull);
}

TEST(LogAppender, growsByWhatIsNeededWhereTheDiskHasNoMore) {
  const TestLog log(4096, kNarrow, 10U << 20U);
  LogAppender appender(log.writer(), kNone);
  const test::FileSizeLimit limit(20'000);
  ASSERT_EQ(appender.append(makePayload(1, 10'000)), LogStatus::kOk);
  EXPECT_EQ(std::filesystem::file_size(log.path), 512U + 10'004);
  EXPECT_EQ(appender.append(makePayload(2, 10'000)), LogStatus::kFile);
  EXPECT_THAT(appender.fault().message, HasSubstr(log.path));
  ASSERT_EQ(appender.append(makePayload(3, 5'000)), LogStatus::kOk) << "stays usable";
  EXPECT_EQ(readAll(log.path).payloads, (std::vector<Payload>{makePayload(1, 10'000), makePayload(3, 5'000)}));
}

TEST(LogAppender, reservesForFramesThatAreLaidOutLater) {
  const TestLog log(4096, kNarrow, 1U << 20U);
  LogAppender appender(log.writer(), kNone);
  ASSERT_EQ(appender.reserve(100'000, 10), LogStatus::kOk);
  EXPECT_GE(appender.room(), 100'000 + 9 * 4);
  EXPECT_EQ(appender.reserve(1U << 20U, 1), LogStatus::kFull);
  EXPECT_EQ(appender.end(), 512U);
}

TEST(LogAppender, givesAnAppendedFrameUpIfItsCommitFails) {
  const TestLog log(4096, kChecked);
  LogAppender appender(log.writer(), kNone);
  std::uint64_t at = 0;
  ASSERT_EQ(appender.allocate(8, false, at), LogStatus::kOk);
  appender.log().memory().data()[at] = std::byte{0};  // a length that leads nowhere
  const std::uint64_t end = appender.end();
  EXPECT_EQ(appender.append(makePayload(1, 10)), LogStatus::kCorrupt);
  EXPECT_EQ(appender.end(), end);
}

TEST(LogAppender, commitsNothingWithoutAllocatedFrames) {
  const TestLog log;
  LogAppender appender(log.writer(), kNone);
  EXPECT_EQ(appender.commit(), LogStatus::kOk);
  EXPECT_EQ(appender.adopt({}), LogStatus::kOk);
  EXPECT_EQ(log.reader()->committed(), 512U);
}

TEST(LogAppender, isClosedForGood) {
  const TestLog log;
  LogAppender appender(log.writer(), kNone);
  ASSERT_EQ(put(appender, makePayload(1, 10)), LogStatus::kOk);
  EXPECT_EQ(appender.close(), LogStatus::kOk);
  EXPECT_TRUE(appender.closed());
  EXPECT_EQ(appender.close(), LogStatus::kOk);
  EXPECT_LT(appender.room(), 0);
  std::uint64_t at = 0;
  EXPECT_EQ(appender.allocate(1, false, at), LogStatus::kClosed);
  EXPECT_EQ(appender.commit(), LogStatus::kClosed);
  EXPECT_EQ(appender.append({}), LogStatus::kClosed);
  EXPECT_EQ(appender.adopt({}), LogStatus::kClosed);
  EXPECT_EQ(appender.flush(), LogStatus::kClosed);
  EXPECT_TRUE(readAll(log.path).payloads.empty());
}

TEST(LogAppender, debugChecksNoticeANeighbourThatWasWrittenOver) {
  for (const test::FrameKind& kind : test::kFrameKinds) {
    const TestLog log(4096, kind);
    LogAppender appender(log.writer(), kNone);
    std::uint64_t at = 0;
    for (int i = 0; i < 3; ++i) ASSERT_EQ(appender.allocate(10, true, at), LogStatus::kOk);
    const std::uint64_t overhead = appender.log().format().overhead();
    std::byte* const base = appender.log().memory().data();
    for (const std::uint64_t damaged : {at, at + 10 + overhead - 1, at + 10 + overhead - 2}) {
      const std::byte before = base[damaged];
      base[damaged] ^= std::byte{1};
      std::uint64_t ignored = 0;
      EXPECT_EQ(appender.allocate(10, true, ignored), LogStatus::kCorrupt) << kind.name << ' ' << damaged;
      base[damaged] = before;
    }
    EXPECT_EQ(appender.allocate(10, true, at), LogStatus::kOk);
    EXPECT_EQ(appender.commit(), LogStatus::kOk);
    EXPECT_EQ(readAll(log.path).payloads.size(), 4U);
  }
}

TEST(LogAppender, refusesToSealFramesWhoseLengthsNoLongerAddUp) {
  const TestLog log(4096, kChecked);
  LogAppender appender(log.writer(), kNone);
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  ASSERT_EQ(appender.allocate(10, false, first), LogStatus::kOk);
  ASSERT_EQ(appender.allocate(10, false, second), LogStatus::kOk);
  storeLittle<std::uint32_t>(appender.log().memory().data() + second, 5);
  EXPECT_EQ(appender.commit(), LogStatus::kCorrupt);
  EXPECT_TRUE(readAll(log.path).payloads.empty());
}

TEST(LogAppender, aPlainLogIsWrittenOn) {
  const TestLog log(100);
  std::vector<Payload> expected;
  for (std::uint64_t i = 0; i < 4; ++i) {
    LogAppender appender(log.writer(), kOnCommit);
    expected.push_back(makePayload(i, 15));
    ASSERT_EQ(appender.append(expected.back()), LogStatus::kOk);
  }
  EXPECT_EQ(log.writer()->committed(), 24U + 4 * 19);
  LogAppender appender(log.writer(), kNone);
  EXPECT_EQ(appender.append({}), LogStatus::kFull);
  EXPECT_EQ(readAll(log.path).payloads, expected);
}

struct Flushes {
  struct Range {
    std::uint64_t from;
    std::uint64_t to;
    bool operator==(const Range&) const = default;
  };
  std::vector<Range> ranges;

  [[nodiscard]] LogOptions observing(LogOptions options) {
    options.onFlush = [this](std::uint64_t at, std::uint64_t bytes) { ranges.push_back({at, at + bytes}); };
    return options;
  }
};

TEST(LogAppender, onCommitFlushesFramesBeforeTheHeaderThatSpeaksOfThem) {
  const TestLog log(20 * kPage, kWide);
  Flushes flushes;
  LogAppender appender(openLog(flushes.observing(log.options)), kOnCommit);
  ASSERT_EQ(appender.append(makePayload(1, 3 * kPage - 512 - 8)), LogStatus::kOk);
  flushes.ranges.clear();
  ASSERT_EQ(appender.append(makePayload(2, 2 * kPage)), LogStatus::kOk);
  EXPECT_EQ(flushes.ranges, (std::vector<Flushes::Range>{{3 * kPage, 6 * kPage}, {0, kPage}}));
  EXPECT_EQ(appender.log().word(kLogOffsetDurable).loadAcquire(), appender.end());
}

TEST(LogAppender, onCommitFlushesWhatAnEarlierWriterLeftToTheSystem) {
  const TestLog log(20 * kPage, kWide);
  {
    LogAppender earlier(log.writer(), kNone);
    ASSERT_EQ(earlier.append(makePayload(1, 5 * kPage)), LogStatus::kOk);
  }
  Flushes flushes;
  LogAppender appender(openLog(flushes.observing(log.options)), kOnCommit);
  flushes.ranges.clear();
  ASSERT_EQ(appender.append(makePayload(2, 10)), LogStatus::kOk);
  ASSERT_EQ(appender.log().word(kLogOffsetDurable).loadAcquire(), appender.end());
  ASSERT_FALSE(flushes.ranges.empty());
  EXPECT_EQ(flushes.ranges[0], (Flushes::Range{0, 6 * kPage}));
}

TEST(LogAppender, withoutDurabilityFlushesNothingUnlessAsked) {
  const TestLog log(20 * kPage, kWide);
  Flushes flushes;
  LogAppender appender(openLog(flushes.observing(log.options)), kNone);
  flushes.ranges.clear();
  ASSERT_EQ(appender.append(makePayload(1, 3 * kPage)), LogStatus::kOk);
  EXPECT_TRUE(flushes.ranges.empty());
  ASSERT_EQ(appender.flush(), LogStatus::kOk);
  EXPECT_EQ(flushes.ranges, (std::vector<Flushes::Range>{{0, 4 * kPage}, {0, kPage}}));
  ASSERT_EQ(appender.flush(), LogStatus::kOk);
  EXPECT_EQ(flushes.ranges.size(), 2U) << "nothing is left to flush";
  ASSERT_EQ(appender.append({}), LogStatus::kOk);
  ASSERT_EQ(appender.close(), LogStatus::kOk);
  EXPECT_EQ(flushes.ranges.size(), 2U);
}

TEST(LogAppender, anIntervalsLastFramesAreFlushedByClosing) {
  const TestLog log(20 * kPage, kWide);
  Flushes flushes;
  LogAppender appender(openLog(flushes.observing(log.options)), {Durability::Kind::kEvery, std::chrono::hours(1)});
  flushes.ranges.clear();
  ASSERT_EQ(appender.append(makePayload(1, 3 * kPage)), LogStatus::kOk);
  EXPECT_TRUE(flushes.ranges.empty());
  ASSERT_EQ(appender.close(), LogStatus::kOk);
  EXPECT_EQ(flushes.ranges, (std::vector<Flushes::Range>{{0, 4 * kPage}, {0, kPage}}));
}

TEST(LogFlusher, flushesInTheBackgroundWhatIsCommitted) {
  const TestLog log(20 * kPage, kWide);
  LogOptions options = log.options;
  std::mutex mutex;
  std::condition_variable flushed;
  // The last flush of a round is the header's, behind the store of DURABLE.
  options.onFlush = [&](std::uint64_t, std::uint64_t) {
    const std::lock_guard lock(mutex);
    flushed.notify_all();
  };
  const auto file = openLog(options);
  LogAppender appender(file, {Durability::Kind::kEvery, std::chrono::milliseconds(1)});
  for (std::uint64_t i = 0; i < 3; ++i) {
    ASSERT_EQ(appender.append(makePayload(i, 100)), LogStatus::kOk);
    std::unique_lock lock(mutex);
    flushed.wait(lock, [&] { return file->word(kLogOffsetDurable).loadAcquire() == appender.end(); });
  }
}

TEST(TruncatedWriter, saysThatTheFileIsGoneAndGetsNoSignal) {
  for (const test::FrameKind& kind : test::kFrameKinds) {
    const TestLog log(20 * kPage, kind);
    LogAppender appender(log.writer(), kNone);
    ASSERT_EQ(appender.append(makePayload(1, 100)), LogStatus::kOk);
    ASSERT_EQ(truncate(log.path.c_str(), 0), 0);
    LogStatus status = LogStatus::kOk;
    for (int i = 0; i < 3 && status == LogStatus::kOk; ++i) status = appender.append(makePayload(2, 2 * kPage));
    EXPECT_EQ(status, LogStatus::kGone);
    EXPECT_EQ(appender.append({}), LogStatus::kGone);
    EXPECT_EQ(appender.commit(), LogStatus::kGone);
    EXPECT_EQ(appender.flush(), LogStatus::kGone);
    EXPECT_EQ(appender.close(), LogStatus::kOk);
    EXPECT_EQ(std::filesystem::file_size(log.path), 0U) << "it is not put back";
  }
}

TEST(TruncatedWriter, doesNotGrowAFileThatWasCut) {
  const TestLog log(4096, kNarrow, 1U << 20U);
  LogAppender appender(log.writer(), kNone);
  ASSERT_EQ(appender.append(makePayload(1, 2000)), LogStatus::kOk);
  ASSERT_EQ(truncate(log.path.c_str(), 1000), 0);
  EXPECT_EQ(appender.append(makePayload(2, 10'000)), LogStatus::kGone);
  EXPECT_EQ(appender.append({}), LogStatus::kGone);
  EXPECT_EQ(std::filesystem::file_size(log.path), 1000U);
}

}  // namespace
}  // namespace strand
