#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include "log/log_appender.h"
#include "support/child_process.h"
#include "support/long_form.h"
#include "support/numbered_frames.h"
#include "support/random.h"
#include "support/test_log.h"

namespace strand {
namespace {

using test::FrameKind;
using test::framesOf;
using test::isNumbered;
using test::numbered;
using test::putNumbered;
using test::Random;
using test::TestLog;
using test::zeroBehind;

struct Killed {
  std::uint64_t acknowledged = 0;
  bool full = false;
};

/// Lets a child write frames from `next` on until it is killed, some time after it has committed `until` of them.
Killed writeUntilKilled(const LogOptions& options, std::uint64_t next, std::uint64_t until, const Random& seed) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw std::runtime_error("pipe");
  const pid_t child = test::forkAlone();
  if (child == 0) {
    Random random = seed.fork(1);
    close(ends[0]);
    Fault fault;
    LogAppender appender(LogFile::open(options, fault), {});
    for (;;) {
      std::vector<std::uint64_t> sizes(random.between(1, 4));
      for (std::uint64_t& size : sizes) size = random.percent(20) ? random.below(60'000) : random.below(300);
      const LogStatus status = putNumbered(appender, next, sizes, random.below(3));
      const std::uint64_t reached = status == LogStatus::kOk ? next + sizes.size() : UINT64_MAX;
      if (write(ends[1], &reached, sizeof reached) != sizeof reached) _exit(1);
      if (status != LogStatus::kOk) _exit(status == LogStatus::kFull ? 0 : 2);
      next = reached;
    }
  }
  close(ends[1]);
  Killed killed{next, false};
  const auto hear = [&] {
    std::uint64_t reached = 0;
    if (read(ends[0], &reached, sizeof reached) != sizeof reached) return false;
    if (reached == UINT64_MAX) {
      killed.full = true;
    } else {
      killed.acknowledged = reached;
    }
    return true;
  };
  while (killed.acknowledged < until && hear()) {
  }
  kill(child, SIGKILL);
  while (hear()) {
  }
  close(ends[0]);
  EXPECT_THAT(test::endOf(child), ::testing::AnyOf(0, 1000 + SIGKILL));
  return killed;
}

TEST(KilledWriter, leavesALogThatOpensWithEverythingThatItHadCommitted) {
  const Random seed;
  const std::uint64_t rounds = test::longForm() ? 1000 : 50;
  std::unique_ptr<TestLog> log;
  std::uint64_t next = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    Random random = seed.fork(round);
    if (log == nullptr) {
      log = std::make_unique<TestLog>(4096, random.pick(test::kFrameKinds), 3U << 20U);
      next = 0;
    }
    const Killed killed = writeUntilKilled(log->options, next, next + random.below(60), random);
    const auto recovered = log->writer();
    const test::Frames frames = framesOf(recovered);
    ASSERT_EQ(frames.last, LogStatus::kNone);
    ASSERT_GE(frames.payloads.size(), killed.acknowledged);
    for (std::size_t i = 0; i < frames.payloads.size(); ++i) ASSERT_TRUE(isNumbered(frames.payloads[i], i)) << i;
    ASSERT_TRUE(zeroBehind(*recovered));
    next = frames.payloads.size();
    if (killed.full) log.reset();
  }
}

TEST(KilledWriter, inTheMiddleOfAFrameLeavesNothingOfIt) {
  for (const FrameKind& kind : test::kFrameKinds) {
    const TestLog log(20'000, kind);
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    const pid_t child = test::forkAlone();
    if (child == 0) {
      Fault fault;
      LogAppender appender(LogFile::open(log.options, fault), {});
      (void)appender.append(numbered(0, 10));
      std::uint64_t at = 0;
      (void)appender.allocate(5000, false, at);
      std::fill_n(appender.log().memory().data() + at + 8, 2000, std::byte{0xAB});
      (void)write(ends[1], "x", 1);
      for (;;) pause();
    }
    char heard = 0;
    ASSERT_EQ(read(ends[0], &heard, 1), 1);
    EXPECT_EQ(test::refusalOf(log.options).code, FaultCode::kLocked);
    kill(child, SIGKILL);
    EXPECT_EQ(test::endOf(child), 1000 + SIGKILL);
    close(ends[0]);
    close(ends[1]);
    EXPECT_EQ(test::readAll(log.path).payloads.size(), 1U);
    const auto recovered = log.writer();
    EXPECT_TRUE(zeroBehind(*recovered));
    EXPECT_TRUE(isNumbered(framesOf(recovered).payloads.at(0), 0));
  }
}

}  // namespace
}  // namespace strand
