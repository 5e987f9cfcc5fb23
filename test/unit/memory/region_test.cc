#include "memory/region.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "support/sanitized.h"

namespace strand {
namespace {

TEST(Region, allocatesZeroedAlignedMemory) {
  const Region region = Region::allocate(1000);
  ASSERT_NE(region.data(), nullptr);
  EXPECT_EQ(region.size(), 1000U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(region.data()) % 128, 0U);
  EXPECT_TRUE(
      std::all_of(region.data(), region.data() + region.size(), [](std::byte byte) { return byte == std::byte{0}; }));
}

TEST(Region, answersAnImpossibleSizeWithAnEmptyRegion) {
  if (test::kSanitized) GTEST_SKIP() << "the sanitizer ends the process instead";
  const Region region = Region::allocate(std::uint64_t{1} << 62);
  EXPECT_EQ(region.data(), nullptr);
  EXPECT_EQ(region.size(), 0U);
}

TEST(Region, keepsItsMemoryUntilTheLastCopyIsGone) {
  auto keeper = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = keeper;
  std::byte memory[8]{};
  Region copy;
  {
    const Region region(memory, sizeof memory, std::move(keeper));
    copy = region;
  }
  EXPECT_FALSE(watched.expired());
  copy = {};
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace strand
