#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

#include "layout/strand_layout.h"
#include "ring/consumer_slots.h"
#include "ring/gate.h"
#include "ring/strand_view.h"
#include "ring/strand_writer.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::holdsRecord;
using test::TestStrand;
using test::tryWrite;

class Consumers : public ::testing::Test {
 protected:
  void write(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) ASSERT_EQ(tryWrite(writer, writer.committed(), 4), Status::kOk);
  }
  ConsumerToken registered(StartAt start = StartAt::kOldest, std::uint64_t seq = 0) {
    ConsumerToken token;
    EXPECT_EQ(view.registerConsumer(start, seq, token), Status::kOk);
    return token;
  }

  TestStrand strand;
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
};

TEST_F(Consumers, theProducerWaitsForTheSlowest) {
  const ConsumerToken slow = registered();
  const ConsumerToken fast = registered();
  write(8);
  ASSERT_EQ(view.acknowledge(8, fast), Status::kOk);
  EXPECT_EQ(tryWrite(writer, 8, 4), Status::kWouldBlock);
  EXPECT_EQ(view.effectiveReadCursor(), 0U);
  ASSERT_EQ(view.acknowledge(3, slow), Status::kOk);
  EXPECT_EQ(view.effectiveReadCursor(), 3U);
  write(3);
  EXPECT_EQ(tryWrite(writer, 11, 4), Status::kWouldBlock);
  for (std::uint64_t seq = 3; seq < 11; ++seq) EXPECT_TRUE(holdsRecord(view, seq, 4));
}

TEST_F(Consumers, startAtTheOldestRecordThatNobodyHasReleased) {
  write(6);
  ASSERT_EQ(view.acknowledge(4), Status::kOk);
  const ConsumerToken first = registered();
  EXPECT_EQ(view.effectiveReadCursor(), 4U);
  ASSERT_EQ(view.acknowledge(6, first), Status::kOk);
  const ConsumerToken second = registered();
  EXPECT_EQ(view.effectiveReadCursor(), 6U) << "records 4 and 5 are released";
  ASSERT_EQ(view.releaseConsumer(first), Status::kOk);
  ASSERT_EQ(view.releaseConsumer(second), Status::kOk);
}

TEST_F(Consumers, startAtTheLatestOrAtARecordOfTheirChoice) {
  write(6);
  ASSERT_EQ(view.acknowledge(2), Status::kOk);
  ConsumerToken token = registered(StartAt::kLatest);
  EXPECT_EQ(view.effectiveReadCursor(), 6U);
  ASSERT_EQ(view.releaseConsumer(token), Status::kOk);

  const TestStrand other;
  StrandWriter producer = other.writer();
  StrandView consumer = other.view();
  for (std::uint64_t seq = 0; seq < 6; ++seq) ASSERT_EQ(tryWrite(producer, seq, 4), Status::kOk);
  ASSERT_EQ(consumer.acknowledge(2), Status::kOk);
  EXPECT_EQ(consumer.registerConsumer(StartAt::kSeq, 1, token), Status::kBehind);
  EXPECT_EQ(consumer.registerConsumer(StartAt::kSeq, 7, token), Status::kPastCommitted);
  EXPECT_FALSE(ConsumerSlots(other.words()).any()) << "a refused registration leaves nobody registered";
  EXPECT_EQ(consumer.effectiveReadCursor(), 2U);
  for (const std::uint64_t seq : {2U, 4U, 6U}) {
    ASSERT_EQ(consumer.registerConsumer(StartAt::kSeq, seq, token), Status::kOk);
    EXPECT_EQ(consumer.effectiveReadCursor(), seq);
    ASSERT_EQ(consumer.releaseConsumer(token), Status::kOk);
  }
}

TEST_F(Consumers, thereAreEightPlaces) {
  std::vector<ConsumerToken> tokens;
  for (int i = 0; i < 8; ++i) tokens.push_back(registered());
  ConsumerToken ninth;
  EXPECT_EQ(view.registerConsumer(StartAt::kOldest, 0, ninth), Status::kNoVacantSlot);
  EXPECT_EQ(strand.view().registerConsumer(StartAt::kOldest, 0, ninth), Status::kNoVacantSlot);
  std::set<std::uint64_t> packed;
  for (const ConsumerToken& token : tokens) packed.insert(token.packed());
  EXPECT_EQ(packed.size(), 8U);
  ASSERT_EQ(view.releaseConsumer(tokens[3]), Status::kOk);
  EXPECT_EQ(registered().slot, tokens[3].slot);
}

TEST_F(Consumers, whileAnyIsRegisteredOnlyTheyGateTheProducer) {
  const ConsumerToken token = registered();
  write(4);
  EXPECT_EQ(view.acknowledge(4), Status::kTokenRequired);
  EXPECT_EQ(strand.view().acknowledge(4), Status::kTokenRequired);
  EXPECT_EQ(view.effectiveReadCursor(), 0U);
  ASSERT_EQ(view.acknowledge(3, token), Status::kOk);
  ASSERT_EQ(view.releaseConsumer(token), Status::kOk);
  EXPECT_EQ(view.effectiveReadCursor(), 3U) << "the last one's position is the tokenless one's";
  EXPECT_EQ(view.acknowledge(4), Status::kOk);
}

TEST_F(Consumers, aSlowerOneThatGoesLetsTheProducerOn) {
  const ConsumerToken slow = registered();
  const ConsumerToken fast = registered();
  write(8);
  ASSERT_EQ(view.acknowledge(5, fast), Status::kOk);
  ASSERT_EQ(view.releaseConsumer(slow), Status::kOk);
  EXPECT_EQ(view.effectiveReadCursor(), 5U);
  write(5);
  EXPECT_EQ(tryWrite(writer, 13, 4), Status::kWouldBlock);
}

TEST_F(Consumers, theLastOneToGoNeverTakesThePositionBack) {
  write(8);
  ASSERT_EQ(view.acknowledge(6), Status::kOk);
  const ConsumerToken token = registered();
  ASSERT_EQ(view.releaseConsumer(token), Status::kOk);
  EXPECT_EQ(view.effectiveReadCursor(), 6U);
}

TEST_F(Consumers, positionsOnlyGoForwardAndNeverPastWhatIsCommitted) {
  write(5);
  ASSERT_EQ(view.acknowledge(3), Status::kOk);
  EXPECT_EQ(view.acknowledge(2), Status::kBehind);
  EXPECT_EQ(view.acknowledge(6), Status::kPastCommitted);
  EXPECT_EQ(view.acknowledge(~std::uint64_t{0}), Status::kPastCommitted);
  EXPECT_EQ(view.acknowledge(3), Status::kOk) << "the same position again";
  const ConsumerToken token = registered();
  EXPECT_EQ(view.acknowledge(2, token), Status::kBehind);
  EXPECT_EQ(view.acknowledge(6, token), Status::kPastCommitted);
  EXPECT_EQ(view.acknowledge(~std::uint64_t{0}, token), Status::kPastCommitted);
  EXPECT_EQ(view.acknowledge(5, token), Status::kOk);
  EXPECT_EQ(view.acknowledge(4, token), Status::kBehind);
  EXPECT_EQ(view.effectiveReadCursor(), 5U);
}

TEST_F(Consumers, twoTokenlessViewsShareOnePositionThatNeverGoesBack) {
  StrandView other = strand.view();
  write(5);
  ASSERT_EQ(view.acknowledge(4), Status::kOk);
  ASSERT_EQ(other.acknowledge(2), Status::kOk) << "it has acknowledged nothing before";
  EXPECT_EQ(view.effectiveReadCursor(), 4U);
}

// "tokens that reach other control words"
TEST_F(Consumers, aTokenThatIsNotLiveReachesNothing) {
  write(5);
  const ConsumerToken live = registered();
  const auto before = strand.bytes();
  std::vector<ConsumerToken> tokens{{live.slot, live.generation + 1}, {live.slot, live.generation - 1}};
  for (std::uint32_t slot = 0; slot < 70; ++slot) {
    if (slot != live.slot) tokens.push_back({slot, live.generation});
  }
  for (const std::uint32_t slot : {0x80000000U, 0xFFFFFFFFU}) {
    for (const std::uint32_t generation : {0U, live.generation, 0xFFFFFFFFU}) tokens.push_back({slot, generation});
  }
  for (const ConsumerToken& token : tokens) {
    EXPECT_EQ(view.acknowledge(5, token), Status::kBadToken) << token.slot << ' ' << token.generation;
    EXPECT_EQ(view.releaseConsumer(token), Status::kBadToken) << token.slot << ' ' << token.generation;
  }
  EXPECT_EQ(strand.bytes(), before);
}

TEST(ConsumerToken, packsIntoANumberBelow2To53AndBack) {
  for (const std::uint32_t generation : {0U, 1U, 77U, 0xFFFFFFFFU}) {
    for (std::uint32_t slot = 0; slot < 8; ++slot) {
      const ConsumerToken token{slot, generation};
      EXPECT_LT(token.packed(), std::uint64_t{1} << 53);
      EXPECT_EQ(ConsumerToken::unpack(token.packed()), token);
    }
  }
}

TEST(ConsumerToken, noOtherNumberUnpacksToATokenThatExists) {
  const std::uint64_t beyond = ConsumerToken{7, 0xFFFFFFFF}.packed() + 1;
  for (const std::uint64_t packed : {beyond, beyond + 3, beyond * 2, std::uint64_t{1} << 53, ~std::uint64_t{0}}) {
    EXPECT_GE(ConsumerToken::unpack(packed).slot, 8U) << packed;
  }
}

TEST_F(Consumers, aTokenIsDeadAfterItsRelease) {
  write(3);
  const ConsumerToken token = registered();
  ASSERT_EQ(view.releaseConsumer(token), Status::kOk);
  EXPECT_EQ(view.acknowledge(1, token), Status::kBadToken);
  EXPECT_EQ(view.releaseConsumer(token), Status::kBadToken);
  const ConsumerToken next = registered();
  EXPECT_EQ(next.slot, token.slot);
  EXPECT_NE(next.generation, token.generation);
  EXPECT_EQ(view.acknowledge(1, token), Status::kBadToken) << "the slot is somebody else's now";
  EXPECT_EQ(view.effectiveReadCursor(), 0U);
}

TEST_F(Consumers, aTokenIsGoodOnlyInTheThreadThatGotIt) {
  write(3);
  const ConsumerToken token = registered();
  std::thread([&] {
    StrandView own = strand.view();
    EXPECT_EQ(own.acknowledge(1, token), Status::kBadToken);
    EXPECT_EQ(own.releaseConsumer(token), Status::kBadToken);
  }).join();
  EXPECT_EQ(view.acknowledge(1, token), Status::kOk);
}

// "a dead consumer stalling the producer for ever"
TEST_F(Consumers, aThreadThatEndsReleasesItsConsumers) {
  std::thread([&] {
    StrandView own = strand.view();
    ConsumerToken token;
    ASSERT_EQ(own.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
    ASSERT_EQ(own.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
  }).join();
  write(8);
  EXPECT_EQ(view.acknowledge(8), Status::kOk) << "nobody is registered any more";
  write(8);
}

TEST_F(Consumers, aViewThatIsClosedByAnotherThreadReleasesItsConsumers) {
  StrandView theirs = strand.view();
  std::thread([&] {
    ConsumerToken token;
    ASSERT_EQ(theirs.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
  }).join();
  theirs.close();
  write(8);
  EXPECT_EQ(view.acknowledge(8), Status::kOk) << "the thread is gone and nobody else has its token";
  write(8);
}

TEST_F(Consumers, closingAViewReleasesOnlyItsOwn) {
  const ConsumerToken kept = registered();
  StrandView other = strand.view();
  ConsumerToken its;
  ASSERT_EQ(other.registerConsumer(StartAt::kOldest, 0, its), Status::kOk);
  write(4);
  ASSERT_EQ(view.acknowledge(4, kept), Status::kOk);
  EXPECT_EQ(view.effectiveReadCursor(), 0U);
  other.close();
  EXPECT_EQ(view.effectiveReadCursor(), 4U);
  EXPECT_EQ(view.acknowledge(4, kept), Status::kOk);
}

TEST_F(Consumers, releasingOrClosingWakesTheProducer) {
  for (const bool closing : {false, true}) {
    const TestStrand full(1, 100);
    StrandWriter producer = full.writer();
    StrandView fast = full.view();
    StrandView slow = full.view();
    ConsumerToken fastToken;
    ConsumerToken slowToken;
    ASSERT_EQ(fast.registerConsumer(StartAt::kOldest, 0, fastToken), Status::kOk);
    ASSERT_EQ(slow.registerConsumer(StartAt::kOldest, 0, slowToken), Status::kOk);
    ASSERT_EQ(tryWrite(producer, 0, 1), Status::kOk);
    ASSERT_EQ(fast.acknowledge(1, fastToken), Status::kOk);
    std::thread blocked([&] {
      ASSERT_EQ(tryWrite(producer, 1, 1), Status::kWouldBlock);
      EXPECT_TRUE(producer.awaitSpace(wait::kForever));
      EXPECT_EQ(tryWrite(producer, 1, 1), Status::kOk);
    });
    test::awaitSleeper(full, layout::kOffsetSpaceEvent);
    if (closing) {
      slow.close();
    } else {
      EXPECT_EQ(slow.releaseConsumer(slowToken), Status::kOk);
    }
    blocked.join();
  }
}

TEST_F(Consumers, movingAViewMovesItsTokens) {
  ConsumerToken token = registered();
  StrandView moved = std::move(view);
  write(2);
  EXPECT_EQ(moved.acknowledge(2, token), Status::kOk);
  moved.close();
  EXPECT_FALSE(ConsumerSlots(strand.words()).any());
}

TEST_F(Consumers, threadsHaveIdentitiesOfTheirOwn) {
  std::set<std::uint64_t> ids{currentThreadId()};
  for (int i = 0; i < 5; ++i) {
    std::thread([&] { ids.insert(currentThreadId()); }).join();
  }
  EXPECT_EQ(ids.size(), 6U);
  EXPECT_EQ(ids.count(0), 0U) << "0 marks a vacant slot";
  EXPECT_EQ(currentThreadId(), currentThreadId());
}

// --- the gate ---

TEST_F(Consumers, theGateIsPublishedAndNeverMovesBack) {
  const Gate gate(strand.words());
  write(8);
  ASSERT_EQ(view.acknowledge(5), Status::kOk);
  EXPECT_EQ(gate.refresh(), 5U);
  EXPECT_EQ(strand.words().gate().loadAcquire(), 5U);
  // A consumer that came while the producer looked: GATE stays, the producer goes by the consumer.
  const ConsumerToken token = registered();
  strand.words().slotCursor(token.slot).storeRelease(3);
  EXPECT_EQ(gate.refresh(), 3U);
  EXPECT_EQ(strand.words().gate().loadAcquire(), 5U);
}

TEST_F(Consumers, aDamagedLockIsWaitedForAndThenReported) {
  strand.words().active().storeRelease(1U << 31);
  ConsumerToken token;
  EXPECT_EQ(view.registerConsumer(StartAt::kOldest, 0, token), Status::kBusy);
  strand.words().active().storeRelease(0);
  EXPECT_EQ(view.registerConsumer(StartAt::kOldest, 0, token), Status::kOk);
}

}  // namespace
}  // namespace strand
