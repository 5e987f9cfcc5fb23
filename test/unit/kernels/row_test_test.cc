#include "kernels/row_test.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "kernels/column_kernels.h"
#include "support/column_key.h"
#include "support/guarded_memory.h"
#include "support/random.h"

namespace strand::kernels {
namespace {

using test::GuardedMemory;
using test::keyOf;
using test::Random;

constexpr std::int64_t kLowest = INT32_MIN;
constexpr std::int64_t kHighest = INT32_MAX;

Column words() { return {nullptr, 0, Lane::kWord, 0, true}; }

Column bit(unsigned index) { return {nullptr, 0, Lane::kWord, static_cast<std::uint8_t>(31 - index), true}; }
/// Keys of a bit that is set.
constexpr KeyRange kSet{0, kHighest};

struct ColumnTest {
  std::size_t offset;
  Column column;
  KeyRange range;

  bool passes(const std::byte* slot) const {
    const std::int64_t key = keyOf(column, slot + offset);
    return key >= range.low && key <= range.high;
  }
};

/// A range that lets most of the values pass, so that those that are left after several tests are not few.
ColumnTest randomTest(Random& random, std::size_t stride) {
  ColumnTest test{random.below(stride / 4) * 4, words(), kSet};
  test.column.isUnsigned = random.percent(50);
  if (random.percent(30)) {
    test.column = bit(static_cast<unsigned>(random.below(32)));
    return test;
  }
  if (random.percent(40)) {
    test.column.lane = Lane::kFloat;
  } else if (random.percent(50)) {
    test.column.shift = static_cast<std::uint8_t>(random.below(32));
  }
  const std::int64_t unit = std::int64_t{1} << test.column.shift;
  const auto bound = [&](std::int64_t from) {
    const auto distance = static_cast<std::int64_t>(random.below(std::uint64_t{1} << 30));
    return (from < 0 ? from + distance : from - distance) & -unit;
  };
  test.range = {random.percent(50) ? kLowest : bound(kLowest),
                random.percent(50) ? kHighest : bound(kHighest) + unit - 1};
  return test;
}

class MatchRowsTest : public testing::TestWithParam<const ColumnKernels*> {};

INSTANTIATE_TEST_SUITE_P(All, MatchRowsTest, testing::ValuesIn(supportedKernels().begin(), supportedKernels().end()),
                         [](const auto& test) { return std::string(test.param->name); });

TEST_P(MatchRowsTest, findsTheSlotsThatPassEveryTestAndReadsNoOther) {
  Random random;
  std::size_t found = 0;
  for (int round = 0; round < 1500; ++round) {
    const std::size_t stride = random.percent(70) ? random.between(8, 20) * 4 : random.between(8, 256) * 4;
    const std::size_t count = random.below(random.percent(50) ? 70 : 1200);
    const GuardedMemory memory(std::max<std::size_t>(count * stride, 8));
    for (std::size_t i = 0; i < count * stride; ++i) memory.data()[i] = static_cast<std::byte>(random.bits());

    RowTest row(stride);
    std::vector<ColumnTest> added;
    for (std::uint64_t n = random.below(12); n > 0; --n) {
      const ColumnTest test = randomTest(random, stride);
      if (row.add(test.offset, test.column, test.range)) added.push_back(test);
    }
    if (added.empty()) continue;

    std::vector<std::uint64_t> bits(wordsFor(count) + 1, 0xEEEEEEEEEEEEEEEE);
    GetParam()->matchRows(row, memory.data(), count, bits.data());
    for (std::size_t i = 0; i < wordsFor(count) * kBitsPerWord; ++i) {
      const bool expected = i < count && std::all_of(added.begin(), added.end(), [&](const ColumnTest& test) {
                              return test.passes(memory.data() + i * stride);
                            });
      found += expected ? 1 : 0;
      ASSERT_EQ((bits[i / 64] >> (i % 64) & 1U) != 0, expected)
          << "slot " << i << " of " << count << ", stride " << stride << ", tests " << added.size();
    }
    ASSERT_EQ(bits.back(), 0xEEEEEEEEEEEEEEEE) << "written past the bits";
  }
  EXPECT_GT(found, 0U) << "the ranges let nothing pass, so that the round shows little";
}

TEST(RowTest, takesWordsOfOneWindowInAnyOrder) {
  RowTest row(256);
  EXPECT_TRUE(row.add(100, words(), kSet));
  EXPECT_TRUE(row.add(112, words(), kSet));
  EXPECT_TRUE(row.add(84, words(), kSet));
  EXPECT_FALSE(row.add(80, words(), kSet)) << "112 is eight words further";
  EXPECT_FALSE(row.add(116, words(), kSet)) << "84 is eight words before";
  EXPECT_EQ(row.offset(), 84U);
}

TEST(RowTest, alignsItsWindowWhereThatHoldsAllWordsAndKeepsItInTheSlot) {
  RowTest row(72);
  EXPECT_TRUE(row.add(36, words(), kSet));
  EXPECT_TRUE(row.add(60, words(), kSet));
  EXPECT_EQ(row.offset(), 32U);
  EXPECT_TRUE(row.add(64, words(), kSet));
  EXPECT_EQ(row.offset(), 36U);
  RowTest last(72);
  EXPECT_TRUE(last.add(68, words(), kSet));
  EXPECT_EQ(last.offset(), 40U);
}

TEST(RowTest, refusesASecondTestOfAWordExceptOfBits) {
  RowTest row(32);
  EXPECT_TRUE(row.add(0, words(), {kLowest, 5}));
  EXPECT_FALSE(row.add(0, words(), {kLowest, 5}));
  EXPECT_FALSE(row.add(0, bit(3), kSet));
  EXPECT_TRUE(row.add(4, bit(3), kSet));
  EXPECT_TRUE(row.add(4, bit(31), kSet));
  EXPECT_TRUE(row.add(4, bit(0), kSet));
  EXPECT_FALSE(row.add(4, words(), {kLowest, 5}));
  EXPECT_FALSE(row.add(4, bit(5), {kLowest, -1})) << "asks for a bit that is not set";
}

TEST(RowTest, refusesLongsAndShortSlots) {
  RowTest row(64);
  EXPECT_FALSE(row.add(0, {nullptr, 0, Lane::kLong, 0, true}, kSet));
  EXPECT_FALSE(row.add(0, {nullptr, 0, Lane::kDouble, 0, false}, kSet));
  RowTest shorter(28);
  EXPECT_FALSE(shorter.add(0, words(), kSet));
}

}  // namespace
}  // namespace strand::kernels
