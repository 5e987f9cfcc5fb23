#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "layout/strand_layout.h"
#include "memory/little_endian.h"
#include "record/metadata.h"
#include "ring/strand_writer.h"
#include "support/exercise.h"
#include "support/guarded_memory.h"
#include "support/header_words.h"
#include "support/random.h"
#include "support/test_strand.h"

// "headers that pass the checksum and point outside the buffer": a mutated header is refused or harmless.
namespace strand {
namespace {

using test::GuardedMemory;
using test::Random;
using test::TestStrand;

const std::vector<FieldSpec> kFields{{"id", FieldType::kU32, kFieldSortedAscending},
                                     {"flag", FieldType::kBool8, kFieldNullable},
                                     {"name", FieldType::kUtf8, kFieldNullable},
                                     {"hash", FieldType::kFixedBytes, 0, 5},
                                     {"time", FieldType::kI64, kFieldNullable | kFieldSortedDescending},
                                     {"score", FieldType::kF32},
                                     {"points", FieldType::kF64Array},
                                     {"blob", FieldType::kLargeBytes},
                                     {"json", FieldType::kLargeJson, kFieldNullable}};

/// A strand in the middle of its life.
std::vector<std::byte> healthyStrand() {
  const TestStrand strand(8, 300, kFields);
  StrandWriter writer = strand.writer();
  StrandView view = strand.view();
  const std::vector<double> points{1, 2, 3};
  const std::vector<std::byte> bytes(5);
  for (std::uint64_t i = 0; i < 20; ++i) {
    const Value row[] = {i,
                         true,
                         std::string_view("name"),
                         std::span(bytes),
                         std::int64_t{-5},
                         0.5,
                         std::span(points),
                         std::span(bytes),
                         std::string_view("{}")};
    EncodeFault fault;
    EXPECT_EQ(writer.write(row, fault), Status::kOk);
    if (i >= 3) {
      EXPECT_EQ(view.acknowledge(i - 2), Status::kOk);
    }
  }
  writer.detach();
  view.close();
  return strand.bytes();
}

std::uint32_t oddValue32(Random& random, std::uint32_t present) {
  switch (random.below(6)) {
    case 0:
      return static_cast<std::uint32_t>(random.bits());
    case 1:
      return std::uint32_t{1} << random.below(32);
    case 2:
      return present + static_cast<std::uint32_t>(random.between(0, 8)) - 4;
    case 3:
      return static_cast<std::uint32_t>(random.below(64)) * 4;
    case 4:
      return present ^ (std::uint32_t{1} << random.below(32));
    default:
      return random.percent(50) ? 0 : 0xFFFFFFFF;
  }
}

std::uint64_t oddValue64(Random& random, std::uint64_t present) {
  switch (random.below(5)) {
    case 0:
      return random.bits();
    case 1:
      return std::uint64_t{1} << random.below(64);
    case 2:
      return present + random.between(0, 64) - 32;
    case 3:
      return random.below(64);
    default:
      return ~std::uint64_t{0} - random.below(3);
  }
}

class Mutator {
 public:
  Mutator(const Region& region, const Geometry& geometry, Random& random)
      : region_(region), geometry_(geometry), random_(random) {}

  void mutate() {
    for (std::uint64_t n = random_.between(1, 4); n > 0; --n) one();
    if (random_.percent(95)) {
      test::sealSchema(region_);
    } else {
      test::sealHeader(region_);
    }
    if (random_.below(2000) == 0) return;
    // These make calls wait for up to a second: now and then is enough.
    clearBits32(layout::kOffsetEpoch, 1);
    clearBits32(layout::kOffsetActive, 1U << 31);
    clearBits32(layout::kOffsetOwner + 4, ~0U);
    clearBits32(layout::kOffsetFastBusy, ~0U);
  }

 private:
  void one() {
    const std::uint64_t choice = random_.below(100);
    if (choice < 20) return word32(random_.below(10) * 4);
    if (choice < 35) return byte(layout::kOffsetSchema, 40);
    if (choice < 45) return byte(layout::kOffsetSchema + 40, 140);
    if (choice < 75) return word64(random_.between(layout::kOffsetEpoch / 8, layout::kOffsetSchema / 8 - 1) * 8);
    if (choice < 85) return word64(geometry_.heapBeginStart + random_.below(geometry_.indexCapacity) * 8);
    byte(geometry_.headerSize, geometry_.indexCapacity * geometry_.recordStride + geometry_.heapCapacity);
  }
  void word32(std::uint64_t offset) {
    std::byte* const at = region_.data() + offset;
    storeLittle(at, oddValue32(random_, loadLittle<std::uint32_t>(at)));
  }
  void word64(std::uint64_t offset) {
    std::byte* const at = region_.data() + offset;
    if (random_.percent(30)) return word32(offset + random_.below(2) * 4);
    storeLittle(at, oddValue64(random_, loadLittle<std::uint64_t>(at)));
  }
  void byte(std::uint64_t offset, std::uint64_t length) {
    region_.data()[offset + random_.below(length)] =
        static_cast<std::byte>(random_.percent(50) ? random_.below(32) : random_.bits());
  }
  void clearBits32(std::uint32_t offset, std::uint32_t bits) {
    std::byte* const at = region_.data() + offset;
    storeLittle(at, loadLittle<std::uint32_t>(at) & ~bits);
  }

  Region region_;
  Geometry geometry_;
  Random& random_;
};

TEST(MutatedHeader, isRefusedOrHarmless) {
  Random random;
  const std::vector<std::byte> healthy = healthyStrand();
  const TestStrand strand(8, 300, kFields);
  const GuardedMemory memory(healthy.size());
  std::uint64_t accepted = 0;
  constexpr std::uint64_t kMutations = 100'000;
  for (std::uint64_t i = 0; i < kMutations; ++i) {
    Random own = random.fork(i);
    std::copy(healthy.begin(), healthy.end(), memory.data());
    Mutator(memory.region(), strand.geometry, own).mutate();
    if (test::exerciseStrand(memory.region())) ++accepted;
  }
  // Both must happen often, or the test tests nothing.
  EXPECT_GT(accepted, kMutations / 10);
  EXPECT_LT(accepted, kMutations * 9 / 10);
}

TEST(MutatedHeader, anIntactOneIsAcceptedAndServes) {
  const std::vector<std::byte> healthy = healthyStrand();
  const GuardedMemory memory(healthy.size());
  std::copy(healthy.begin(), healthy.end(), memory.data());
  EXPECT_TRUE(test::exerciseStrand(memory.region()));
}

// Every byte of the header by itself, set to a few values that matter, with the checksum made to fit.
TEST(MutatedHeader, everySingleByteIsRefusedOrHarmless) {
  const std::vector<std::byte> healthy = healthyStrand();
  const GuardedMemory memory(healthy.size());
  for (std::uint32_t offset = 0; offset < layout::kOffsetSchema + 200; ++offset) {
    // The words that calls wait for; the test above comes by now and then.
    if (offset == layout::kOffsetEpoch || offset == layout::kOffsetActive + 3) continue;
    if (offset >= layout::kOffsetOwner + 4 && offset < layout::kOffsetErrorReason) continue;
    for (const int value : {0, 1, 127, 128, 255}) {
      std::copy(healthy.begin(), healthy.end(), memory.data());
      memory.data()[offset] = static_cast<std::byte>(value);
      test::sealSchema(memory.region());
      (void)test::exerciseStrand(memory.region());
    }
  }
}

}  // namespace
}  // namespace strand
