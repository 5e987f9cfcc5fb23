#include "layout/strand_layout.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace strand::layout {
namespace {

// Numbers, not the constants again: a changed offset is a changed format and needs a new version.
TEST(StrandLayout, hasTheOffsetsOfVersion6) {
  EXPECT_EQ(kMagic, 0x5354524EU);
  EXPECT_EQ(kVersion, 6U);
  EXPECT_EQ(kHeaderSize, 4096U);
  EXPECT_EQ(kSeparation, 128U);
  const std::array<std::pair<std::uint32_t, std::uint32_t>, 10> fixed{{{kOffsetMagic, 0},
                                                                       {kOffsetVersion, 4},
                                                                       {kOffsetFingerprint, 8},
                                                                       {kOffsetRecordStride, 12},
                                                                       {kOffsetIndexCapacity, 16},
                                                                       {kOffsetHeapCapacity, 20},
                                                                       {kOffsetHeaderCrc, 24},
                                                                       {kOffsetHeaderSize, 28},
                                                                       {kOffsetSchemaByteLength, 32},
                                                                       {kOffsetMetaByteLength, 36}}};
  for (const auto& [offset, expected] : fixed) EXPECT_EQ(offset, expected);
  const std::array<std::pair<std::uint32_t, std::uint32_t>, 29> control{{
      {kOffsetEpoch, 0x40},          {kOffsetBase, 0x48},           {kOffsetImage, 0x50},
      {kOffsetWriteSeq, 0x80},       {kOffsetHeapWrite, 0x88},      {kOffsetWindowFloor, 0x90},
      {kOffsetHeapFloor, 0x98},      {kOffsetWaitTarget, 0xA0},     {kOffsetPayloadBytes, 0xA8},
      {kOffsetStalls, 0xB0},         {kOffsetStallNanos, 0xB8},     {kOffsetPastRecords, 0xC0},
      {kOffsetCommitSeq, 0x100},     {kOffsetHeapCommit, 0x108},    {kOffsetStatus, 0x110},
      {kOffsetOwner, 0x180},         {kOffsetFastOwner, 0x188},     {kOffsetFastBusy, 0x18C},
      {kOffsetErrorReason, 0x190},   {kOffsetReadCursor, 0x200},    {kOffsetGate, 0x208},
      {kOffsetActive, 0x210},        {kOffsetConsumerWaits, 0x218}, {kOffsetDataEvent, 0x280},
      {kOffsetSpaceEvent, 0x300},    {kOffsetAbort, 0x380},         {kOffsetAbortReason, 0x388},
      {kOffsetConsumerSlots, 0x400}, {kOffsetSchema, 0x600},
  }};
  for (const auto& [offset, expected] : control) EXPECT_EQ(offset, expected);
  EXPECT_EQ(kConsumerSlotSize, 64U);
  EXPECT_EQ(kMaxConsumers, 8U);
  EXPECT_EQ(kSlotCursor, 0U);
  EXPECT_EQ(kSlotOwner, 8U);
  EXPECT_EQ(kSlotGeneration, 16U);
  EXPECT_EQ(kConsumerSlotVacant, 0xFFFFFFFFFFFFFFFFU);
  EXPECT_EQ(kAbsentOffset, 0xFFFFFFFFU);
  EXPECT_EQ(kMaxReasonBytes, 104U);
}

TEST(StrandLayout, keepsHotWordsOfDifferentSides128BytesApart) {
  const std::vector<std::uint32_t> producer{kOffsetWriteSeq, kOffsetHeapWrite, kOffsetPayloadBytes, kOffsetStalls,
                                            kOffsetPastRecords};
  const std::vector<std::uint32_t> published{kOffsetCommitSeq, kOffsetHeapCommit, kOffsetStatus};
  const std::vector<std::uint32_t> owner{kOffsetOwner, kOffsetFastOwner, kOffsetFastBusy};
  const std::vector<std::uint32_t> consumers{kOffsetReadCursor, kOffsetGate, kOffsetActive};
  const std::vector<std::uint32_t> data{kOffsetDataEvent, kOffsetDataEvent + 4};
  const std::vector<std::uint32_t> space{kOffsetSpaceEvent, kOffsetSpaceEvent + 4};
  const std::vector<std::uint32_t> abort{kOffsetAbort};
  const std::vector<std::vector<std::uint32_t>> groups{producer, published, owner, consumers, data, space, abort};
  for (std::size_t a = 0; a < groups.size(); ++a) {
    for (std::size_t b = a + 1; b < groups.size(); ++b) {
      for (const std::uint32_t one : groups[a]) {
        for (const std::uint32_t other : groups[b]) {
          EXPECT_NE(one / kSeparation, other / kSeparation) << one << " and " << other;
        }
      }
    }
  }
}

TEST(StrandLayout, alignsEveryWordToItsWidth) {
  for (const std::uint32_t offset : {kOffsetBase,
                                     kOffsetImage,
                                     kOffsetWriteSeq,
                                     kOffsetHeapWrite,
                                     kOffsetWindowFloor,
                                     kOffsetHeapFloor,
                                     kOffsetWaitTarget,
                                     kOffsetPayloadBytes,
                                     kOffsetStalls,
                                     kOffsetStallNanos,
                                     kOffsetPastRecords,
                                     kOffsetCommitSeq,
                                     kOffsetHeapCommit,
                                     kOffsetOwner,
                                     kOffsetReadCursor,
                                     kOffsetGate,
                                     kOffsetConsumerWaits,
                                     kOffsetConsumerSlots + kSlotCursor,
                                     kOffsetConsumerSlots + kSlotOwner,
                                     kConsumerSlotSize}) {
    EXPECT_EQ(offset % 8, 0U) << offset;
  }
  for (const std::uint32_t offset :
       {kOffsetEpoch, kOffsetStatus, kOffsetFastOwner, kOffsetFastBusy, kOffsetErrorReason, kOffsetActive,
        kOffsetDataEvent, kOffsetSpaceEvent, kOffsetAbort, kOffsetAbortReason, kSlotGeneration}) {
    EXPECT_EQ(offset % 4, 0U) << offset;
  }
}

TEST(StrandLayout, placesTheRegionsOneBehindTheOther) {
  // 4 records of 12 bytes; the heap begins behind them, HEAP_BEGIN at the next multiple of 8.
  EXPECT_EQ(heapStart(4, 12), 4096U + 48U);
  EXPECT_EQ(heapBeginStart(4, 12, 101), 4248U);
  EXPECT_EQ(totalBytes(4, 12, 101), 4248U + 32U);
  EXPECT_EQ(heapBeginStart(4, 12, 104), 4248U);
  EXPECT_EQ(heapBeginStart(4, 12, 105), 4256U);
  EXPECT_EQ(totalBytes(4, 12, 0), 4096U + 48U);
  EXPECT_EQ(heapStart(4, 12, 8192), 8192U + 48U);
}

TEST(StrandLayout, countsIn64Bits) {
  EXPECT_EQ(heapStart(kMaxIndexCapacity, 65532), 4096U + (std::uint64_t{65532} << 31));
  EXPECT_EQ(totalBytes(kMaxIndexCapacity, 65532, 0xFFFFFFFE),
            4096U + (std::uint64_t{65532} << 31) + 0x100000000U + (std::uint64_t{8} << 31));
}

}  // namespace
}  // namespace strand::layout
