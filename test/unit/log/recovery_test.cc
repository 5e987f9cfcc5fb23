#include "log/recovery.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "memory/little_endian.h"
#include "support/long_form.h"
#include "support/payload.h"
#include "support/random.h"
#include "support/test_log.h"

namespace strand {
namespace {

using namespace layout;
using test::FrameKind;
using test::makePayload;
using test::openLog;
using test::Payload;
using test::Random;
using test::readFile;
using test::TestLog;
using test::writeFile;
using ::testing::HasSubstr;

const std::uint64_t kPage = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));

/// A frame that can be told from all others, and of which no byte may be wrong.
Payload numbered(std::uint64_t number, std::uint64_t size) {
  Payload payload = makePayload(number, size + 8);
  storeLittle(payload.data(), number);
  return payload;
}

bool isNumbered(const Payload& payload, std::uint64_t number) {
  return payload.size() >= 8 && payload == numbered(number, payload.size() - 8);
}

/// Appends in one of the ways there are: one frame, several by one commit, or frames that were built in place.
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

test::Frames framesOf(const std::shared_ptr<LogFile>& log) {
  LogReader reader(log);
  return test::readOn(reader, true);
}

bool zeroBehind(const LogFile& log) {
  const std::byte* const base = log.data();
  return std::all_of(base + log.committed(), base + log.memory().file().size(),
                     [](std::byte byte) { return byte == std::byte{0}; });
}

TEST(BootId, isTheSameAllTheTimeAndNotZeroWhereTheSystemKnowsOne) {
  EXPECT_EQ(currentBootId(), currentBootId());
#if defined(__linux__)
  EXPECT_NE(currentBootId(), 0U);
#endif
}

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
  for (int i = 0; i < 3; ++i) {
    const auto log = afterPowerLoss();
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

// --- A process that is killed.

struct Killed {
  std::uint64_t acknowledged = 0;
  bool full = false;
};

/// Lets a child write frames from `next` on until it is killed, some time after it has committed `until` of them.
Killed writeUntilKilled(const LogOptions& options, std::uint64_t next, std::uint64_t until, const Random& seed) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw std::runtime_error("pipe");
  const pid_t child = fork();
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
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0) << status;
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
    const pid_t child = fork();
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
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    close(ends[0]);
    close(ends[1]);
    EXPECT_EQ(test::readAll(log.path).payloads.size(), 1U);
    const auto recovered = log.writer();
    EXPECT_TRUE(zeroBehind(*recovered));
    EXPECT_TRUE(isNumbered(framesOf(recovered).payloads.at(0), 0));
  }
}

// --- A machine that loses its power.

/// A disk behind the file: it holds what was flushed, and whatever else the system happened to write back.
class Disk {
 public:
  Disk(std::string path, Random random) : path_(std::move(path)), random_(std::move(random)) {}

  /// Begins a run that loses its power at one of its next steps.
  void begin(std::vector<std::byte> holds) {
    holds_ = std::move(holds);
    lost_.clear();
    stepsLeft_ = random_.between(1, 40);
  }
  void flushed(std::uint64_t at, std::uint64_t bytes) {
    // What was told is done; before that, any part of it was.
    step();
    const std::vector<std::byte> memory = readFile(path_);
    holds_.resize(memory.size());
    const std::uint64_t to = std::min<std::uint64_t>(at + bytes, memory.size());
    for (; at < to; at += kPage) copyPage(memory, at, holds_);
  }
  /// A moment at which power may be lost, or the system writes something back.
  void step() {
    if (--stepsLeft_ == 0) loseNow();
    if (lost() || random_.percent(60)) return;
    const std::vector<std::byte> memory = readFile(path_);
    if (random_.percent(30)) holds_.resize(memory.size());
    const std::uint64_t pages = (holds_.size() + kPage - 1) / kPage;
    for (std::uint64_t n = random_.below(3); n > 0; --n) {
      copyPage(memory, random_.percent(30) ? 0 : random_.below(pages) * kPage, holds_);
    }
  }
  void loseNow() {
    if (lost()) return;
    const std::vector<std::byte> memory = readFile(path_);
    std::vector<std::byte> left = holds_;
    if (random_.percent(60)) left.resize(memory.size());
    for (std::uint64_t at = 0; at < left.size(); at += kPage) {
      if (random_.percent(50)) copyPage(memory, at, left);
    }
    // The header as it was a few stores ago.
    const std::uint64_t older = random_.below(3);
    if (older > 0) std::copy_n(holds_.begin() + kLogOffsetBoot, 8, left.begin() + kLogOffsetBoot);
    if (older > 1) std::copy_n(holds_.begin() + kLogOffsetDurable, 8, left.begin() + kLogOffsetDurable);
    lost_ = std::move(left);
  }

  [[nodiscard]] bool lost() const { return !lost_.empty(); }
  /// What the machine finds when it is on again.
  [[nodiscard]] const std::vector<std::byte>& leftovers() const { return lost_; }

 private:
  static void copyPage(const std::vector<std::byte>& from, std::uint64_t at, std::vector<std::byte>& to) {
    const std::uint64_t end = std::min<std::uint64_t>({at + kPage, from.size(), to.size()});
    for (; at < end; ++at) to[at] = from[at];
  }

  std::string path_;
  Random random_;
  std::vector<std::byte> holds_;
  std::vector<std::byte> lost_;
  std::uint64_t stepsLeft_ = 0;
};

class PowerLoss : public ::testing::Test {
 protected:
  using Kind = Durability::Kind;

  /// Runs one log through a few losses of power.
  void run(const FrameKind& frames, std::vector<Kind> kinds, Random random) {
    const TestLog log(3 * kPage, frames, 10 * kPage);
    Disk disk(log.path, random.fork(1));
    LogOptions options = log.options;
    options.onFlush = [&](std::uint64_t at, std::uint64_t bytes) { disk.flushed(at, bytes); };
    std::vector<Payload> committed;  // as far as anybody can have seen
    std::size_t safe = 0;            // of these, what must not get lost
    const std::uint64_t frameOverhead = log.reader()->format().overhead();
    const std::uint64_t odd = random.percent(70) ? 1 : 30;
    disk.begin(readFile(log.path));
    options.bootId = 1000;  // another than the one that made it
    for (int machine = 0; machine < 5; ++machine, ++options.bootId) {
      const auto open = [&]() -> std::shared_ptr<LogFile> {
        Fault fault;
        auto file = LogFile::open(options, fault);
        EXPECT_NE(file, nullptr) << fault.message;
        return file;
      };
      auto file = open();
      if (file == nullptr) return;
      if (!disk.lost()) {
        expectPrefix(framesOf(file), committed, safe);
        ASSERT_TRUE(zeroBehind(*file));
        if (HasFailure()) return;
        // Recovery has flushed what it kept.
        safe = committed.size();
      }
      Kind kind = random.pick(kinds);
      auto appender = std::make_unique<LogAppender>(file, durable(kind));
      while (!disk.lost()) {
        if (random.percent(15)) {
          // The process dies, in the middle of a commit or not; the machine goes on.
          abandon(*appender, random);
          disk.step();
          if (disk.lost()) break;
          appender.reset();
          file.reset();
          file = open();
          if (file == nullptr || disk.lost()) break;
          expectPrefix(framesOf(file), committed, committed.size());
          if (HasFailure()) return;
          kind = random.pick(kinds);
          appender = std::make_unique<LogAppender>(file, durable(kind));
        }
        std::vector<std::uint64_t> sizes(random.between(1, 3));
        std::uint64_t number = next_;
        for (std::uint64_t& size : sizes) {
          // In most logs frames begin where pages do, and where others began in an earlier life: what must not come back
          // has the best chances then.
          size = random.percent(odd) ? random.below(2 * kPage) : 512 * random.between(1, 2) - 8 - frameOverhead;
          committed.push_back(numbered(number++, size));
        }
        const LogStatus status = putNumbered(*appender, next_, sizes, random.below(3));
        next_ = number;
        if (status != LogStatus::kOk) {
          ASSERT_EQ(status, LogStatus::kFull);
          // Some of them may be in: those that were committed one by one.
          if (!disk.lost()) {
            committed.resize(framesOf(file).payloads.size());
            disk.loseNow();
          }
          break;
        }
        if (disk.lost()) break;
        if (kind == Kind::kCommit) safe = committed.size();
        if (random.percent(10)) {
          ASSERT_EQ(appender->flush(), LogStatus::kOk);
          if (!disk.lost()) safe = committed.size();
        }
        disk.step();
      }
      appender.reset();
      file.reset();
      writeFile(log.path, disk.leftovers());
      disk.begin(disk.leftovers());
    }
  }

  static Durability durable(Kind kind) { return {kind, std::chrono::hours(1)}; }

  /// Leaves frames behind that look as if they were about to be committed.
  void abandon(LogAppender& appender, Random& random) {
    const FrameFormat& format = appender.log().format();
    for (std::uint64_t n = random.below(4); n > 0; --n) {
      const Payload payload = numbered(next_++, random.below(600));
      std::uint64_t at = 0;
      if (appender.allocate(payload.size(), false, at) != LogStatus::kOk) return;
      std::byte* const base = appender.log().memory().data();
      std::copy(payload.begin(), payload.end(), base + at + format.lead());
      if (format.checked && random.percent(80)) format.storeChecksum(base, at, payload.size() + format.overhead());
    }
  }

  /// Checks what was found, and takes it for what there is from now on.
  static void expectPrefix(const test::Frames& found, std::vector<Payload>& committed, std::size_t safe) {
    EXPECT_EQ(found.last, LogStatus::kNone);
    ASSERT_GE(found.payloads.size(), safe);
    ASSERT_LE(found.payloads.size(), committed.size());
    for (std::size_t i = 0; i < found.payloads.size(); ++i) ASSERT_TRUE(found.payloads[i] == committed[i]) << i;
    committed.resize(found.payloads.size());
  }

  void runMany(const FrameKind& frames, const std::vector<Kind>& kinds, std::uint64_t shortRounds) {
    const Random seed;
    const std::uint64_t rounds = test::longForm() ? 3000 : shortRounds;
    for (std::uint64_t round = 0; round < rounds; ++round) {
      SCOPED_TRACE("round " + std::to_string(round));
      run(frames, kinds, seed.fork(round));
      if (HasFailure()) return;
    }
  }

  std::uint64_t next_ = 0;
};

TEST_F(PowerLoss, takesNothingThatWasFlushedOnCommit) {
  for (const FrameKind& frames : test::kFrameKinds) runMany(frames, {Kind::kCommit}, 12);
}

TEST_F(PowerLoss, ofCheckedFramesLeavesAPrefixWhateverWasFlushed) {
  runMany(test::kChecked, {Kind::kNone, Kind::kEvery, Kind::kCommit}, 300);
}

}  // namespace
}  // namespace strand
