#include "kernels/crc32c.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "support/random.h"

namespace strand {
namespace {

using Crc = std::uint32_t (*)(std::uint32_t, std::span<const std::byte>) noexcept;

class Crc32c : public ::testing::TestWithParam<Crc> {
 protected:
  static std::uint32_t of(std::span<const std::byte> bytes) { return GetParam()(0, bytes); }
};

INSTANTIATE_TEST_SUITE_P(, Crc32c, ::testing::Values(crc32c, detail::crc32cGeneric),
                         [](const auto& kernel) { return kernel.index == 0 ? "chosen" : "generic"; });

TEST_P(Crc32c, agreesWithTheExamplesOfRfc3720) {  // appendix B.4
  std::array<std::byte, 32> bytes{};
  EXPECT_EQ(of(bytes), 0x8A9136AAU);
  bytes.fill(std::byte{0xFF});
  EXPECT_EQ(of(bytes), 0x62A8AB43U);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i);
  EXPECT_EQ(of(bytes), 0x46DD794EU);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(31 - i);
  EXPECT_EQ(of(bytes), 0x113FDB5CU);
  constexpr std::array<std::uint8_t, 48> kRead10{
      0x01, 0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
      0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18,
      0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
  EXPECT_EQ(of(std::as_bytes(std::span(kRead10))), 0xD9963A56U);
}

TEST_P(Crc32c, agreesWithTheCatalogue) {
  EXPECT_EQ(of({}), 0U);
  EXPECT_EQ(of(std::as_bytes(std::span(std::string_view("123456789")))), 0xE3069283U);
}

TEST_P(Crc32c, ofPiecesIsThatOfTheWhole) {
  test::Random random;
  std::vector<std::byte> bytes(100);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.bits());
  const std::span<const std::byte> whole(bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    EXPECT_EQ(GetParam()(of(whole.first(cut)), whole.subspan(cut)), of(whole)) << cut;
  }
}

TEST(Crc32cKernels, agreeOnEveryLengthAndAlignment) {
  test::Random random;
  std::vector<std::byte> bytes(600);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.bits());
  const std::span<const std::byte> all(bytes);
  for (std::size_t from = 0; from < 16; ++from) {
    for (std::size_t length = 0; length < 100; ++length) {
      const auto seed = static_cast<std::uint32_t>(random.bits());
      const auto piece = all.subspan(from, length);
      ASSERT_EQ(crc32c(seed, piece), detail::crc32cGeneric(seed, piece)) << from << ' ' << length;
    }
  }
  for (int i = 0; i < 1000; ++i) {
    const std::size_t from = random.below(bytes.size());
    const auto piece = all.subspan(from, random.below(bytes.size() - from + 1));
    const auto seed = static_cast<std::uint32_t>(random.bits());
    ASSERT_EQ(crc32c(seed, piece), detail::crc32cGeneric(seed, piece)) << from << ' ' << piece.size();
  }
}

}  // namespace
}  // namespace strand
