#include "record/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/random.h"

namespace strand {
namespace {

using ::testing::ElementsAre;
using namespace std::string_literals;

/// The names in `json`, or one entry "refused".
std::vector<std::string> namesOf(std::string_view json) {
  std::vector<std::string> names;
  const Fault fault = parseColumnNames(json, names);
  if (fault.ok()) return names;
  EXPECT_EQ(fault.code, FaultCode::kHeader);
  return {"refused"};
}

Schema schemaNamed(const std::vector<std::string>& names) {
  std::vector<FieldSpec> specs;
  for (const std::string& name : names) specs.push_back({name, FieldType::kU8});
  Schema schema;
  EXPECT_TRUE(Schema::build(specs, schema).ok());
  return schema;
}

TEST(Metadata, isAnObjectWithTheColumnNamesInOrder) {
  EXPECT_EQ(composeMetadata(schemaNamed({"b", "a"}), {}), R"({"columns":["b","a"]})");
  EXPECT_EQ(composeMetadata(schemaNamed({"b"}), R"("meta":{"x":1})"), R"({"columns":["b"],"meta":{"x":1}})");
}

TEST(Metadata, namesOfAnyCharactersComeBackAsTheyWere) {
  std::string controls;
  for (char c = 1; c < 0x20; ++c) controls.push_back(c);
  const std::vector<std::string> names{
      "plain", "\"quoted\"", "back\\slash", "__proto__",    "\xC3\xA9\xF0\x9F\x8D\x95", "\x7F", controls,
      "a\0b"s, "</script>",  "//",          "\xE2\x80\xA8",
  };
  EXPECT_EQ(namesOf(composeMetadata(schemaNamed(names), {})), names);
}

TEST(Metadata, anyNamesSurvive) {
  test::Random random;
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::string> names(random.between(1, 8));
    for (std::size_t i = 0; i < names.size(); ++i) {
      names[i] = std::to_string(i);
      for (std::uint64_t n = random.below(12); n > 0; --n) {
        names[i].push_back(static_cast<char>(random.percent(50) ? random.below(0x60) : random.bits()));
      }
    }
    ASSERT_EQ(namesOf(composeMetadata(schemaNamed(names), {})), names);
  }
}

TEST(Metadata, columnsMayStandAnywhereAmongOtherMembers) {
  EXPECT_THAT(namesOf(R"( { "query" : null , "columns" : [ "a" , "b" ] , "z":[] } )"), ElementsAre("a", "b"));
  EXPECT_THAT(namesOf(R"({"a":{"columns":["no"]},"columns":["yes"]})"), ElementsAre("yes"));
  EXPECT_THAT(namesOf("{\"columns\":[]}"), ElementsAre());
  EXPECT_THAT(namesOf("{\"\\u0063olumns\":[\"a\"]}"), ElementsAre("a"));
}

TEST(Metadata, understandsEveryEscape) {
  EXPECT_THAT(namesOf(R"({"columns":["\"\\\/\b\f\n\r\t"]})"), ElementsAre("\"\\/\b\f\n\r\t"));
  EXPECT_THAT(namesOf(R"({"columns":["\u0041\u00e9\u20AC"]})"), ElementsAre("A\xC3\xA9\xE2\x82\xAC"));
  EXPECT_THAT(namesOf(R"({"columns":["\ud83c\udf55"]})"), ElementsAre("\xF0\x9F\x8D\x95"));
  EXPECT_THAT(namesOf(R"({"columns":["\u0000"]})"), ElementsAre("\0"s));
}

TEST(Metadata, loneSurrogatesBecomeTheReplacementCharacter) {
  const std::string replacement = "\xEF\xBF\xBD";
  EXPECT_THAT(namesOf(R"({"columns":["\ud83c"]})"), ElementsAre(replacement));
  EXPECT_THAT(namesOf(R"({"columns":["\udf55"]})"), ElementsAre(replacement));
  EXPECT_THAT(namesOf(R"({"columns":["\ud83cx"]})"), ElementsAre(replacement + "x"));
  EXPECT_THAT(namesOf(R"({"columns":["\ud83c\u0041"]})"), ElementsAre(replacement + "A"));
  EXPECT_THAT(namesOf(R"({"columns":["\ud83c\ud83c\udf55"]})"), ElementsAre(replacement + "\xF0\x9F\x8D\x95"));
  EXPECT_THAT(namesOf(R"({"columns":["\ud83c\n"]})"), ElementsAre(replacement + "\n"));
}

TEST(Metadata, acceptsEveryKindOfValueBeside) {
  for (const char* value :
       {"0", "-0", "10", "-1.5", "1e9", "1E+9", "1.5e-9", "true", "false", "null", R"("x")", "[]", "{}",
        "[1,[2,[]],{}]", R"({"a":{"b":[{"c":1}]}})", "[ ]", "{ }", "[ 1 , 2 ]", R"({ "a" : 1 , "b" : 2 })"}) {
    EXPECT_THAT(namesOf(R"({"x":)"s + value + R"(,"columns":["a"]})"), ElementsAre("a")) << value;
  }
}

TEST(Metadata, refusesEveryMalformedText) {
  for (const char* value :
       {"",          "01",          "+1",     "1.",      ".5",         "1e",          "1e+",
        "-",         "NaN",         "tru",    "nul",     "'x'",        "[1,]",        "[,1]",
        "[1 2]",     "[",           "]",      "{",       "}",          "{1:2}",       R"({"a"})",
        R"({"a":})", R"({"a":1,})", R"({,})", R"("\x")", R"("\u12")",  R"("\u12g4")", "\"\n\"",
        R"("open)",  "[}",          "{]",     "[[]",     R"({"a":[})", R"("\)",       R"("\ud83c\u12")"}) {
    EXPECT_THAT(namesOf(R"({"columns":["a"],"x":)"s + value + "}"), ElementsAre("refused")) << value;
  }
  for (const char* text : {"",
                           " ",
                           "{}",
                           "[]",
                           "null",
                           "{",
                           R"({"columns":["a"])",
                           R"({"columns":["a"]}})",
                           R"({"columns":["a"]} x)",
                           R"({"columns":["a"],})",
                           R"({"columns":"a"})",
                           R"({"columns":[1]})",
                           R"({"columns":["a",]})",
                           R"({"columns":[,"a"]})",
                           R"({"columns":["a" "b"]})",
                           R"({"columns":["a"],"columns":["b"]})",
                           R"({"Columns":["a"]})",
                           R"({"columns":{"a":"b"}})",
                           R"({columns:["a"]})",
                           R"({"columns" ["a"]})",
                           R"({"columns":null})"}) {
    EXPECT_THAT(namesOf(text), ElementsAre("refused")) << text;
  }
  EXPECT_THAT(namesOf("{\"columns\":[\"a\"]}\0"s), ElementsAre("refused"));
  EXPECT_THAT(namesOf("\xEF\xBB\xBF{\"columns\":[\"a\"]}"), ElementsAre("refused"));
}

TEST(Metadata, everyPrefixOfAValidTextIsRefused) {
  const std::string text = R"({"columns":["a\u00e9\ud83c\udf55","b"],"meta":{"x":[1.5e3,true,null]}})";
  ASSERT_THAT(namesOf(text), ::testing::SizeIs(2));
  for (std::size_t length = 0; length < text.size(); ++length) {
    EXPECT_THAT(namesOf(text.substr(0, length)), ElementsAre("refused")) << length;
  }
}

TEST(Metadata, nestingOfAnyDepthDoesNotUseTheStack) {
  constexpr std::size_t kDepth = 2'000'000;
  std::string nested = R"({"columns":["a"],"x":)" + std::string(kDepth, '[');
  EXPECT_THAT(namesOf(nested), ElementsAre("refused"));
  nested += std::string(kDepth, ']') + "}";
  EXPECT_THAT(namesOf(nested), ElementsAre("a"));
}

TEST(Metadata, randomTextNeverReadsOutside) {
  test::Random random;
  constexpr std::string_view kAlphabet = "{}[]\",:\\ucolmns0129abefAF.-+eE tru\n";
  for (int round = 0; round < 20000; ++round) {
    std::string text(random.below(40), ' ');
    for (char& c : text) c = kAlphabet[random.below(kAlphabet.size())];
    std::vector<std::string> names;
    (void)parseColumnNames(std::string_view(text), names);
  }
}

}  // namespace
}  // namespace strand
