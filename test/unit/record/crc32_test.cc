#include "record/crc32.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "support/random.h"

namespace strand {
namespace {

std::uint32_t crcOf(std::string_view text) { return crc32(std::as_bytes(std::span(text))); }

TEST(Crc32, agreesWithThePublishedCheckValues) {
  EXPECT_EQ(crcOf(""), 0U);
  EXPECT_EQ(crcOf("123456789"), 0xCBF43926U);  // the catalogue's check value of CRC-32/ISO-HDLC
  EXPECT_EQ(crcOf("a"), 0xE8B7BE43U);
  EXPECT_EQ(crcOf("The quick brown fox jumps over the lazy dog"), 0x414FA339U);
}

TEST(Crc32, changesWithEverySingleBit) {
  test::Random random;
  std::vector<std::byte> bytes(24);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.bits());
  const std::uint32_t before = crc32(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_NE(crc32(bytes), before) << "bit " << bit;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

}  // namespace
}  // namespace strand
