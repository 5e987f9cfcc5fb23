#include "kernels/strided.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "support/random.h"

namespace strand::kernels {
namespace {

using test::Random;

std::vector<std::byte> randomBytes(Random& random, std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.bits());
  return bytes;
}

TEST(Strided, gathersAndScattersEveryWidthAtEveryPlaceOfASlot) {
  Random random;
  for (const std::size_t width : {1U, 2U, 4U, 8U, 3U, 16U, 33U}) {
    for (const std::size_t stride : {36U, 40U, 64U, 100U}) {
      const bool isNumber = width <= 8 && width != 3;
      const std::size_t step = isNumber ? std::min<std::size_t>(width, 4) : 1;
      for (std::size_t offset = 0; offset + width <= stride; offset += step) {
        const std::size_t count = random.below(70);
        const std::vector<std::byte> slots = randomBytes(random, stride * (count + 1));
        std::vector<std::byte> column(count * width);
        if (isNumber) {
          gatherNumbers(slots.data() + offset, stride, count, width, column.data());
        } else {
          gatherBytes(slots.data() + offset, stride, count, width, column.data());
        }
        for (std::size_t i = 0; i < count; ++i) {
          ASSERT_EQ(std::memcmp(column.data() + i * width, slots.data() + i * stride + offset, width), 0);
        }
        std::vector<std::byte> back = slots;
        for (std::size_t i = 0; i < count; ++i) std::memset(back.data() + i * stride + offset, 0, width);
        scatterNumbers(column.data(), count, width, back.data() + offset, stride);
        ASSERT_EQ(back, slots);
      }
    }
  }
}

TEST(Strided, gathersBitsFromAnyBitOnAndClearsWhatIsAbsent) {
  Random random;
  for (int round = 0; round < 500; ++round) {
    const std::size_t stride = 4 * random.between(1, 10);
    const std::size_t first = random.below(70);
    const std::size_t count = random.below(150);
    const auto bit = static_cast<std::uint32_t>(random.below(8));
    const std::vector<std::byte> slots = randomBytes(random, stride * (count + 1));
    std::vector<std::uint32_t> words((first + count + 31) / 32);
    for (std::size_t i = 0; i < first; ++i) words[i / 32] |= std::uint32_t{1} << i % 32;
    gatherBits(slots.data(), stride, count, bit, words, first);
    std::vector<std::byte> values = randomBytes(random, 8 * count);
    const std::vector<std::byte> before = values;
    clearAbsent(values.data(), 8, count, 8, words, first);
    for (std::size_t i = 0; i < first; ++i) ASSERT_TRUE(bitAt(words, i));
    for (std::size_t i = 0; i < count; ++i) {
      const bool present = (slots[i * stride] >> bit & std::byte{1}) != std::byte{0};
      ASSERT_EQ(bitAt(words, first + i), present);
      const std::vector<std::byte> zeros(8);
      ASSERT_EQ(std::memcmp(values.data() + 8 * i, present ? before.data() + 8 * i : zeros.data(), 8), 0);
    }
  }
}

TEST(Strided, makesEveryTrueOne) {
  std::vector<std::byte> values{std::byte{0}, std::byte{7}, std::byte{2}, std::byte{9}, std::byte{255}};
  normalizeBooleans(values.data(), 2, 3);
  EXPECT_EQ(values, (std::vector<std::byte>{std::byte{0}, std::byte{7}, std::byte{1}, std::byte{9}, std::byte{1}}));
}

}  // namespace
}  // namespace strand::kernels
