#include "memory/boot_id.h"

#include <gtest/gtest.h>

namespace strand {
namespace {

TEST(BootId, isTheSameAllTheTimeAndNotZeroWhereTheSystemKnowsOne) {
  EXPECT_EQ(currentBootId(), currentBootId());
#if defined(__linux__)
  EXPECT_NE(currentBootId(), 0U);
#endif
}

}  // namespace
}  // namespace strand
