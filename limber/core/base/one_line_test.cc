#include "limber/core/base/one_line.h"

#include <gtest/gtest.h>

namespace limber {
namespace {

using namespace std::string_literals;

TEST(OneLine, LeavesTextAsItIs) {
  for (const std::string& text : {""s, "a b"s, "\"quoted\" \\n"s, "\xC3\xA9 \xE2\x82\xAC"s,
                                  "\xC2\xA0"s, "\xF0\x9F\x98\x80"s}) {
    EXPECT_EQ(one_line(text), text);
  }
}

TEST(OneLine, ControlCharactersBecomeBlanks) {
  EXPECT_EQ(one_line("a\nb\r\n\tc\0d\x7F\x1B[0m"s), "a b   c d  [0m");
  // The same as two bytes of UTF-8, next to each other and at the end.
  EXPECT_EQ(one_line("a\xC2\x85\xC2\x9B[0m\xC2\x80"), "a  [0m ");
}

TEST(OneLine, WhatIsNotUtf8IsReplaced) {
  EXPECT_EQ(one_line("a\xFFz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(one_line("a\xC2"), "a\xEF\xBF\xBD");
  EXPECT_EQ(one_line("\xED\xA0\x80").find('\xED'), std::string::npos);
}

TEST(OneLine, ALongTextIsCutBetweenLetters) {
  EXPECT_EQ(one_short_line("short", 5), "short");
  EXPECT_EQ(one_short_line("longer", 5), "longe...");
  EXPECT_EQ(one_short_line("ab\xC3\xA4z", 3), "ab...");
  EXPECT_EQ(one_short_line("a\nb", 60), "a b");
}

}  // namespace
}  // namespace limber
