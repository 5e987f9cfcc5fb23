#include "memory/random_word.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>

namespace strand {
namespace {

TEST(RandomWord, isAnotherEachTimeAndNeverZero) {
  constexpr std::size_t kWords = 1000;
  std::set<std::uint64_t> words;
  std::uint64_t everSet = 0;
  std::uint64_t everClear = 0;
  for (std::size_t i = 0; i < kWords; ++i) {
    const std::uint64_t word = randomWord();
    words.insert(word);
    everSet |= word;
    everClear |= ~word;
  }
  EXPECT_EQ(words.size(), kWords);
  EXPECT_FALSE(words.contains(0));
  EXPECT_EQ(everSet, UINT64_MAX);
  EXPECT_EQ(everClear, UINT64_MAX);
}

}  // namespace
}  // namespace strand
