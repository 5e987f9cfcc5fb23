#include "ring/text_stretch.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "memory/little_endian.h"
#include "support/random.h"
#include "support/reference_utf8.h"
#include "support/test_strand.h"

namespace strand {
namespace {

using test::TestStrand;
using Text = std::optional<std::string>;

/// A strand of one nullable text field with these texts in it.
class Texts {
 public:
  explicit Texts(const std::vector<Text>& texts, std::uint64_t heap = 1 << 20, FieldType type = FieldType::kLargeUtf8)
      : strand(1024, heap, std::vector<FieldSpec>{{"n", FieldType::kU8}, {"text", type, kFieldNullable}}) {
    StrandWriter writer = strand.writer();
    EncodeFault fault;
    for (const Text& text : texts) {
      const Value row[] = {Value(), text ? Value(std::string_view(*text)) : Value()};
      EXPECT_EQ(writer.write(row, fault), Status::kOk);
    }
    writer.detach();
  }
  const Field& field() const { return strand.schema.fields()[1]; }

  TestStrand strand;
};

/// Takes a stretch apart as a reader does. nullopt where the value was absent.
std::vector<std::optional<std::u16string>> pieces(const TextStretch& stretch, std::span<const std::uint32_t> ends) {
  std::vector<std::optional<std::u16string>> texts;
  std::uint32_t begin = 0;
  for (const std::uint32_t marked : ends) {
    const std::uint32_t end = marked & ~TextStretch::kAbsent;
    std::u16string text;
    for (std::uint32_t i = begin; i < end; ++i) {
      text.push_back(stretch.isAscii() ? static_cast<char16_t>(static_cast<unsigned char>(stretch.ascii()[i]))
                                       : stretch.utf16()[i]);
    }
    begin = end;
    if (end != marked) {
      EXPECT_TRUE(text.empty());
      texts.emplace_back(std::nullopt);
    } else {
      texts.emplace_back(std::move(text));
    }
  }
  EXPECT_EQ(begin, stretch.isAscii() ? stretch.ascii().size() : stretch.utf16().size());
  return texts;
}

void expectGathered(const std::vector<Text>& texts, std::size_t room = 1024) {
  const Texts written(texts);
  const StrandView view = written.strand.view();
  TextStretch stretch;
  std::size_t at = 0;
  while (at < texts.size()) {
    std::vector<std::uint32_t> ends(std::min(room, texts.size() - at));
    const std::uint32_t count = stretch.gather(view, written.field(), at, ends);
    ASSERT_GE(count, 1U);
    ASSERT_LE(count, ends.size());
    const auto read = pieces(stretch, std::span(ends).first(count));
    for (std::size_t i = 0; i < count; ++i, ++at) {
      ASSERT_EQ(read[i].has_value(), texts[at].has_value()) << at;
      if (texts[at]) {
        ASSERT_EQ(*read[i], test::referenceUtf16(*texts[at])) << at;
      }
    }
  }
}

TEST(TextStretch, gathersAscii) {
  const Texts written({"a", "", "bcd", std::nullopt, "e"});
  TextStretch stretch;
  std::vector<std::uint32_t> ends(5);
  ASSERT_EQ(stretch.gather(written.strand.view(), written.field(), 0, ends), 5U);
  EXPECT_TRUE(stretch.isAscii());
  EXPECT_EQ(std::string(stretch.ascii().begin(), stretch.ascii().end()), "abcde");
  EXPECT_EQ(ends, (std::vector<std::uint32_t>{1, 1, 4, 4 | TextStretch::kAbsent, 5}));
}

TEST(TextStretch, gathersTextBeyondAscii) {
  const Texts written({"a", "\xC3\xA9", std::nullopt, "\xF0\x9F\x8D\x95", ""});
  TextStretch stretch;
  std::vector<std::uint32_t> ends(5);
  ASSERT_EQ(stretch.gather(written.strand.view(), written.field(), 0, ends), 5U);
  EXPECT_FALSE(stretch.isAscii());
  EXPECT_EQ(stretch.utf16(), u"a\u00E9\U0001F355");
  EXPECT_EQ(ends, (std::vector<std::uint32_t>{1, 2, 2 | TextStretch::kAbsent, 4, 4}));
}

TEST(TextStretch, aSequenceNeverJoinsTheTextBehindIt) {
  expectGathered({"\xF0\x9F", "\x8D\x95", "\xE2\x82", "\xAC", "\xC3", "", "\xA9"});
}

TEST(TextStretch, endsBeforeTheRecordThatWouldPassItsTarget) {
  const std::string half(TextStretch::kTargetBytes / 2, 'x');
  const Texts written({half, half, "y"});
  TextStretch stretch;
  std::vector<std::uint32_t> ends(3);
  EXPECT_EQ(stretch.gather(written.strand.view(), written.field(), 0, ends), 2U);
  EXPECT_EQ(stretch.ascii().size(), TextStretch::kTargetBytes);
  EXPECT_EQ(stretch.gather(written.strand.view(), written.field(), 2, std::span(ends).first(1)), 1U);
  EXPECT_EQ(stretch.ascii().size(), 1U);
}

TEST(TextStretch, aTextLargerThanTheTargetStandsAlone) {
  const std::string large(100'000, 'z');
  expectGathered({"a", large, "b", large, large, std::nullopt, large + "\xC3\xA9", ""});
  const Texts written({"a", large});
  TextStretch stretch;
  std::vector<std::uint32_t> ends(2);
  EXPECT_EQ(stretch.gather(written.strand.view(), written.field(), 0, ends), 1U);
  EXPECT_EQ(stretch.gather(written.strand.view(), written.field(), 1, std::span(ends).first(1)), 1U);
  EXPECT_EQ(stretch.ascii().size(), large.size());
}

TEST(TextStretch, gathersNoMoreThanThereIsRoomFor) {
  expectGathered({"a", "b", "c", "d", "e"}, 2);
  const Texts written({"a"});
  TextStretch stretch;
  EXPECT_EQ(stretch.gather(written.strand.view(), written.field(), 0, {}), 0U);
}

TEST(TextStretch, agreesWithAReferenceDecoderOnAnyTexts) {
  test::Random random;
  const std::vector<std::string> words{"a",        "plain words ", "\xC3\xA9",    "\xE2\x82\xAC", "\xF0\x9F\x8D\x95",
                                       "\xF0\x9F", "\xFF",         "\xED\xA0\x80"};
  for (int round = 0; round < 60; ++round) {
    const bool ascii = random.percent(30);
    std::vector<Text> texts(random.between(1, 200));
    for (Text& text : texts) {
      if (random.percent(15)) continue;
      text.emplace();
      for (std::uint64_t n = random.percent(5) ? random.below(3000) : random.below(10); n > 0; --n) {
        *text += ascii ? words[random.below(2)] : random.pick(words);
      }
    }
    expectGathered(texts, random.between(1, 100));
  }
}

TEST(TextStretch, decodesOneRecordInPrivateMemory) {
  const Texts written({"gr\xC3\xBC\xC3\x9F", std::nullopt});
  TextStretch stretch;
  std::uint32_t end = 0;
  for (const bool present : {true, false}) {
    const std::string text = "gr\xC3\xBC\xC3\x9F";
    const Value row[] = {Value(), present ? Value(std::string_view(text)) : Value()};
    const RecordImage image = test::encode(written.strand, row);
    stretch.decode(RecordReader(image.slot, image.heap), written.field(), {&end, 1});
    const auto read = pieces(stretch, {&end, 1});
    EXPECT_EQ(read[0], present ? std::optional<std::u16string>(u"gr\u00FC\u00DF") : std::nullopt);
  }
}

TEST(TextStretch, aDamagedPointerReadsAsAbsent) {
  const Texts written({"abc", "def"});
  storeLittle(written.strand.region.data() + written.strand.geometry.headerSize + written.field().offset,
              std::uint32_t{0x7FFFFFFF});
  TextStretch stretch;
  std::vector<std::uint32_t> ends(2);
  ASSERT_EQ(stretch.gather(written.strand.view(), written.field(), 0, ends), 2U);
  EXPECT_EQ(ends[0], TextStretch::kAbsent);
  EXPECT_EQ(std::string(stretch.ascii().begin(), stretch.ascii().end()), "def");
}

TEST(TextStretch, narrowFieldsAndJsonAreGatheredAlike) {
  for (const FieldType type : {FieldType::kUtf8, FieldType::kJson, FieldType::kLargeJson}) {
    const Texts written({"\"a\"", std::nullopt, "{}"}, 1 << 16, type);
    TextStretch stretch;
    std::vector<std::uint32_t> ends(3);
    ASSERT_EQ(stretch.gather(written.strand.view(), written.field(), 0, ends), 3U);
    EXPECT_EQ(std::string(stretch.ascii().begin(), stretch.ascii().end()), "\"a\"{}");
  }
}

}  // namespace
}  // namespace strand
