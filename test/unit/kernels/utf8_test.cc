#include "kernels/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/random.h"
#include "support/reference_utf8.h"

namespace strand::kernels {
namespace {

std::u16string decoded(std::string_view text) {
  std::u16string out;
  appendUtf16(text, out);
  return out;
}

TEST(Utf8, decodesEveryCodePoint) {
  for (std::uint32_t point = 0; point <= 0x10FFFF; ++point) {
    if (point >= 0xD800 && point <= 0xDFFF) continue;
    std::string text;
    const auto put = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
    std::u16string expected;
    if (point < 0x10000) {
      expected.push_back(static_cast<char16_t>(point));
    } else {
      expected.push_back(static_cast<char16_t>(0xD800 + ((point - 0x10000) >> 10)));
      expected.push_back(static_cast<char16_t>(0xDC00 + ((point - 0x10000) & 0x3FF)));
    }
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xC0 | point >> 6);
      put(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
      put(0xE0 | point >> 12);
      put(0x80 | (point >> 6 & 0x3F));
      put(0x80 | (point & 0x3F));
    } else {
      put(0xF0 | point >> 18);
      put(0x80 | (point >> 12 & 0x3F));
      put(0x80 | (point >> 6 & 0x3F));
      put(0x80 | (point & 0x3F));
    }
    ASSERT_EQ(decoded(text), expected) << std::hex << point;
  }
}

TEST(Utf8, replacesEachMaximalSubpartOnce) {
  EXPECT_EQ(decoded("a\x80z"), u"a\uFFFDz");
  EXPECT_EQ(decoded("\xC0\x80"), u"\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(decoded("\xE0\x80\x80"), u"\uFFFD\uFFFD\uFFFD");  // overlong
  EXPECT_EQ(decoded("\xED\xA0\x80"), u"\uFFFD\uFFFD\uFFFD");  // a surrogate
  EXPECT_EQ(decoded("\xF4\x90\x80\x80"), u"\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(decoded("\xE2\x82"), u"\uFFFD");
  EXPECT_EQ(decoded("\xE2\x82z"), u"\uFFFDz");
  EXPECT_EQ(decoded("\xF0\x9F\x8D"), u"\uFFFD");
  EXPECT_EQ(decoded("\xF0\x9F\xF0\x9F\x8D\x95"), u"\uFFFD\U0001F355");
  EXPECT_EQ(decoded("\xFE\xFF"), u"\uFFFD\uFFFD");
}

TEST(Utf8, keepsAByteOrderMarkAndNulls) {
  EXPECT_EQ(decoded("\xEF\xBB\xBFx"), u"\uFEFFx");
  EXPECT_EQ(decoded(std::string_view("a\0b", 3)), std::u16string_view(u"a\0b", 3));
}

TEST(Utf8, appends) {
  std::u16string out = u"before ";
  appendUtf16(std::string_view("behind"), out);
  EXPECT_EQ(out, u"before behind");
}

// Sequences of up to four bytes over the bytes at which the rules change.
TEST(Utf8, agreesWithAReferenceDecoderOnEveryShortSequence) {
  const std::string edges{
      "\x00\x7F\x80\x8F\x90\x9F\xA0\xBF\xC0\xC1\xC2\xDF\xE0\xE1\xEC\xED\xEE\xEF\xF0\xF1\xF3\xF4\xF5\xFF", 24};
  std::vector<std::string> sequences{""};
  for (int length = 1; length <= 4; ++length) {
    std::vector<std::string> longer;
    for (const std::string& sequence : sequences) {
      for (const char byte : edges) longer.emplace_back(sequence).push_back(byte);
    }
    for (const std::string& text : longer) ASSERT_EQ(decoded(text), test::referenceUtf16(text));
    sequences = std::move(longer);
  }
}

TEST(Utf8, agreesWithAReferenceDecoderOnRandomBytes) {
  test::Random random;
  const std::vector<std::string> pieces{"a",       "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8D\x95", "\xED\xA0\x80",
                                        "\xF0\x9F"};
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (std::uint64_t n = random.below(30); n > 0; --n) {
      if (random.percent(60)) {
        text += random.pick(pieces);
      } else {
        text.push_back(static_cast<char>(random.bits()));
      }
    }
    ASSERT_EQ(decoded(text), test::referenceUtf16(text));
  }
}

TEST(Utf8, isAsciiSeesOneHighByteAnywhere) {
  for (std::size_t length = 0; length < 40; ++length) {
    std::string text(length, 'a');
    ASSERT_TRUE(isAscii(text));
    for (std::size_t at = 0; at < length; ++at) {
      text[at] = '\x80';
      ASSERT_FALSE(isAscii(text)) << length << ' ' << at;
      text[at] = '\x7F';
      ASSERT_TRUE(isAscii(text));
    }
  }
}

}  // namespace
}  // namespace strand::kernels
