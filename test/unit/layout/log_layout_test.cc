#include "layout/log_layout.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <utility>

namespace strand::layout {
namespace {

// Numbers, not the constants again: a changed offset is a changed format and needs a new version.
TEST(LogLayout, hasTheOffsetsOfVersion1) {
  EXPECT_EQ(kLogMagic, 0x474F4C53U);
  EXPECT_EQ(kLogVersion, 1U);
  EXPECT_EQ(kPlainLogHeaderSize, 24U);
  EXPECT_EQ(kLogHeaderSize, 512U);
  EXPECT_EQ(kLogFlagChecksum, 1U);
  const std::array<std::pair<std::uint32_t, std::uint32_t>, 15> offsets{{{kLogOffsetHeaderSize, 0},
                                                                         {kLogOffsetDataOffset, 8},
                                                                         {kLogOffsetSize, 16},
                                                                         {kLogOffsetMagic, 24},
                                                                         {kLogOffsetVersion, 28},
                                                                         {kLogOffsetFrameWidth, 32},
                                                                         {kLogOffsetFlags, 36},
                                                                         {kLogOffsetCapacity, 40},
                                                                         {kLogOffsetMaxCapacity, 48},
                                                                         {kLogOffsetExtensionCrc, 56},
                                                                         {kLogOffsetIdentity, 0x40},
                                                                         {kLogOffsetReserved, 0x80},
                                                                         {kLogOffsetDurable, 0x88},
                                                                         {kLogOffsetBoot, 0x90},
                                                                         {kLogOffsetEvent, 0x100}}};
  for (const auto& [offset, expected] : offsets) EXPECT_EQ(offset, expected);
}

}  // namespace
}  // namespace strand::layout
