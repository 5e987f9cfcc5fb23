#include "kernels/column_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/handle_set.h"
#include "memory/little_endian.h"
#include "support/column_key.h"
#include "support/guarded_memory.h"
#include "support/random.h"

namespace strand::kernels {
namespace {

using test::GuardedMemory;
using test::isWide;
using test::keyOf;
using test::Random;

constexpr Lane kLanes[]{Lane::kWord, Lane::kLong, Lane::kFloat, Lane::kDouble};

/// Values at a stride, in memory that ends with the last one and begins with the first.
class RandomColumn {
 public:
  RandomColumn(Random& random, Lane lane, std::size_t stride, std::size_t count)
      : width_(isWide(lane) ? 8 : 4), memory_(count == 0 ? 8 : (count - 1) * stride + width_) {
    std::byte* const data = memory_.data();
    const std::size_t size = count == 0 ? 0 : (count - 1) * stride + width_;
    for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<std::byte>(random.bits());
    for (std::size_t i = 0; i < count; ++i) {
      // Zeros, infinities, and NaN of both signs; the lowest and highest integers.
      static constexpr std::uint32_t kSpecial[]{0,          0x80000000, 0x7F800000, 0xFF800000,
                                                0x7FC00000, 0xFFC00000, 0x7FFFFFFF, 0xFFFFFFFF};
      if (!random.percent(20)) continue;
      const std::uint32_t special = kSpecial[random.below(std::size(kSpecial))];
      storeLittle(data + i * stride + width_ - 4, special);
      if (width_ == 8 && random.percent(80)) storeLittle(data + i * stride, std::uint32_t{0});
    }
    column.first = data;
    column.stride = stride;
    column.lane = lane;
    column.isUnsigned = random.percent(50);
    if (lane == Lane::kWord && random.percent(50)) column.shift = static_cast<std::uint8_t>(random.below(32));
    for (std::size_t i = 0; i < count; ++i) keys.push_back(keyOf(column, data + i * stride));
  }

  KeyRange randomRange(Random& random) const {
    const auto bound = [&]() -> std::int64_t {
      if (!keys.empty() && random.percent(60)) return random.pick(keys);
      const auto bits = static_cast<std::int64_t>(random.bits());
      return width_ == 8 ? bits : static_cast<std::int32_t>(bits);
    };
    const auto [low, high] = std::minmax({bound(), bound()});
    return {low, high};
  }

  Column column;
  std::vector<std::int64_t> keys;

 private:
  std::size_t width_;
  GuardedMemory memory_;
};

class ColumnKernelsTest : public testing::TestWithParam<const ColumnKernels*> {};

INSTANTIATE_TEST_SUITE_P(All, ColumnKernelsTest,
                         testing::ValuesIn(supportedKernels().begin(), supportedKernels().end()),
                         [](const auto& test) { return std::string(test.param->name); });

std::vector<std::size_t> strides(Lane lane) {
  std::vector<std::size_t> all;
  for (std::size_t stride = isWide(lane) ? 8 : 4; stride <= 72; stride += 4) all.push_back(stride);
  all.insert(all.end(), {128, 252, 256, 1000, 1024});
  return all;
}

TEST_P(ColumnKernelsTest, matchGivesOneBitAValueAtAnyStrideAndLength) {
  Random random;
  for (const Lane lane : kLanes) {
    for (const std::size_t stride : strides(lane)) {
      for (int round = 0; round < 6; ++round) {
        const std::size_t count = random.below(random.percent(50) ? 70 : 600);
        const RandomColumn values(random, lane, stride, count);
        const KeyRange range = values.randomRange(random);
        std::vector<std::uint64_t> bits(wordsFor(count) + 1, 0xEEEEEEEEEEEEEEEE);
        GetParam()->match(values.column, range, count, bits.data());
        for (std::size_t i = 0; i < wordsFor(count) * kBitsPerWord; ++i) {
          const bool expected = i < count && values.keys[i] >= range.low && values.keys[i] <= range.high;
          ASSERT_EQ((bits[i / 64] >> (i % 64) & 1U) != 0, expected)
              << "value " << i << " of " << count << ", stride " << stride << ", lane " << static_cast<int>(lane);
        }
        ASSERT_EQ(bits.back(), 0xEEEEEEEEEEEEEEEE) << "written past the bits";
      }
    }
  }
}

TEST_P(ColumnKernelsTest, extremesAreOfTheSetBitsInTheRange) {
  Random random;
  for (const Lane lane : kLanes) {
    for (const std::size_t stride : strides(lane)) {
      for (int round = 0; round < 6; ++round) {
        const std::size_t count = random.below(random.percent(50) ? 70 : 600);
        const RandomColumn values(random, lane, stride, count);
        const KeyRange range = values.randomRange(random);
        const std::uint64_t density = random.pick<std::uint64_t>({0, 1, 10, 40, 90, 100});
        std::vector<std::uint64_t> bits(wordsFor(count));
        KeyExtremes expected;
        if (random.percent(30)) expected = {-5, 5};
        KeyExtremes found = expected;
        for (std::size_t i = 0; i < count; ++i) {
          if (!random.percent(density)) continue;
          bits[i / 64] |= std::uint64_t{1} << (i % 64);
          if (values.keys[i] < range.low || values.keys[i] > range.high) continue;
          expected.low = std::min(expected.low, values.keys[i]);
          expected.high = std::max(expected.high, values.keys[i]);
        }
        GetParam()->extremes(values.column, range, count, bits.data(), found);
        ASSERT_EQ(found.low, expected.low) << "stride " << stride << ", lane " << static_cast<int>(lane);
        ASSERT_EQ(found.high, expected.high) << "stride " << stride << ", lane " << static_cast<int>(lane);
      }
    }
  }
}

TEST_P(ColumnKernelsTest, countsBits) {
  Random random;
  for (std::size_t size = 0; size < 100; ++size) {
    std::vector<std::uint32_t> words(size);
    std::uint64_t expected = 0;
    for (std::uint32_t& word : words) {
      word = static_cast<std::uint32_t>(random.bits());
      for (std::uint32_t bit = 0; bit < 32; ++bit) expected += word >> bit & 1U;
    }
    ASSERT_EQ(GetParam()->countBits(words), expected);
  }
}

TEST(ChooseKernels, takesTheNamedVersionOrTheFastestThatRuns) {
  for (const ColumnKernels* kernels : supportedKernels()) {
    EXPECT_EQ(&chooseKernels(std::string(kernels->name).c_str()), kernels);
  }
  const ColumnKernels* const fastest = supportedKernels().back();
  EXPECT_EQ(&chooseKernels(nullptr), fastest);
  EXPECT_EQ(&chooseKernels(""), fastest);
  EXPECT_EQ(&chooseKernels("avx1024"), fastest);
  EXPECT_EQ(supportedKernels().front()->name, "generic");
}

TEST(HandleSet, holdsWhatItWasGivenAndNothingElse) {
  Random random;
  for (int round = 0; round < 300; ++round) {
    // Close together, spread over all handles, or at both ends.
    const std::uint64_t limit = random.pick<std::uint64_t>({1, 5, 1000, 1U << 20, std::uint64_t{1} << 32});
    std::vector<std::uint32_t> handles(random.below(random.percent(80) ? 50 : 5000));
    for (std::uint32_t& handle : handles) handle = static_cast<std::uint32_t>(random.below(limit));
    if (random.percent(10)) handles.push_back(UINT32_MAX);
    const HandleSet set(handles);
    ASSERT_EQ(set.empty(), handles.empty());
    std::vector<std::uint32_t> values(random.below(200));
    for (std::uint32_t& value : values) {
      value = static_cast<std::uint32_t>(random.below(limit));
      if (!handles.empty() && random.percent(50)) value = random.pick(handles);
      if (random.percent(5)) value = UINT32_MAX;
    }
    std::vector<std::uint64_t> bits(wordsFor(values.size()), ~std::uint64_t{0});
    set.match({reinterpret_cast<const std::byte*>(values.data()), 4}, values.size(), bits.data());
    for (std::size_t i = 0; i < bits.size() * 64; ++i) {
      const bool expected = i < values.size() && std::find(handles.begin(), handles.end(), values[i]) != handles.end();
      ASSERT_EQ((bits[i / 64] >> (i % 64) & 1U) != 0, expected);
    }
  }
}

}  // namespace
}  // namespace strand::kernels
