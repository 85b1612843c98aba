#include "limber/core/base/nearest_word.h"

#include <gtest/gtest.h>

#include <vector>

namespace limber {
namespace {

TEST(LettersApart, CountsEachEdit) {
  EXPECT_EQ(letters_apart("", ""), 0U);
  EXPECT_EQ(letters_apart("", "abc"), 3U);
  EXPECT_EQ(letters_apart("abc", ""), 3U);
  EXPECT_EQ(letters_apart("kitten", "sitting"), 3U);
  EXPECT_EQ(letters_apart("seed", "sede"), 1U);  // a swap
  EXPECT_EQ(letters_apart("seed", "need"), 1U);
  EXPECT_EQ(letters_apart("seed", "seeds"), 1U);
  EXPECT_EQ(letters_apart("Warm-Up", "warm_up"), 0U);
}

TEST(LettersApart, IsSymmetric) {
  const std::vector<std::string> words = {"order", "border", "odrer", "of", "learning_rate", ""};
  for (const auto& first : words) {
    for (const auto& second : words) {
      EXPECT_EQ(letters_apart(first, second), letters_apart(second, first));
    }
  }
}

TEST(NearestWord, FindsTheNearestOfSeveral) {
  const std::vector<std::string> words = {"learning_rate", "sparse_learning_rate", "seed", "batch"};
  EXPECT_EQ(nearest_word("learnig_rate", words), "learning_rate");
  EXPECT_EQ(nearest_word("sparse_learning", words), "sparse_learning_rate");
  EXPECT_EQ(nearest_word("BATCH", words), "batch");
  EXPECT_EQ(nearest_word("see", words), "seed");
}

TEST(NearestWord, KeepsSilentWhenNothingIsNear) {
  const std::vector<std::string> words = {"learning_rate", "of", "x"};
  EXPECT_EQ(nearest_word("dropout", words), "");
  EXPECT_EQ(nearest_word("dim", words), "");
  EXPECT_EQ(nearest_word("y", words), "");
  EXPECT_EQ(nearest_word("", words), "");
  EXPECT_EQ(nearest_word("seed", {}), "");
}

TEST(NearestWord, PrefersAMisspellingToAPart) {
  const std::vector<std::string> words = {"early_stop", "earle"};
  EXPECT_EQ(nearest_word("early", words), "earle");
  EXPECT_EQ(nearest_word("early_", words), "earle");
  EXPECT_EQ(nearest_word("early_st", words), "early_stop");
}

TEST(NearestWord, IsNotSlowedByAHugeKey) {
  const std::vector<std::string> words = {"seed", std::string(1000000, 'b')};
  EXPECT_EQ(nearest_word(std::string(1000000, 'a'), words), "");
}

TEST(DidYouMean, IsAppendedToAMessage) {
  const std::vector<std::string> words = {"adam", "sgd"};
  EXPECT_EQ(did_you_mean("adm", words), "; did you mean adam?");
  EXPECT_EQ(did_you_mean("lion", words), "");
}

}  // namespace
}  // namespace limber
