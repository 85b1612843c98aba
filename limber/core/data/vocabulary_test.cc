#include "limber/core/data/vocabulary.h"

#include <gtest/gtest.h>

#include "limber/core/base/error.h"

namespace limber {
namespace {

Key text(std::string_view value) {
  return {false, 0, value};
}
Key number(std::int64_t value) {
  return {true, value, {}};
}

TEST(Vocabulary, NumbersFromOneAndKeepsNumbersApartFromText) {
  Vocabulary vocabulary;
  EXPECT_EQ(vocabulary.add(number(7)), 1);
  EXPECT_EQ(vocabulary.add(text("seven")), 2);
  EXPECT_EQ(vocabulary.add(number(7)), 1);
  EXPECT_EQ(vocabulary.find(text("7")), Vocabulary::unknown);
  EXPECT_EQ(vocabulary.find(number(8)), Vocabulary::unknown);
  EXPECT_EQ(vocabulary.size(), 3);
  EXPECT_EQ(vocabulary.text(1), "7");
  EXPECT_EQ(vocabulary.text(2), "seven");
}

TEST(Vocabulary, TextsSurviveGrowthAndMoves) {
  Vocabulary vocabulary;
  for (int i = 0; i < 5000; ++i) vocabulary.add(text("value " + std::to_string(i)));
  const Vocabulary moved = std::move(vocabulary);
  for (int i = 0; i < 5000; ++i) {
    EXPECT_EQ(moved.text(i + 1), "value " + std::to_string(i));
    EXPECT_EQ(moved.find(text("value " + std::to_string(i))), i + 1);
  }
}

TEST(Vocabulary, LinesRoundTrip) {
  Vocabulary vocabulary;
  vocabulary.add(number(-5));
  vocabulary.add(text("with \"quotes\", a\nline break and #"));
  vocabulary.add(text("Käse"));
  vocabulary.add(text("#12"));
  const Vocabulary read = Vocabulary::from_lines(vocabulary.to_lines(), "test");
  ASSERT_EQ(read.size(), vocabulary.size());
  for (std::int32_t i = 1; i < vocabulary.size(); ++i) EXPECT_EQ(read.key(i), vocabulary.key(i));
}

TEST(Vocabulary, DamagedLinesAreRefused) {
  for (const char* lines : {"#12x\n", "plain\n", "#1\n#1\n", "\"open\n", "[1]\n"}) {
    EXPECT_THROW(Vocabulary::from_lines(lines, "words"), InputError) << lines;
  }
}

TEST(Vocabulary, HashIsFixedForEver) {
  // These values are part of the format: hashed features and splits by member depend on them.
  EXPECT_EQ(hash_key(number(1)) % 1000, hash_key(number(1)) % 1000);
  EXPECT_NE(hash_key(number(1)), hash_key(text("1")));
  EXPECT_EQ(hash_key(number(0)), 0xE220A8397B1DCDAFULL);
}

}  // namespace
}  // namespace limber
