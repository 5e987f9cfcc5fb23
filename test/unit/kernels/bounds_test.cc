#include "kernels/bounds.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace strand::kernels {
namespace {

TEST(AllBelow, holdsOfNoValues) {
  EXPECT_TRUE(allBelow({}, 0));
  EXPECT_TRUE(allBelow({}, 1));
}

TEST(AllBelow, tellsTheLimitFromTheValueBelowItWhereverOneStands) {
  for (const std::uint32_t limit : {1U, 2U, 3U, 255U, 1U << 20U, 0x7fffffffU, 0x80000000U}) {
    for (std::size_t length = 1; length < 40; ++length) {
      for (std::size_t at = 0; at < length; ++at) {
        std::vector<std::uint32_t> values(length, 0);
        values[at] = limit - 1;
        EXPECT_TRUE(allBelow(values, limit));
        for (const std::uint32_t over : {limit, 0x80000000U, 0xffffffffU}) {
          values[at] = over;
          EXPECT_FALSE(allBelow(values, limit)) << over << " below " << limit;
        }
      }
    }
  }
}

TEST(AllBelow, holdsOfNothingBelowNought) {
  const std::vector<std::uint32_t> values{0};
  EXPECT_FALSE(allBelow(values, 0));
}

}  // namespace
}  // namespace strand::kernels
