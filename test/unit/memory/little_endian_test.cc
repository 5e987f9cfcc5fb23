#include "memory/little_endian.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace strand {
namespace {

TEST(LittleEndian, putsTheLowByteFirstAtAnyAddress) {
  for (std::size_t at = 0; at < 8; ++at) {
    std::array<std::byte, 16> bytes{};
    storeLittle(bytes.data() + at, std::uint32_t{0x01020304});
    EXPECT_EQ(bytes[at], std::byte{4});
    EXPECT_EQ(bytes[at + 1], std::byte{3});
    EXPECT_EQ(bytes[at + 2], std::byte{2});
    EXPECT_EQ(bytes[at + 3], std::byte{1});
    EXPECT_EQ(loadLittle<std::uint32_t>(bytes.data() + at), 0x01020304U);
    storeLittle(bytes.data() + at, -2.5);
    EXPECT_EQ(loadLittle<double>(bytes.data() + at), -2.5);
  }
}

}  // namespace
}  // namespace strand
