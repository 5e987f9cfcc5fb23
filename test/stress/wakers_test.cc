#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "layout/strand_layout.h"
#include "ring/strand_view.h"
#include "ring/strand_writer.h"
#include "support/random.h"
#include "support/sanitized.h"
#include "support/test_strand.h"
#include "wait/event_count.h"

namespace strand {
namespace {

using test::Random;
using test::TestStrand;

constexpr int kRounds = test::kSanitized ? 3'000 : 100'000;

/// Lets two threads take turns; busy, so that both come out of it at the same moment.
class Steps {
 public:
  void reach(int step) noexcept { at_.store(step, std::memory_order_release); }
  void await(int step) const noexcept {
    for (int looks = 0; at_.load(std::memory_order_acquire) < step; ++looks) {
      if (looks > 10'000) std::this_thread::yield();
    }
  }

 private:
  std::atomic<int> at_{0};
};

/// Takes a few nanoseconds.
void dawdle(std::uint64_t turns) noexcept {
  std::atomic<std::uint64_t> sink{0};
  for (std::uint64_t i = 0; i < turns; ++i) sink.store(i, std::memory_order_relaxed);
}

/// Two consumers let a full ring go at the same moment, in two ways, and nobody but they can wake the producer.
TEST(WakersStress, ofTwoConsumersThatReleaseAtOnceOneWakesTheProducer) {
  const std::vector<FieldSpec> fields{{"n", FieldType::kU32}};
  const TestStrand strand(4, 0, fields);
  StrandWriter writer = strand.writer();
  StrandView leaving = strand.view();
  const Word32 flags = strand.word32(layout::kOffsetSpaceEvent + 4);
  Steps registered;
  Steps acknowledged;
  Steps mayAcknowledge;
  Steps mayLeave;
  Random random;

  std::thread other([&, random]() mutable {
    StrandView view = strand.view();
    for (int round = 1; round <= kRounds; ++round) {
      ConsumerToken token;
      EXPECT_EQ(view.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
      registered.reach(round);
      mayAcknowledge.await(round);
      const std::uint64_t upTo = view.committed();
      dawdle(random.below(64));
      EXPECT_EQ(view.acknowledge(upTo, token), Status::kOk);
      acknowledged.reach(round);
      mayLeave.await(round);
      EXPECT_EQ(view.releaseConsumer(token), Status::kOk);
    }
  });

  int lost = 0;
  const std::array<std::byte, 4> slot{};
  for (int round = 1; round <= kRounds; ++round) {
    registered.await(round);
    ConsumerToken token;
    EXPECT_EQ(leaving.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
    while (writer.publishRecord(slot, {}, 1) == Status::kOk) {
    }
    writer.announceWait();
    EXPECT_FALSE(writer.hasSpace());
    mayAcknowledge.reach(round);
    dawdle(random.below(256));
    EXPECT_EQ(leaving.releaseConsumer(token), Status::kOk);
    acknowledged.await(round);
    // Room, and the flag still up: everybody has left the waking to somebody else.
    if (writer.hasSpace() && (flags.loadAcquire() & wait::kAsync) != 0) ++lost;
    mayLeave.reach(round);
  }
  other.join();
  EXPECT_EQ(lost, 0) << "of " << kRounds;
}

}  // namespace
}  // namespace strand
