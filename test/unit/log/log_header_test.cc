#include "log/log_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "memory/little_endian.h"
#include "support/random.h"
#include "support/test_log.h"

namespace strand {
namespace {

using namespace layout;
using ::testing::HasSubstr;

constexpr FrameFormat kNarrow{2, false};
constexpr FrameFormat kWide{4, false};
constexpr FrameFormat kChecked{4, true};

struct Decoded {
  LogHeader header;
  std::uint64_t committed = 0;
  Fault fault;
};

Decoded decode(std::span<const std::byte> bytes, std::uint64_t fileSize) {
  Decoded decoded;
  const bool fine = decodeLogHeader(bytes, fileSize, "the path", decoded.header, decoded.committed, decoded.fault);
  EXPECT_EQ(fine, decoded.fault.ok());
  if (!fine) {
    EXPECT_EQ(decoded.fault.code, FaultCode::kFormat);
    EXPECT_THAT(decoded.fault.message, HasSubstr("the path"));
  }
  return decoded;
}

LogHeaderBytes encoded(std::uint64_t capacity, std::uint64_t maxCapacity, FrameFormat format) {
  LogHeaderBytes bytes;
  encodeLogHeader(planLogHeader(capacity, maxCapacity, format), bytes);
  return bytes;
}

TEST(FrameFormat, saysWhatAFrameTakes) {
  EXPECT_EQ(kNarrow.overhead(), 4U);
  EXPECT_EQ(kNarrow.maxPayload(), 65531U);
  EXPECT_EQ(kWide.overhead(), 8U);
  EXPECT_EQ(kWide.maxPayload(), std::uint64_t{1} << 30U);
  EXPECT_EQ(kChecked.lead(), 8U);
  EXPECT_EQ(kChecked.trail(), 4U);
  EXPECT_EQ(kChecked.overhead(), 12U);
  EXPECT_EQ(kChecked.maxPayload(), std::uint64_t{1} << 30U);
}

TEST(FrameFormat, believesLengthsOnlyInsideTheirRange) {
  for (const FrameFormat& format : {kNarrow, kWide, kChecked}) {
    std::vector<std::byte> bytes(64);
    for (std::uint64_t total = 0; total < 100; ++total) {
      for (std::uint64_t room = 0; room <= 48; ++room) {
        const bool fits = total >= format.overhead() && total <= room;
        if (room >= format.width) {
          format.storeTotal(bytes.data() + 8, total);
          EXPECT_EQ(format.totalAt(bytes.data(), 8, 8 + room), fits ? total : 0) << total << ' ' << room;
          format.storeTotal(bytes.data() + 8 + room - format.width, total);
          if (fits) format.storeTotal(bytes.data() + 8 + room - total, total);
          EXPECT_EQ(format.totalBefore(bytes.data(), 8 + room, 8), fits ? total : 0) << total << ' ' << room;
        } else {
          EXPECT_EQ(format.totalAt(bytes.data(), 8, 8 + room), 0U);
          EXPECT_EQ(format.totalBefore(bytes.data(), 8 + room, 8), 0U);
        }
      }
    }
  }
}

TEST(FrameFormat, goingBackBelievesNoLengthThatIsNotTheFramesFirstToo) {
  for (const FrameFormat& format : {kNarrow, kWide, kChecked}) {
    std::vector<std::byte> bytes(64);
    format.storeTotal(bytes.data() + 8, 40);
    format.storeTotal(bytes.data() + 48 - format.width, 40);
    EXPECT_EQ(format.totalBefore(bytes.data(), 48, 0), 40U);
    EXPECT_TRUE(format.neighbourSound(bytes.data(), 48, 0));
    format.storeTotal(bytes.data() + 8, 41);
    EXPECT_EQ(format.totalBefore(bytes.data(), 48, 0), 0U);
    EXPECT_FALSE(format.neighbourSound(bytes.data(), 48, 0));
    EXPECT_TRUE(format.neighbourSound(bytes.data(), 48, 48)) << "in front of the first frame there is none";
  }
}

TEST(FrameFormat, aChecksumCoversAddressLengthAndPayload) {
  test::Random random;
  std::vector<std::byte> bytes(64);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.bits());
  kChecked.storeTotal(bytes.data() + 16, 40);
  kChecked.storeTotal(bytes.data() + 52, 40);
  kChecked.storeChecksum(bytes.data(), 16, 40);
  ASSERT_TRUE(kChecked.sound(bytes.data(), 16, 40));
  for (std::size_t bit = 16 * 8; bit < 56 * 8; ++bit) {
    if (bit / 8 < 20) continue;  // the first length is what the caller has loaded
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(kChecked.sound(bytes.data(), 16, 40)) << bit;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
  EXPECT_FALSE(kChecked.checksumFits(bytes.data(), 16, 39));
  std::vector<std::byte> moved(bytes.size() + 4);
  std::copy(bytes.begin(), bytes.end(), moved.begin() + 4);
  EXPECT_FALSE(kChecked.sound(moved.data(), 20, 40)) << "a frame's bytes at another address";
}

TEST(LogHeaderPlan, extendsEveryFileThatHasTheRoom) {
  for (const FrameFormat& format : {kNarrow, kWide, kChecked}) {
    const std::uint64_t least = kLogHeaderSize + format.overhead();
    const LogHeader small = planLogHeader(least - 1, 0, format);
    EXPECT_FALSE(small.extended);
    EXPECT_EQ(small.headerSize, 24U);
    EXPECT_EQ(small.dataOffset, 24U);
    const LogHeader large = planLogHeader(least, 10'000, format);
    EXPECT_TRUE(large.extended);
    EXPECT_EQ(large.headerSize, 512U);
    EXPECT_EQ(large.dataOffset, 512U);
    EXPECT_EQ(large.capacity, least);
    EXPECT_EQ(large.maxCapacity, 10'000U);
    EXPECT_EQ(planLogHeader(least, 0, format).maxCapacity, least);
  }
}

TEST(LogHeader, isDecodedToWhatWasEncoded) {
  test::Random random;
  for (int round = 0; round < 200; ++round) {
    const FrameFormat format = random.pick(std::vector<FrameFormat>{kNarrow, kWide, kChecked});
    const std::uint64_t capacity = random.between(600, std::uint64_t{1} << random.between(10, 52));
    LogHeader header = planLogHeader(capacity, random.percent(50) ? 0 : capacity + random.below(1000), format);
    header.identity = random.bits();
    LogHeaderBytes bytes;
    encodeLogHeader(header, bytes);
    const Decoded decoded = decode(bytes, capacity);
    ASSERT_TRUE(decoded.fault.ok()) << decoded.fault.message;
    EXPECT_TRUE(decoded.header.extended);
    EXPECT_EQ(decoded.header.headerSize, header.headerSize);
    EXPECT_EQ(decoded.header.dataOffset, header.dataOffset);
    EXPECT_EQ(decoded.header.capacity, header.capacity);
    EXPECT_EQ(decoded.header.maxCapacity, header.maxCapacity);
    EXPECT_EQ(decoded.header.identity, header.identity);
    EXPECT_EQ(decoded.header.format.width, format.width);
    EXPECT_EQ(decoded.header.format.checked, format.checked);
    EXPECT_EQ(decoded.committed, 512U);
  }
}

TEST(LogHeader, ofAPlainLogIsTwentyFourBytes) {
  const LogHeaderBytes bytes = encoded(100, 0, kNarrow);
  const Decoded decoded = decode(std::span(bytes).first(100), 100);
  ASSERT_TRUE(decoded.fault.ok()) << decoded.fault.message;
  EXPECT_FALSE(decoded.header.extended);
  EXPECT_EQ(decoded.header.format.width, 2U);
  EXPECT_FALSE(decoded.header.format.checked);
  EXPECT_EQ(decoded.header.capacity, 100U);
  EXPECT_EQ(decoded.committed, 24U);
  EXPECT_EQ(decoded.header.identity, 0U);
  for (std::size_t i = 24; i < bytes.size(); ++i) EXPECT_EQ(bytes[i], std::byte{0});
}

TEST(LogHeader, ofAnotherProgramMayBeLarger) {
  for (const std::uint64_t size : {25U, 128U, 511U, 512U, 4096U, 1U << 20U}) {
    LogHeaderBytes bytes{};
    storeLittle(bytes.data(), size);
    storeLittle(bytes.data() + kLogOffsetDataOffset, size);
    storeLittle(bytes.data() + kLogOffsetSize, size + 8);
    const Decoded decoded = decode(bytes, size + 100);
    ASSERT_TRUE(decoded.fault.ok()) << decoded.fault.message;
    EXPECT_FALSE(decoded.header.extended);
    EXPECT_EQ(decoded.header.dataOffset, size);
    EXPECT_EQ(decoded.committed, size + 8);
    EXPECT_EQ(decoded.header.identity, 0U);
  }
}

TEST(LogHeader, isRefusedWhereAFieldLeadsElsewhere) {
  constexpr std::uint64_t kHuge = UINT64_MAX;
  const auto refused = [](std::uint32_t offset, std::uint64_t value, bool wide, const char* why) {
    LogHeaderBytes bytes = encoded(1000, 2000, kChecked);
    if (wide) {
      storeLittle(bytes.data() + offset, value);
    } else {
      storeLittle(bytes.data() + offset, static_cast<std::uint32_t>(value));
    }
    test::sealExtension(bytes);
    const Decoded decoded = decode(bytes, 1000);
    EXPECT_THAT(decoded.fault.message, HasSubstr(why)) << offset << ' ' << value;
  };
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{23}, (std::uint64_t{1} << 20U) + 1, kHuge}) {
    refused(kLogOffsetHeaderSize, size, true, "no header");
  }
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{511}, (std::uint64_t{1} << 20U) + 1, kHuge}) {
    refused(kLogOffsetDataOffset, offset, true, "no header");
  }
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{511}, std::uint64_t{1001}, kHuge}) {
    refused(kLogOffsetSize, size, true, "outside of 512 to 1000");
  }
  refused(kLogOffsetVersion, 0, false, "its version is 0, known is 1");
  refused(kLogOffsetVersion, 2, false, "its version is 2");
  for (const std::uint64_t width : {0U, 1U, 3U, 8U}) refused(kLogOffsetFrameWidth, width, false, "unknown kind");
  refused(kLogOffsetFrameWidth, 2, false, "unknown kind");  // with checksums
  refused(kLogOffsetFlags, 3, false, "unknown kind");
  refused(kLogOffsetCapacity, 511, true, "contradict");
  refused(kLogOffsetCapacity, 2001, true, "contradict");
  refused(kLogOffsetMaxCapacity, 999, true, "contradict");
  refused(kLogOffsetMaxCapacity, (std::uint64_t{1} << 53U) + 1, true, "contradict");
}

TEST(LogHeader, ofAFileWithoutRoomForItIsRefused) {
  const LogHeaderBytes bytes = encoded(1000, 0, kNarrow);
  for (std::size_t size = 0; size < 512; ++size) {
    EXPECT_FALSE(decode(std::span(bytes).first(size), size).fault.ok()) << size;
  }
  EXPECT_TRUE(decode(bytes, 512).fault.ok());
}

TEST(LogHeader, noBitOfItsStaticPartFlipsUnnoticed) {
  LogHeaderBytes bytes = encoded(1000, 2000, kWide);
  for (std::size_t bit = kLogOffsetVersion * 8; bit < (kLogOffsetExtensionCrc + 4) * 8; ++bit) {
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(decode(bytes, 1000).fault.ok()) << bit;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

TEST(LogHeader, ofAnyBytesIsRefusedOrStaysInsideTheFile) {
  test::Random random;
  std::uint64_t accepted = 0;
  constexpr std::uint64_t kRounds = 100'000;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    const std::uint64_t fileSize = random.between(0, 3000);
    LogHeaderBytes bytes = encoded(random.between(520, 3000), 0, random.percent(50) ? kNarrow : kChecked);
    for (std::uint64_t n = random.between(1, 3); n > 0; --n) {
      std::byte* const at = bytes.data() + random.below(8) * 8;
      storeLittle(at, random.percent(50) ? random.below(4000) : random.bits());
    }
    if (random.percent(90)) test::sealExtension(bytes);
    const std::size_t known = std::min<std::size_t>(fileSize, bytes.size());
    const std::vector<std::byte> exact(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(known));
    const Decoded decoded = decode(exact, fileSize);
    if (!decoded.fault.ok()) continue;
    ++accepted;
    ASSERT_GE(decoded.header.headerSize, 24U);
    ASSERT_LE(decoded.header.headerSize, decoded.header.dataOffset);
    ASSERT_LE(decoded.header.dataOffset, decoded.committed);
    ASSERT_LE(decoded.committed, fileSize);
    ASSERT_LE(decoded.header.maxCapacity, std::uint64_t{1} << 53U);
    ASSERT_TRUE(decoded.header.format.width == 2 || decoded.header.format.width == 4);
  }
  EXPECT_GT(accepted, kRounds / 200);
}

}  // namespace
}  // namespace strand
