// What processes leave behind that die in the midst of something, on a strand that others go on using.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "layout/strand_layout.h"
#include "memory/little_endian.h"
#include "support/child_process.h"
#include "support/counting_sink.h"
#include "support/long_form.h"
#include "support/random.h"
#include "support/scratch_directory.h"
#include "support/test_strand.h"
#include "wait/async_table.h"

namespace strand {
namespace {

using namespace std::chrono_literals;
using test::endOfChild;
using test::holdsRecord;
using test::Random;
using test::TestStrand;
using test::tryWrite;
using ::testing::HasSubstr;

constexpr auto kPatience = 60s;
constexpr int kKilled = 1000 + SIGKILL;

class SharedDeaths : public ::testing::Test {
 protected:
  /// Lets another process do something with the strand and be killed in the end.
  void killed(const std::function<void(const TestStrand&)>& what) const {
    EXPECT_EQ(endOfChild([&] {
                const TestStrand strand(path_);
                what(strand);
                raise(SIGKILL);
              }),
              kKilled);
  }

  test::ScratchDirectory directory_;
  std::string path_ = directory_.path("strand");
};

/// Another process that does something, says so, and goes on; killed at the latest when the test ends.
class Standing {
 public:
  /// @param what is called in it with what to call once it is ready; what comes behind that is the process's end
  explicit Standing(const std::function<void(const std::function<void()>&)>& what) {
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe(ends.data()), 0);
    process_ = test::forkAlone();
    if (process_ == 0) {
      what([&] {
        if (write(ends[1], "x", 1) != 1) _exit(1);
      });
      _exit(0);
    }
    close(ends[1]);
    char ready = 0;
    EXPECT_EQ(read(ends[0], &ready, 1), 1) << "it ended before it was ready";
    close(ends[0]);
  }
  Standing(const Standing&) = delete;
  Standing& operator=(const Standing&) = delete;
  ~Standing() { end(); }

  void kill() const { ::kill(process_, SIGKILL); }
  /// Kills it. @return how it had ended, as endOfChild() says
  int end() {
    if (process_ < 0) return 0;
    kill();
    return test::endOf(std::exchange(process_, -1));
  }

 private:
  pid_t process_ = -1;
};

[[noreturn]] void standForEver() {
  for (;;) pause();
}

TEST_F(SharedDeaths, aWriterThatDiesEndsItsStreamWithAnErrorBehindWhatItCommitted) {
  killed([](const TestStrand& strand) {
    StrandWriter writer = strand.writer();
    std::uint64_t claimed = 0;
    if (writer.begin() != Status::kOk || tryWrite(writer, 0, 10) != Status::kOk ||
        tryWrite(writer, 1, 20) != Status::kOk || writer.claimSlots(2, claimed) != Status::kOk) {
      _exit(1);
    }
    raise(SIGKILL);
  });
  const TestStrand strand(path_);
  StrandView view = strand.view();
  const WaitResult result = view.wait(2, kPatience);
  EXPECT_EQ(result.progress, Progress::kEnded);
  EXPECT_EQ(result.committed, 2U);
  EXPECT_EQ(view.status(), StreamState::kError);
  EXPECT_THAT(view.errorReason(), HasSubstr("process ended"));
  EXPECT_TRUE(holdsRecord(view, 1, 20));
  StrandWriter next = strand.writer();
  EXPECT_EQ(next.begin(), Status::kOk);
  EXPECT_EQ(tryWrite(next, 2, 30), Status::kOk);
}

TEST_F(SharedDeaths, whoeverSleepsIsWokenWhenTheWriterDies) {
  const Standing producer([&](const auto& ready) {
    const TestStrand strand(path_);
    StrandWriter writer = strand.writer();
    (void)writer.begin();
    ready();
    standForEver();
  });
  const TestStrand strand(path_);
  StrandView view = strand.view();
  WaitResult result;
  std::thread sleeper([&] { result = test::sleepUntilNews(view, 0); });
  test::awaitSleeper(strand, layout::kOffsetDataEvent);
  EXPECT_EQ(view.producerStatus(), StreamState::kStreaming);
  producer.kill();
  sleeper.join();
  EXPECT_EQ(result.progress, Progress::kEnded);
  EXPECT_EQ(view.status(), StreamState::kError);
}

TEST_F(SharedDeaths, aWriterThatFinishedOrLivesIsNotTakenForDead) {
  EXPECT_EQ(endOfChild([&] {
              const TestStrand strand(path_);
              StrandWriter writer = strand.writer();
              (void)writer.finalize();
              writer.close();
            }),
            0);
  const test::Child other([&](std::uint64_t) {
    const TestStrand strand(path_);
    if (StrandWriter::endDead(strand.region, std::make_shared<StrandHeader>(strand.view().header()))) _exit(1);
  });
  const TestStrand strand(path_);
  const auto header = std::make_shared<StrandHeader>(strand.view().header());
  EXPECT_FALSE(StrandWriter::endDead(strand.region, header));
  EXPECT_EQ(strand.view().producerStatus(), StreamState::kEos);
  StrandWriter writer = strand.writer();
  EXPECT_FALSE(StrandWriter::endDead(strand.region, header));
  EXPECT_TRUE(other.does());
  EXPECT_EQ(writer.begin(), Status::kOk);
}

// Garbage collection of a writer is no end of its stream; that of its process is.
TEST_F(SharedDeaths, aWriterThatNobodyHoldsAnyMoreDiesWithItsProcess) {
  const Standing producer([&](const auto& ready) {
    {
      const TestStrand strand(path_);
      StrandWriter writer = strand.writer();
      (void)writer.begin();
      writer.detach();
    }
    ready();
    standForEver();
  });
  const TestStrand strand(path_);
  StrandView view = strand.view();
  EXPECT_FALSE(StrandWriter::endDead(strand.region, std::make_shared<StrandHeader>(view.header())));
  EXPECT_EQ(view.producerStatus(), StreamState::kStreaming);
  producer.kill();
  EXPECT_EQ(view.wait(0, kPatience).progress, Progress::kEnded);
  EXPECT_EQ(view.status(), StreamState::kError);
}

// A process that is stopped with the lock lets nobody come or go; what a consumer could not give back is found later.
TEST_F(SharedDeaths, aConsumerThatLeavesWhileTheSlotsAreLockedLeavesNoSlotBehind) {
  const TestStrand strand(path_);
  StrandView watching = strand.view();
  {
    StrandView view = strand.view();
    ConsumerToken token;
    ASSERT_EQ(view.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
    ConsumerToken kept;
    ASSERT_EQ(view.registerConsumer(StartAt::kOldest, 0, kept), Status::kOk);
    ASSERT_TRUE(strand.region.file()->lock(layout::kLockConsumers));
    EXPECT_EQ(view.releaseConsumer(token), Status::kBusy);
    // The other one goes with the view.
  }
  EXPECT_EQ(strand.words().active().loadAcquire(), 3U);
  strand.region.file()->unlock(layout::kLockConsumers);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (strand.words().active().loadAcquire() != 0) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::this_thread::yield();
  }
}

// OWNER, FAST_OWNER and FAST_BUSY as a process can leave them. Fence 3 is the last writer's that is known.
struct Left {
  const char* name;
  std::uint32_t fence;
  std::uint32_t state;
  std::uint32_t fastOwner;
  std::uint32_t fastBusy;
};
constexpr std::uint32_t kIdle = 0;
constexpr std::uint32_t kHeld = 1;
constexpr std::uint32_t kTaking = 2;

class WhatTheDeadLeft : public SharedDeaths, public ::testing::WithParamInterface<Left> {};
INSTANTIATE_TEST_SUITE_P(, WhatTheDeadLeft,
                         ::testing::Values(Left{"aFastOwnerThatFills", 3, kIdle, 3, 1},
                                           Left{"aFastOwnerBetweenBatches", 3, kIdle, 3, 0},
                                           Left{"anOwnerThatHolds", 3, kHeld, 0, 0},
                                           Left{"anOwnerThatHoldsBesideAFastOne", 3, kHeld, 2, 1},
                                           Left{"anAttemptThatWaitsForAFastOwner", 4, kTaking, 3, 1},
                                           Left{"anAttemptThatBecomesTheFastOwner", 4, kTaking, 4, 0},
                                           Left{"anAttemptThatIsTheFastOwner", 4, kTaking, 4, 1}),
                         [](const auto& left) { return left.param.name; });

TEST_P(WhatTheDeadLeft, isInNoWritersWay) {
  const TestStrand strand(path_);
  const Left& left = GetParam();
  strand.words().owner().storeRelease(std::uint64_t{left.state} << 32U | left.fence);
  strand.words().fastOwner().storeRelease(left.fastOwner);
  strand.words().fastBusy().storeRelease(left.fastBusy);
  StrandWriter writer = strand.writer();
  EXPECT_EQ(strand.words().fastOwner().loadRelaxed(), static_cast<std::uint32_t>(strand.words().owner().loadRelaxed()))
      << "it has the fast way";
  EXPECT_EQ(writer.begin(), Status::kOk);
  EXPECT_EQ(tryWrite(writer, 0, 10), Status::kOk);
  StrandWriter next = strand.writer();
  EXPECT_EQ(tryWrite(writer, 1, 10), Status::kFenced);
  EXPECT_EQ(tryWrite(next, 1, 10), Status::kOk);
}

TEST_F(SharedDeaths, anAttemptThatDiedFencesNobody) {
  const TestStrand strand(path_);
  StrandWriter writer = strand.writer();
  ASSERT_EQ(writer.begin(), Status::kOk);
  const std::uint64_t owner = strand.words().owner().loadRelaxed();
  for (std::uint64_t seq = 0; seq < 3; ++seq) {
    strand.words().owner().storeRelease(std::uint64_t{kTaking} << 32U | (owner + 1));
    EXPECT_EQ(tryWrite(writer, seq, 10), Status::kOk);
    EXPECT_EQ(strand.words().owner().loadRelaxed(), owner);
  }
}

TEST_F(SharedDeaths, aConsumerThatDiesHoldsTheProducerUpNoLonger) {
  killed([](const TestStrand& strand) {
    StrandView view = strand.view();
    ConsumerToken token;
    for (int i = 0; i < 8; ++i) {
      if (view.registerConsumer(StartAt::kOldest, 0, token) != Status::kOk) _exit(1);
    }
    // While it has the view, which would give them back.
    raise(SIGKILL);
  });
  const TestStrand strand(path_);
  StrandWriter writer = strand.writer();
  ASSERT_EQ(writer.begin(), Status::kOk);
  for (std::uint64_t seq = 0; seq < 8; ++seq) ASSERT_EQ(tryWrite(writer, seq, 10), Status::kOk);
  StrandView view = strand.view();
  ConsumerToken token;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (view.registerConsumer(StartAt::kOldest, 0, token) == Status::kNoVacantSlot) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::this_thread::yield();
  }
  ASSERT_EQ(view.acknowledge(8, token), Status::kOk);
  Status status = Status::kWouldBlock;
  while ((status = tryWrite(writer, 8, 10)) == Status::kWouldBlock) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    (void)writer.awaitSpace(1s);
  }
  EXPECT_EQ(status, Status::kOk);
}

TEST_F(SharedDeaths, aConsumerThatLivesIsNotTakenForDead) {
  const test::Child other([&](std::uint64_t) {
    const TestStrand strand(path_);
    if (ConsumerSlots(strand.words()).removeDead() != 0) _exit(1);
  });
  const TestStrand strand(path_);
  StrandView view = strand.view();
  ConsumerToken token;
  ASSERT_EQ(view.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
  EXPECT_EQ(ConsumerSlots(strand.words()).removeDead(), 0U);
  EXPECT_TRUE(other.does());
  EXPECT_EQ(view.acknowledge(0, token), Status::kOk);
}

TEST_F(SharedDeaths, consumersComeAndGoThoughOneDiedWithTheLock) {
  const TestStrand strand(path_);
  StrandView view = strand.view();
  strand.words().active().fetchOrAcqRel(1U << 31U);
  ConsumerToken token;
  EXPECT_EQ(view.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
  strand.words().active().fetchOrAcqRel(1U << 31U);
  EXPECT_EQ(view.releaseConsumer(token), Status::kOk);
  EXPECT_EQ(strand.words().active().loadRelaxed(), 0U);
}

TEST_F(SharedDeaths, tokensThatAResetMadeVoidAreInNobodysWay) {
  const TestStrand strand(path_);
  StrandWriter writer = strand.writer();
  StrandView idle = strand.view();
  for (int round = 0; round < 3; ++round) {
    StrandView view = strand.view();
    ConsumerToken token;
    for (int i = 0; i < 8; ++i) ASSERT_EQ(view.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
    ASSERT_EQ(writer.reset(), Status::kOk);
    idle.enter();
    for (int i = 0; i < 8; ++i) ASSERT_EQ(idle.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
    ASSERT_EQ(writer.reset(), Status::kOk);
  }
}

// A reset that stops behind any of its stores, in whatever order the others were to come.
TEST_F(SharedDeaths, aResetThatStoppedAnywhereIsFinishedByTheNextWriter) {
  Random random;
  for (int round = 0; round < 100; ++round) {
    const TestStrand strand(path_, 8, 256);
    {
      StrandWriter writer = strand.writer();
      StrandView view = strand.view();
      ASSERT_EQ(writer.begin(), Status::kOk);
      for (std::uint64_t seq = 0; seq < random.below(9); ++seq) (void)tryWrite(writer, seq, random.below(60));
      if (random.percent(50)) (void)view.acknowledge(random.between(0, view.committed()));
      const std::vector<std::byte> before = strand.bytes();
      ASSERT_EQ(writer.reset(), Status::kOk);
      const std::vector<std::byte> after = strand.bytes();
      writer.detach();
      // Words of the header are what it stores to.
      for (std::uint32_t at = layout::kOffsetBase; at < layout::kOffsetSchema; at += 8) {
        const bool ownersOwn =
            (at >= layout::kOffsetOwner && at < layout::kOffsetErrorReason) || at == layout::kOffsetResigned - 4;
        const bool events = at >= layout::kOffsetDataEvent && at < layout::kOffsetAbort;
        const bool missing = random.percent(50) && !ownersOwn && !events && at != layout::kOffsetBoot;
        if (missing) strand.word64(at).storeRelaxed(loadLittle<std::uint64_t>(before.data() + at));
      }
      strand.words().epoch().storeRelease(strand.words().epoch().loadRelaxed() - 1);
    }
    StrandWriter writer = strand.writer();
    ASSERT_EQ(strand.words().epoch().loadRelaxed() % 2, 0U);
    StrandView view = strand.view();
    ASSERT_EQ(view.committed(), 0U);
    ASSERT_EQ(writer.begin(), Status::kOk);
    for (std::uint64_t seq = 0; seq < 20; ++seq) {
      ASSERT_EQ(tryWrite(writer, seq, 50), Status::kOk);
      ASSERT_EQ(view.check(seq).progress, Progress::kReady);
      ASSERT_TRUE(holdsRecord(view, seq, 50));
      ASSERT_EQ(view.acknowledge(seq + 1), Status::kOk);
    }
  }
}

// --- kill -9 at any moment ------------------------------------------------------------------------------

/// Writes and reads until it is killed, with everything that a writer or a consumer may do between.
[[noreturn]] void beBusy(const std::string& path, Random random, const std::function<void()>& ready) {
  const TestStrand strand(path);
  for (std::uint64_t round = 0;; ++round) {
    // It has written and read, once.
    if (round == 1) ready();
    StrandWriter writer;
    Fault fault;
    if (StrandWriter::attach(strand.region, 2s, writer, fault) != Status::kOk) _exit(2);
    (void)writer.begin();
    StrandView view = strand.view();
    ConsumerToken token;
    const bool registered = random.percent(50) && view.registerConsumer(StartAt::kLatest, 0, token) == Status::kOk;
    for (std::uint64_t n = random.below(300); n > 0; --n) {
      const std::uint64_t seq = view.committed();
      const Status status = tryWrite(writer, seq, seq % 60);
      if (status == Status::kFenced) break;
      if (view.check(0).progress == Progress::kReset) view.enter();
      if (status == Status::kWouldBlock || random.percent(20)) {
        (void)(registered ? view.acknowledge(view.committed(), token) : view.acknowledge(view.committed()));
      }
      if (random.percent(2)) (void)writer.reset();
    }
    if (random.percent(30)) (void)writer.finalize();
    if (random.percent(30)) writer.detach();
  }
}

TEST_F(SharedDeaths, killedAtAnyMomentProcessesLeaveASoundStrand) {
  Random random;
  const int rounds = test::longForm() ? 1000 : 40;
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    {
      const auto busy = [&](std::uint64_t i) {
        return
            [&, i](const auto& ready) { beBusy(path_, random.fork(2 * static_cast<std::uint64_t>(round) + i), ready); };
      };
      Standing one(busy(0));
      Standing other(busy(1));
      // The moment is what is random.
      usleep(static_cast<useconds_t>(random.below(20'000)));
      ASSERT_EQ(one.end(), kKilled);
      ASSERT_EQ(other.end(), kKilled);
    }
    const TestStrand strand(path_);
    StrandWriter writer = strand.writer(1s);
    StrandView view = strand.view();
    const Window window = view.window();
    for (std::uint64_t seq = view.effectiveReadCursor(); seq < window.committed; ++seq) {
      ASSERT_TRUE(holdsRecord(view, seq, seq % 60)) << "record " << seq;
    }
    ASSERT_EQ(writer.begin(), Status::kOk);
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (std::uint64_t seq = window.committed, end = seq + 30; seq < end; ++seq) {
      while (tryWrite(writer, seq, seq % 60) == Status::kWouldBlock) {
        // Consumers that died are given back within a moment; then this one releases.
        ASSERT_LT(std::chrono::steady_clock::now(), deadline);
        (void)view.acknowledge(seq);
        (void)writer.awaitSpace(10ms);
      }
      ASSERT_TRUE(holdsRecord(view, seq, seq % 60));
    }
  }
}

// --- waiting --------------------------------------------------------------------------------------------

TEST_F(SharedDeaths, anEventLoopIsWokenByACommitOfAnotherProcess) {
  const test::Child other([&](std::uint64_t) {
    const TestStrand strand(path_);
    StrandWriter writer = strand.writer();
    if (tryWrite(writer, 0, 10) != Status::kOk) _exit(1);
  });
  const TestStrand strand(path_);
  StrandView view = strand.view();
  test::CountingSink sink;
  wait::AsyncWaiter waiter(sink, view.dataEvent().counter().address());
  wait::AsyncTable::instance().add(waiter);
  view.announceWait();
  ASSERT_EQ(view.check(0).progress, Progress::kPending);
  EXPECT_TRUE(other.does());
  while (!waiter.fired || view.check(0).progress == Progress::kPending) std::this_thread::yield();
  wait::AsyncTable::instance().remove(waiter);
}

TEST_F(SharedDeaths, aCutFileIsFoundByWhoeverWaits) {
  const TestStrand strand(path_);
  StrandView view = strand.view();
  StrandWriter writer = strand.writer();
  ASSERT_EQ(tryWrite(writer, 0, 10), Status::kOk);
  ASSERT_EQ(truncate(path_.c_str(), 0), 0);
  EXPECT_EQ(view.wait(1, kPatience).progress, Progress::kGone);
  EXPECT_EQ(view.wait(0, kPatience).progress, Progress::kGone);
  EXPECT_EQ(tryWrite(writer, 1, 10), Status::kGone);
  EXPECT_EQ(writer.begin(), Status::kGone);
  EXPECT_EQ(writer.state(), Status::kGone);
  EXPECT_EQ(view.acknowledge(1), Status::kGone);
  ConsumerToken token;
  EXPECT_EQ(view.registerConsumer(StartAt::kOldest, 0, token), Status::kGone);
}

}  // namespace
}  // namespace strand
