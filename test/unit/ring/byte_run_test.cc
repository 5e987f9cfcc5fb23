#include "ring/byte_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "ring/strand_writer.h"
#include "support/random.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::Random;
using test::TestStrand;

const std::vector<FieldSpec> kBytes{{"bytes", FieldType::kLargeBytes, true}};

std::span<const std::byte> bytesOf(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// Does not block.
Status publish(StrandWriter& writer, const Value& payload) {
  const Geometry& geometry = writer.header().geometry;
  RecordImage image;
  const Value row[] = {payload};
  const EncodeFault fault = encodeRecord(writer.schema(), row, {geometry.heapStart, geometry.heapCapacity}, image);
  if (fault.error != EncodeError::kNone) return Status::kBadField;
  return writer.publishRecord(image.slot, image.heap, image.alignment);
}

Status write(StrandWriter& writer, std::string_view payload) { return publish(writer, bytesOf(payload)); }

Status writeNothing(StrandWriter& writer) { return publish(writer, Value()); }

/// What one call copies. Its target is exactly as large, so that AddressSanitizer sees what goes past it.
std::string copied(const StrandView& view, std::uint64_t end, BytePlace& place, std::size_t room) {
  std::vector<std::byte> target(room);
  const std::size_t bytes = copyByteRun(view, view.schema().fields().front(), end, place, target);
  return {reinterpret_cast<const char*>(target.data()), bytes};
}

TEST(ByteRun, putsPayloadsOneBehindTheOther) {
  const TestStrand strand(8, 256, kBytes);
  StrandWriter writer = strand.writer();
  const StrandView view = strand.view();
  for (const std::string_view payload : {"flour", "", "eggs", "milk"}) ASSERT_EQ(write(writer, payload), Status::kOk);
  BytePlace place;
  EXPECT_EQ(copied(view, 4, place, 100), "floureggsmilk");
  EXPECT_EQ(place.seq, 4U);
  EXPECT_EQ(place.skip, 0U);
  EXPECT_EQ(copied(view, 4, place, 100), "") << "behind the last one there is nothing";
  EXPECT_EQ(place.seq, 4U);
}

TEST(ByteRun, goesOnInTheMidstOfAPayload) {
  const TestStrand strand(8, 256, kBytes);
  StrandWriter writer = strand.writer();
  const StrandView view = strand.view();
  ASSERT_EQ(write(writer, "buckwheat"), Status::kOk);
  ASSERT_EQ(write(writer, "salt"), Status::kOk);
  BytePlace place;
  EXPECT_EQ(copied(view, 2, place, 4), "buck");
  EXPECT_EQ(place.seq, 0U);
  EXPECT_EQ(place.skip, 4U);
  EXPECT_EQ(copied(view, 2, place, 0), "");
  EXPECT_EQ(place.skip, 4U);
  EXPECT_EQ(copied(view, 2, place, 5), "wheat") << "room for the rest and nothing more";
  EXPECT_EQ(place.seq, 1U);
  EXPECT_EQ(place.skip, 0U);
  EXPECT_EQ(copied(view, 2, place, 5), "salt");
}

TEST(ByteRun, stopsBeforeTheEndThatItIsGiven) {
  const TestStrand strand(8, 256, kBytes);
  StrandWriter writer = strand.writer();
  const StrandView view = strand.view();
  for (const std::string_view payload : {"a", "b", "c"}) ASSERT_EQ(write(writer, payload), Status::kOk);
  BytePlace place{1, 0};
  EXPECT_EQ(copied(view, 2, place, 100), "b");
  EXPECT_EQ(place.seq, 2U);
  EXPECT_EQ(copied(view, 1, place, 100), "") << "an end that lies behind";
  EXPECT_EQ(place.seq, 2U);
}

TEST(ByteRun, passesOverRecordsWithoutAPayload) {
  const TestStrand strand(8, 256, kBytes);
  StrandWriter writer = strand.writer();
  const StrandView view = strand.view();
  ASSERT_EQ(writeNothing(writer), Status::kOk);
  ASSERT_EQ(write(writer, "egg"), Status::kOk);
  ASSERT_EQ(writeNothing(writer), Status::kOk);
  BytePlace place;
  EXPECT_EQ(copied(view, 3, place, 100), "egg");
  EXPECT_EQ(place.seq, 3U);
}

TEST(ByteRun, givesTheSameBytesInPiecesOfAnySize) {
  Random random;
  for (int round = 0; round < 200; ++round) {
    const TestStrand strand(4, 64, kBytes);
    StrandWriter writer = strand.writer();
    StrandView view = strand.view();
    std::string written;
    std::string read;
    BytePlace place;
    std::uint64_t records = 0;
    for (int step = 0; step < 30; ++step) {
      std::string payload(random.below(17), '\0');
      std::ranges::generate(payload, [&] { return static_cast<char>(random.below(256)); });
      const Status status = random.percent(10) ? writeNothing(writer) : write(writer, payload);
      if (status == Status::kWouldBlock) {
        while (place.seq < records) read += copied(view, records, place, 1 + random.below(20));
        ASSERT_EQ(view.acknowledge(records), Status::kOk);
        continue;
      }
      ASSERT_EQ(status, Status::kOk);
      ++records;
      BytePlace last{records - 1, 0};
      written += copied(view, records, last, payload.size());
    }
    while (place.seq < records) read += copied(view, records, place, 1 + random.below(20));
    ASSERT_EQ(read, written);
  }
}

TEST(ByteRun, copiesNothingThroughAPointerThatLeavesTheHeap) {
  const TestStrand strand(8, 256, kBytes);
  StrandWriter writer = strand.writer();
  const StrandView view = strand.view();
  ASSERT_EQ(write(writer, "first"), Status::kOk);
  ASSERT_EQ(write(writer, "second"), Status::kOk);
  const Field& field = view.schema().fields().front();
  for (const std::uint32_t offset : {0U, 250U, 256U, 0xffffffffU}) {
    for (const std::uint32_t length : {6U, 257U, 0xffffffffU}) {
      const std::uint32_t slot = strand.geometry.headerSize + field.offset;
      strand.word32(slot).storeRelaxed(offset);
      strand.word32(slot + 4).storeRelaxed(length);
      BytePlace place;
      const std::string bytes = copied(view, 2, place, 100);
      EXPECT_EQ(bytes.substr(bytes.size() - 6), "second");
      EXPECT_EQ(place.seq, 2U);
      EXPECT_LE(bytes.size(), 12U);
    }
  }
}

TEST(ByteRun, givesNothingOfTheStreamThatAResetHasBegun) {
  const TestStrand strand(4, 256, kBytes);
  StrandWriter writer = strand.writer();
  const StrandView view = strand.view();
  for (int i = 0; i < 4; ++i) ASSERT_EQ(write(writer, "old"), Status::kOk);
  BytePlace place{1, 2};
  ASSERT_EQ(writer.reset(), Status::kOk);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(copied(view, 4, place, 100), "");
    EXPECT_EQ(place.seq, 1U);
    EXPECT_EQ(place.skip, 2U);
    ASSERT_EQ(write(writer, "new"), Status::kOk);
  }
}

}  // namespace
}  // namespace strand
