#include "ring/reason.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "layout/strand_layout.h"
#include "memory/atomic_word.h"

namespace strand {
namespace {

class Reason : public ::testing::Test {
 protected:
  alignas(8) std::array<std::byte, 4 + layout::kMaxReasonBytes + 8> memory{};
  std::byte* at = memory.data();
};

TEST_F(Reason, isEmptyUntilWritten) {
  EXPECT_EQ(readReason(at), "");
  writeReason(at, "");
  EXPECT_EQ(readReason(at), "");
  writeReason(at, "text");
  EXPECT_EQ(readReason(at), "text");
}

TEST_F(Reason, theFirstOneStaysUntilItIsCleared) {
  writeReason(at, "first");
  writeReason(at, "second");
  EXPECT_EQ(readReason(at), "first");
  clearReason(at);
  EXPECT_EQ(readReason(at), "");
  writeReason(at, "third");
  EXPECT_EQ(readReason(at), "third");
}

TEST_F(Reason, aLongOneIsCutAtACharactersBoundary) {
  const std::string four = "\xF0\x9F\x8D\x95";
  for (std::size_t before = 0; before < 8; ++before) {
    std::string text(before, 'x');
    while (text.size() < 200) text += four;
    memory.fill(std::byte{0});
    writeReason(at, text);
    const std::string read = readReason(at);
    EXPECT_LE(read.size(), layout::kMaxReasonBytes);
    EXPECT_GT(read.size(), layout::kMaxReasonBytes - 4);
    EXPECT_EQ((read.size() - before) % 4, 0U);
    EXPECT_EQ(text.compare(0, read.size(), read), 0);
    for (std::size_t i = 4 + layout::kMaxReasonBytes; i < memory.size(); ++i) EXPECT_EQ(memory[i], std::byte{0});
  }
}

TEST_F(Reason, ofExactlyTheRoomIsKeptWhole) {
  const std::string text(layout::kMaxReasonBytes, 'x');
  writeReason(at, text);
  EXPECT_EQ(readReason(at), text);
}

TEST_F(Reason, ofContinuationBytesOnlyIsEmptyAndHarmless) {
  writeReason(at, std::string(500, '\x80'));
  EXPECT_EQ(readReason(at), "");
}

TEST_F(Reason, aDamagedLengthReadsNothing) {
  for (const std::uint32_t length : {layout::kMaxReasonBytes + 1, 0x7FFFFFFFU, layout::kReasonPending}) {
    Word32(at, 0).storeRelease(length);
    EXPECT_EQ(readReason(at), "");
  }
}

}  // namespace
}  // namespace strand
