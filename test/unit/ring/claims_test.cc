#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "memory/little_endian.h"
#include "ring/record_cursor.h"
#include "ring/strand_writer.h"
#include "support/payload.h"
#include "support/random.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::holdsRecord;
using test::TestStrand;
using test::tryWrite;

/// A producer that writes records of payloadFields() into claimed memory, as another language would.
class Claims : public ::testing::Test {
 protected:
  explicit Claims(std::uint64_t capacity = 8, std::uint64_t heap = 256) : strand(capacity, heap) {}

  void fillSlot(std::uint64_t seq, std::uint64_t heapOffset, std::uint32_t size) {
    std::byte* const slot = writer.data() + writer.slotOffset(seq);
    storeLittle(slot + strand.schema.fields()[test::kSequence].offset, seq);
    std::byte* const pointer = slot + strand.schema.fields()[test::kPayload].offset;
    storeLittle(pointer, static_cast<std::uint32_t>(heapOffset));
    storeLittle(pointer + 4, size);
    test::fillPayload(seq, {writer.data() + strand.geometry.heapStart + heapOffset, size});
  }
  /// Claims heap and fills record `seq`, whose slot is claimed.
  Status fill(std::uint64_t seq, std::uint32_t size) {
    std::uint64_t offset = 0;
    if (const Status status = writer.claimHeap(size, 1, offset); status != Status::kOk) return status;
    fillSlot(seq, offset, size);
    return Status::kOk;
  }
  Status claim(std::uint32_t count, std::uint64_t expected) {
    std::uint64_t first = ~std::uint64_t{0};
    const Status status = writer.claimSlots(count, first);
    if (status == Status::kOk) {
      EXPECT_EQ(first, expected);
    }
    return status;
  }

  TestStrand strand;
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
};

TEST_F(Claims, slotThenHeapThenCommit) {
  for (std::uint64_t seq = 0; seq < 30; ++seq) {
    ASSERT_EQ(claim(1, seq), Status::kOk);
    ASSERT_EQ(fill(seq, 50), Status::kOk);
    ASSERT_EQ(writer.commitHeap(), Status::kOk);
    ASSERT_EQ(view.committed(), seq) << "nothing shows before the slot is committed";
    ASSERT_EQ(writer.commitSlots(seq, 1), Status::kOk);
    ASSERT_TRUE(holdsRecord(view, seq, 50));
    ASSERT_EQ(view.acknowledge(seq + 1), Status::kOk);
  }
}

TEST_F(Claims, heapThenSlotThenCommit) {
  for (std::uint64_t seq = 0; seq < 30; ++seq) {
    std::uint64_t offset = 0;
    ASSERT_EQ(writer.claimHeap(50, 1, offset), Status::kOk);
    ASSERT_EQ(writer.commitHeap(), Status::kOk);
    ASSERT_EQ(claim(1, seq), Status::kOk);
    fillSlot(seq, offset, 50);
    ASSERT_EQ(writer.commitSlots(seq, 1), Status::kOk);
    ASSERT_TRUE(holdsRecord(view, seq, 50));
    ASSERT_EQ(view.acknowledge(seq + 1), Status::kOk);
  }
}

TEST_F(Claims, aRunIsCommittedInPiecesInOrder) {
  ASSERT_EQ(claim(5, 0), Status::kOk);
  for (std::uint64_t seq = 0; seq < 5; ++seq) ASSERT_EQ(fill(seq, 10), Status::kOk);
  ASSERT_EQ(claim(2, 5), Status::kOk) << "claims may follow claims";
  ASSERT_EQ(writer.commitSlots(0, 2), Status::kOk);
  EXPECT_EQ(view.committed(), 2U);
  ASSERT_EQ(writer.commitSlots(2, 3), Status::kOk);
  for (std::uint64_t seq = 5; seq < 7; ++seq) ASSERT_EQ(fill(seq, 10), Status::kOk);
  ASSERT_EQ(writer.commitSlots(5, 2), Status::kOk);
  for (std::uint64_t seq = 0; seq < 7; ++seq) EXPECT_TRUE(holdsRecord(view, seq, 10));
}

TEST_F(Claims, claimedSlotsHaveAClearedBitmap) {
  const std::vector<FieldSpec> fields{{"a", FieldType::kU8, kFieldNullable}, {"b", FieldType::kU8, kFieldNullable}};
  const TestStrand nullable(2, 0, fields);
  StrandWriter producer = nullable.writer();
  StrandView consumer = nullable.view();
  const Value row[] = {std::int64_t{1}, std::int64_t{2}};
  EncodeFault fault;
  for (int i = 0; i < 2; ++i) ASSERT_EQ(producer.write(row, fault), Status::kOk);
  ASSERT_EQ(consumer.acknowledge(2), Status::kOk);
  std::uint64_t first = 0;
  ASSERT_EQ(producer.claimSlots(2, first), Status::kOk);
  ASSERT_EQ(producer.commitSlots(first, 2), Status::kOk);
  RecordCursor cursor(consumer);
  for (std::uint64_t seq = 2; seq < 4; ++seq) {
    ASSERT_EQ(cursor.seek(seq), Status::kOk);
    EXPECT_FALSE(cursor.getU8(0));
    EXPECT_FALSE(cursor.getU8(1));
  }
}

TEST_F(Claims, aWrongOrderOrCountIsRefusedAndChangesNothing) {
  EXPECT_EQ(writer.commitSlots(0, 1), Status::kOutOfOrder) << "nothing is claimed";
  ASSERT_EQ(claim(3, 0), Status::kOk);
  const auto before = strand.bytes();
  EXPECT_EQ(writer.commitSlots(1, 1), Status::kOutOfOrder);
  EXPECT_EQ(writer.commitSlots(0, 0), Status::kOutOfOrder);
  EXPECT_EQ(writer.commitSlots(0, 4), Status::kOutOfOrder);
  EXPECT_EQ(writer.commitSlots(0, 0xFFFFFFFF), Status::kOutOfOrder);
  EXPECT_EQ(writer.commitSlots(~std::uint64_t{0}, 1), Status::kOutOfOrder);
  EXPECT_EQ(strand.bytes(), before);
  EXPECT_EQ(writer.commitSlots(0, 3), Status::kOk);
  EXPECT_EQ(writer.commitSlots(0, 1), Status::kOutOfOrder) << "committed already";
}

TEST_F(Claims, noSlotsIsNoClaim) {
  std::uint64_t first = 0;
  EXPECT_EQ(writer.claimSlots(0, first), Status::kOutOfOrder);
  StrandWriter newer;
  Fault fault;
  EXPECT_EQ(StrandWriter::attach(strand.region, {}, newer, fault), Status::kOk) << "nobody is filling anything";
}

TEST_F(Claims, aClaimThatOwnClaimsStandInTheWayOfIsNeverAWait) {
  EXPECT_EQ(claim(9, 0), Status::kUnsatisfiable);
  EXPECT_EQ(claim(0xFFFFFFFF, 0), Status::kUnsatisfiable);
  ASSERT_EQ(claim(6, 0), Status::kOk);
  EXPECT_EQ(claim(3, 6), Status::kUnsatisfiable);
  EXPECT_EQ(claim(2, 6), Status::kOk);
  EXPECT_EQ(claim(1, 8), Status::kUnsatisfiable);
  ASSERT_EQ(writer.commitSlots(0, 1), Status::kOk);
  EXPECT_EQ(claim(1, 8), Status::kWouldBlock) << "now a consumer is in the way";
  ASSERT_EQ(view.acknowledge(1), Status::kOk);
  EXPECT_EQ(claim(1, 8), Status::kOk);
}

TEST_F(Claims, moreHeapThanItHoldsTogetherWithClaimsIsNeverAWait) {
  std::uint64_t offset = 0;
  EXPECT_EQ(writer.claimHeap(257, 1, offset), Status::kHeapTooSmall);
  EXPECT_EQ(writer.claimHeap(~std::uint64_t{0}, 8, offset), Status::kHeapTooSmall);
  ASSERT_EQ(writer.claimHeap(200, 1, offset), Status::kOk);
  EXPECT_EQ(writer.claimHeap(57, 1, offset), Status::kHeapTooSmall);
  EXPECT_EQ(writer.claimHeap(56, 1, offset), Status::kOk);
  EXPECT_EQ(writer.claimHeap(1, 1, offset), Status::kHeapTooSmall);
  EXPECT_EQ(writer.claimHeap(0, 1, offset), Status::kOk);
}

TEST_F(Claims, theWholeHeapCanBeClaimedFromAnyPosition) {
  for (std::uint64_t seq = 0; seq < 300; ++seq) {
    const std::uint32_t size = seq % 2 == 0 ? 1 : 256;
    ASSERT_EQ(claim(1, seq), Status::kOk);
    ASSERT_EQ(fill(seq, size), Status::kOk);
    ASSERT_EQ(writer.commitSlots(seq, 1), Status::kOk);
    ASSERT_TRUE(holdsRecord(view, seq, size));
    ASSERT_EQ(view.acknowledge(seq + 1), Status::kOk);
  }
}

TEST_F(Claims, heapIsAlignedAsAnAddressInTheBuffer) {
  test::Random random;
  for (std::uint64_t seq = 0; seq < 400; ++seq) {
    const std::uint32_t alignment = random.pick<std::uint32_t>({1, 2, 4, 8});
    const auto size = static_cast<std::uint32_t>(random.below(60));
    std::uint64_t offset = 0;
    ASSERT_EQ(claim(1, seq), Status::kOk);
    ASSERT_EQ(writer.claimHeap(size, alignment, offset), Status::kOk);
    ASSERT_EQ((strand.geometry.heapStart + offset) % alignment, 0U);
    ASSERT_LE(offset + size, strand.geometry.heapCapacity);
    fillSlot(seq, offset, size);
    ASSERT_EQ(writer.commitSlots(seq, 1), Status::kOk);
    ASSERT_TRUE(holdsRecord(view, seq, size));
    ASSERT_EQ(view.acknowledge(seq + 1), Status::kOk);
  }
}

TEST_F(Claims, severalHeapClaimsBelongToTheNextSlotCommitted) {
  ASSERT_EQ(claim(2, 0), Status::kOk);
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  ASSERT_EQ(writer.claimHeap(100, 1, first), Status::kOk);
  ASSERT_EQ(writer.claimHeap(100, 1, second), Status::kOk);
  fillSlot(0, first, 100);
  fillSlot(1, second, 100);
  ASSERT_EQ(writer.commitSlots(0, 1), Status::kOk);
  EXPECT_TRUE(holdsRecord(view, 0, 100));
  ASSERT_EQ(view.acknowledge(1), Status::kOk);
  // Released with record 0, as documented: what the second slot points to is free again.
  EXPECT_EQ(view.stats().bytesProduced, strand.geometry.recordStride + 200U);
  ASSERT_EQ(writer.commitSlots(1, 1), Status::kOk);
}

TEST_F(Claims, commitHeapTellsBytesThatWerePublishedBeforeIt) {
  EXPECT_EQ(writer.commitHeap(), Status::kOk) << "nothing is claimed";
  ASSERT_EQ(claim(1, 0), Status::kOk);
  ASSERT_EQ(fill(0, 10), Status::kOk);
  ASSERT_EQ(writer.commitSlots(0, 1), Status::kOk);
  EXPECT_EQ(writer.commitHeap(), Status::kOutOfOrder);
  EXPECT_EQ(writer.commitHeap(), Status::kOk) << "said once";
  ASSERT_EQ(claim(1, 1), Status::kOk);
  ASSERT_EQ(fill(1, 10), Status::kOk);
  EXPECT_EQ(writer.commitHeap(), Status::kOk);
  ASSERT_EQ(writer.commitSlots(1, 1), Status::kOk);
}

TEST_F(Claims, batchesAndTheEndAreRefusedWhileClaimsAreOpen) {
  const auto refusesAll = [&] {
    StrandWriter::Run run;
    std::uint64_t written = 0;
    EncodeFault fault;
    const Value row[] = {std::uint64_t{1}, Value()};
    EXPECT_EQ(writer.reserve({1, {}, 0}, run), Status::kClaimsOpen);
    EXPECT_EQ(tryWrite(writer, 0, 1), Status::kClaimsOpen);
    EXPECT_EQ(writer.writeBatch(row, written, fault), Status::kClaimsOpen);
    EXPECT_EQ(writer.finalize(), Status::kClaimsOpen);
  };
  ASSERT_EQ(claim(1, 0), Status::kOk);
  refusesAll();
  ASSERT_EQ(fill(0, 5), Status::kOk);
  refusesAll();
  ASSERT_EQ(writer.commitSlots(0, 1), Status::kOk);
  ASSERT_EQ(writer.finalize(), Status::kOk);
  EXPECT_TRUE(holdsRecord(view, 0, 5));

  TestStrand other;
  StrandWriter heapOnly = other.writer();
  std::uint64_t offset = 0;
  ASSERT_EQ(heapOnly.claimHeap(1, 1, offset), Status::kOk);
  EXPECT_EQ(tryWrite(heapOnly, 0, 1), Status::kClaimsOpen);
}

TEST_F(Claims, abortDropsThem) {
  ASSERT_EQ(claim(2, 0), Status::kOk);
  ASSERT_EQ(fill(0, 5), Status::kOk);
  ASSERT_EQ(writer.abort("enough"), Status::kOk);
  EXPECT_EQ(writer.commitSlots(0, 1), Status::kOutOfOrder);
  EXPECT_EQ(view.committed(), 0U);
  EXPECT_EQ(claim(1, 0), Status::kEnded);
}

TEST_F(Claims, unreadPayloadsAreNeverGivenAway) {
  test::Random random;
  std::vector<std::uint32_t> sizes;
  std::uint64_t released = 0;
  const auto untilThereIsRoom = [&](auto call) {
    for (Status status = call(); status != Status::kOk; status = call()) {
      ASSERT_EQ(status, Status::kWouldBlock);
      ASSERT_LT(released, sizes.size()) << "nothing is unread";
      ASSERT_EQ(view.acknowledge(++released), Status::kOk);
    }
  };
  while (sizes.size() < 3000) {
    const std::uint64_t seq = sizes.size();
    const auto size = static_cast<std::uint32_t>(random.between(0, random.percent(10) ? 256 : 60));
    std::uint64_t offset = 0;
    const auto claimSlot = [&] { return claim(1, seq); };
    const auto claimHeap = [&] { return writer.claimHeap(size, 1, offset); };
    const bool slotFirst = random.percent(50);
    if (slotFirst) untilThereIsRoom(claimSlot);
    untilThereIsRoom(claimHeap);
    if (!slotFirst) untilThereIsRoom(claimSlot);
    ASSERT_FALSE(HasFatalFailure());
    fillSlot(seq, offset, size);
    ASSERT_EQ(writer.commitSlots(seq, 1), Status::kOk);
    sizes.push_back(size);
    for (std::uint64_t unread = released; unread <= seq; ++unread) {
      ASSERT_TRUE(holdsRecord(view, unread, sizes[unread]));
    }
  }
}

// A writer that takes over knows nothing of what is unread: its first claim must look.
TEST_F(Claims, theFirstHeapClaimOfANewWriterSparesUnreadPayloads) {
  constexpr std::size_t kSize = 30;
  for (std::uint64_t unread = 1; unread <= 8; ++unread) {
    for (std::uint64_t extra = 0; extra < 8; ++extra) {
      const TestStrand shared(8, 256);
      StrandWriter older = shared.writer();
      StrandView consumer = shared.view();
      const std::uint64_t count = 16 + extra;
      for (std::uint64_t seq = 0; seq < count; ++seq) {
        ASSERT_EQ(consumer.acknowledge(seq - std::min(seq, unread - 1)), Status::kOk);
        ASSERT_EQ(tryWrite(older, seq, kSize), Status::kOk);
      }
      StrandWriter newer = shared.writer();
      std::uint64_t offset = 0;
      while (newer.claimHeap(kSize, 1, offset) == Status::kOk) {
        std::fill_n(newer.data() + shared.geometry.heapStart + offset, kSize, std::byte{0xEE});
      }
      for (std::uint64_t seq = count - unread; seq < count; ++seq) {
        ASSERT_TRUE(holdsRecord(consumer, seq, kSize)) << unread << " unread of " << count;
      }
    }
  }
}

}  // namespace
}  // namespace strand
