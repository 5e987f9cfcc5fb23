#include "kernels/text_pieces.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kernels/utf8.h"
#include "support/random.h"

namespace strand::kernels {
namespace {

using test::Random;

std::vector<std::string> encoded(const std::vector<std::u16string>& texts, std::int32_t base) {
  std::u16string joined;
  std::vector<std::int32_t> ends;
  for (const std::u16string& text : texts) {
    joined += text;
    ends.push_back(static_cast<std::int32_t>(joined.size()));
  }
  std::vector<char> out(3 * joined.size());
  const std::size_t size = encodePieces(joined, ends, base, out);
  std::vector<std::string> pieces;
  std::int32_t from = base;
  for (const std::int32_t end : ends) {
    pieces.emplace_back(out.data() + (from - base), static_cast<std::size_t>(end - from));
    from = end;
  }
  EXPECT_EQ(static_cast<std::size_t>(from - base), size);
  return pieces;
}

TEST(TextPieces, keepsAsciiAsItIs) {
  EXPECT_EQ(encoded({u"abc", u"", u"d"}, 17), (std::vector<std::string>{"abc", "", "d"}));
  EXPECT_EQ(encoded({}, 0), std::vector<std::string>{});
}

TEST(TextPieces, doesNotJoinHalvesOfAPairThatMeetAtABorder) {
  const std::vector<std::string> replaced{"a\xEF\xBF\xBD",
                                          "\xEF\xBF\xBD"
                                          "b"};
  EXPECT_EQ(encoded({{u'a', char16_t{0xD83D}}, {char16_t{0xDE00}, u'b'}}, 0), replaced);
}

TEST(TextPieces, endsWithTheTextWhereEndsLeadBehindIt) {
  std::vector<std::int32_t> ends{9, 1, -1, 12};
  std::vector<char> out(9);
  EXPECT_EQ(encodePieces(u"a\u00fcb", ends, 0, out), 4U);
  EXPECT_EQ(ends, (std::vector<std::int32_t>{4, 4, 4, 4}));
}

TEST(TextPieces, decodesToWhatItEncoded) {
  Random random;
  for (int round = 0; round < 300; ++round) {
    std::vector<std::u16string> texts(random.below(20));
    for (std::u16string& text : texts) {
      for (std::uint64_t length = random.below(12); length > 0; --length) {
        const std::uint64_t kind = random.below(5);
        if (kind == 4) {
          text.push_back(static_cast<char16_t>(random.between(0xD800, 0xDBFF)));
          text.push_back(static_cast<char16_t>(random.between(0xDC00, 0xDFFF)));
        } else {
          const std::vector<std::uint64_t> limits{0x7F, 0x7FF, 0xD7FF, 0xFF};
          text.push_back(static_cast<char16_t>(random.between(0, limits[kind])));
        }
      }
    }
    const std::vector<std::string> pieces = encoded(texts, static_cast<std::int32_t>(random.below(1000)));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      std::u16string back;
      appendUtf16(pieces[i], back);
      ASSERT_EQ(back, texts[i]);
    }
  }
}

}  // namespace
}  // namespace strand::kernels
