#include "log/log_watch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "support/child_process.h"
#include "support/payload.h"
#include "support/test_log.h"

namespace strand {
namespace {

using namespace layout;
using test::makePayload;
using test::openLog;
using test::reading;
using test::TestLog;

/// An event loop: it sleeps until one of its waiters has fired.
class Loop final : public wait::AsyncSink {
 public:
  void wake() noexcept override {
    const std::lock_guard lock(mutex_);
    ++wakes_;
    woken_.notify_all();
  }
  void awaitFired(wait::AsyncWaiter& waiter) {
    std::unique_lock lock(mutex_);
    woken_.wait(lock, [&] { return waiter.fired.exchange(false); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable woken_;
  int wakes_ = 0;
};

/// What the binding does for a reader that waits: registers, holds the watch, and tests behind both.
class WaitingReader {
 public:
  explicit WaitingReader(const std::string& path)
      : log_(openLog(reading(path))),
        reader_(log_),
        watch_(std::make_shared<LogWatch>(log_)),
        waiter_(loop_, watch_->address()) {
    wait::AsyncTable::instance().add(waiter_);
    EXPECT_TRUE(watch_->hold());
  }
  WaitingReader(const WaitingReader&) = delete;
  WaitingReader& operator=(const WaitingReader&) = delete;
  ~WaitingReader() { end(); }

  void end() {
    if (watch_ == nullptr) return;
    wait::AsyncTable::instance().remove(waiter_);
    watch_->release();
    watch_.reset();
  }
  test::OneFrame next() {
    for (;;) {
      if (reader_.ready()) return test::nextFrame(reader_);
      loop_.awaitFired(waiter_);
    }
  }
  [[nodiscard]] LogWatch& watch() const { return *watch_; }
  [[nodiscard]] std::weak_ptr<LogWatch> weakly() const { return watch_; }

 private:
  std::shared_ptr<LogFile> log_;
  LogReader reader_;
  std::shared_ptr<LogWatch> watch_;
  Loop loop_;
  wait::AsyncWaiter waiter_;
};

TEST(LogWatch, isWokenByCommitsOfAnotherProcess) {
  const TestLog log(20'000);
  std::unique_ptr<LogAppender> appender;  // of the child
  const test::Child child([&](std::uint64_t i) {
    if (appender == nullptr) appender = std::make_unique<LogAppender>(openLog(log.options), Durability{});
    if (appender->append(makePayload(i, 20)) != LogStatus::kOk) _exit(1);
  });
  WaitingReader reader(log.path);
  for (std::uint64_t i = 0; i < 20; ++i) {
    child.go();
    EXPECT_EQ(reader.next().payload, makePayload(i, 20));
  }
}

TEST(LogWatch, isWokenByCommitsOfThisProcess) {
  const TestLog log(20'000);
  LogAppender appender(log.writer(), {});
  WaitingReader reader(log.path);
  for (std::uint64_t i = 0; i < 20; ++i) {
    std::thread writer([&] { EXPECT_EQ(appender.append(makePayload(i, 20)), LogStatus::kOk); });
    EXPECT_EQ(reader.next().payload, makePayload(i, 20));
    writer.join();
  }
}

TEST(LogWatch, noticesAWriterThatOnlyStoresTheSize) {
  for (const std::uint64_t capacity : {300U, 4096U}) {  // with an event that it does not know, and without one
    const TestLog log(capacity);
    const test::Child child([&](std::uint64_t i) {
      const auto file = openLog(log.options);
      std::byte* const base = file->memory().data();
      const std::uint64_t end = file->committed();
      const std::uint64_t total = 10 + file->format().overhead();
      file->format().storeTotal(base + end, total);
      base[end + 2] = static_cast<std::byte>(i);
      file->format().storeTotal(base + end + total - 2, total);
      file->word(kLogOffsetSize).storeRelease(end + total);
    });
    WaitingReader reader(log.path);
    for (std::uint64_t i = 0; i < 3; ++i) {
      child.go();
      const test::OneFrame frame = reader.next();
      ASSERT_EQ(frame.payload.size(), 10U);
      EXPECT_EQ(frame.payload[0], static_cast<std::byte>(i));
    }
  }
}

TEST(LogWatch, noticesThatTheFileIsGone) {
  for (const std::uint64_t capacity : {300U, 4096U}) {
    const TestLog log(capacity);
    const test::Child child([&](std::uint64_t) { std::filesystem::resize_file(log.path, 0); });
    WaitingReader reader(log.path);
    child.go();
    EXPECT_EQ(reader.next().status, LogStatus::kGone);
  }
}

TEST(LogWatch, endsItsThreadWithTheLastHolder) {
  for (const std::uint64_t capacity : {300U, 4096U}) {
    const TestLog log(capacity);
    WaitingReader reader(log.path);
    const std::weak_ptr<LogWatch> watch = reader.weakly();
    ASSERT_TRUE(reader.watch().hold());
    reader.watch().release();
    LogAppender appender(log.writer(), {});
    ASSERT_EQ(appender.append(makePayload(1, 5)), LogStatus::kOk);
    EXPECT_EQ(reader.next().status, LogStatus::kOk) << "the other one still waits";
    reader.end();
    // The thread holds the watch as long as it runs.
    while (!watch.expired()) std::this_thread::yield();
  }
}

TEST(LogWatch, beginsAgainAfterItHasEnded) {
  const TestLog log(20'000);
  LogAppender appender(log.writer(), {});
  const auto file = openLog(reading(log.path));
  const auto watch = std::make_shared<LogWatch>(file);
  for (std::uint64_t i = 0; i < 50; ++i) {
    Loop loop;
    wait::AsyncWaiter waiter(loop, watch->address());
    wait::AsyncTable::instance().add(waiter);
    ASSERT_TRUE(watch->hold());
    ASSERT_EQ(appender.append(makePayload(i, 20)), LogStatus::kOk);
    loop.awaitFired(waiter);
    wait::AsyncTable::instance().remove(waiter);
    watch->release();
  }
}

}  // namespace
}  // namespace strand
