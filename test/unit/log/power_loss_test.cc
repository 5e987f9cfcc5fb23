#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "log/log_appender.h"
#include "support/long_form.h"
#include "support/numbered_frames.h"
#include "support/page.h"
#include "support/random.h"
#include "support/test_log.h"

namespace strand {
namespace {

using namespace layout;
using test::FrameKind;
using test::framesOf;
using test::kPage;
using test::numbered;
using test::Payload;
using test::putNumbered;
using test::Random;
using test::readFile;
using test::TestLog;
using test::writeFile;
using test::zeroBehind;

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
