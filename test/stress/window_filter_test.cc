#include "ring/window_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <thread>
#include <vector>

#include "memory/little_endian.h"
#include "ring/window_ranges.h"
#include "support/jitter.h"
#include "support/random.h"
#include "support/sanitized.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::Random;
using test::TestStrand;

constexpr std::uint64_t kPeriod = 1000;

/// Value of record `seq`: a slot never holds the same one twice in a row.
std::uint32_t valueOf(std::uint64_t seq) { return static_cast<std::uint32_t>(seq * 7 % kPeriod); }

/// Fills the ring over and over; nobody holds it up, since it releases for all.
void produce(const TestStrand& strand, std::uint64_t records, Random random) {
  StrandWriter writer = strand.writer();
  StrandView release = strand.view();
  const std::uint32_t offset = strand.schema.fields()[0].offset;
  const std::uint32_t bit = static_cast<std::uint32_t>(strand.schema.fields()[0].nullableBit);
  for (std::uint64_t seq = 0; seq < records;) {
    StrandWriter::Run run;
    const std::uint64_t batch = std::min(random.between(1, 1 + strand.geometry.indexCapacity / 4), records - seq);
    if (writer.reserve({batch, {}, 0}, run) != Status::kOk) {
      (void)release.acknowledge(release.committed());
      continue;
    }
    for (std::uint64_t i = 0; i < run.slotCount; ++i, ++seq) {
      std::byte* const slot = writer.data() + run.slotOffset + i * strand.geometry.recordStride;
      storeLittle(slot + offset, valueOf(seq));
      // Every third is null and keeps its number all the same.
      storeLittle(slot + bit / 8, static_cast<std::uint8_t>(seq % 3 == 0 ? 0 : 1));
    }
    writer.advance(run.slotCount);
    ASSERT_EQ(writer.publish(), Status::kOk);
    (void)release.acknowledge(release.committed());
    test::jitter(random);
  }
  ASSERT_EQ(writer.finalize(), Status::kOk);
}

// The producer runs around the ring without waiting for the consumer: what is found must have been true of that record.
TEST(WindowFilterStress, noBitIsSetForARecordWhoseValueDidNotMatch) {
  Random random;
  constexpr std::uint64_t kRecords = test::kSanitized ? 300'000 : 5'000'000;
  std::uint64_t found = 0;
  std::uint64_t lost = 0;
  for (const std::uint32_t padding : {0U, 24U, 250U}) {
    std::vector<FieldSpec> fields{{"v", FieldType::kU32, kFieldNullable}};
    if (padding != 0) fields.push_back({"pad", FieldType::kFixedBytes, 0, padding});
    const TestStrand strand(4096, 0, fields);
    std::jthread producer(produce, std::cref(strand), kRecords, random.fork(padding));
    StrandView view = strand.view();
    Random own = random.fork(padding + 1);
    while (view.producerStatus() != StreamState::kEos) {
      const std::uint64_t low = own.below(kPeriod);
      const std::uint64_t high = low + own.below(kPeriod / 4);
      WindowFilter filter(view);
      ASSERT_EQ(filter.addBetween(0, low, high), Status::kOk);
      const RecordRange range = filter.look();
      std::vector<std::uint32_t> bits(halvesFor(range.count));
      ASSERT_EQ(filter.apply(range, bits), Status::kOk);
      bool any = false;
      std::uint32_t least = kPeriod;
      std::uint32_t most = 0;
      for (std::uint64_t i = 0; i < range.count; ++i) {
        if ((bits[i / 32] >> (i % 32) & 1U) == 0) continue;
        const std::uint64_t seq = range.start + i;
        const std::uint32_t value = valueOf(seq);
        ASSERT_TRUE(value >= low && value <= high && seq % 3 != 0)
            << "record " << seq << " has " << value << ", asked were " << low << " to " << high;
        least = std::min(least, value);
        most = std::max(most, value);
        any = true;
        ++found;
      }
      if (view.window().start > range.start) ++lost;
      std::vector<FieldRange> ranges;
      ASSERT_EQ(computeRanges(view, range, bits, ranges), Status::kOk);
      ASSERT_LE(ranges.size(), any ? std::size_t{1} : 0);
      if (!ranges.empty()) {
        ASSERT_GE(std::get<std::uint64_t>(ranges[0].low), least);
        ASSERT_LE(std::get<std::uint64_t>(ranges[0].high), most);
      }
    }
    producer.join();
  }
  EXPECT_GT(found, 0U);
  EXPECT_GT(lost, 0U) << "the producer never overtook a scan: nothing was tested";
}

}  // namespace
}  // namespace strand
