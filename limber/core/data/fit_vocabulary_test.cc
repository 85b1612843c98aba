#include "limber/core/data/fit_vocabulary.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "limber/core/base/error.h"
#include "limber/core/base/random.h"

namespace limber {
namespace {

Vocabulary words(const std::string& letters) {
  Vocabulary vocabulary;
  for (const char& letter : letters) vocabulary.add(Key{false, 0, std::string_view(&letter, 1)});
  return vocabulary;
}

FeatureEncoder encoder_of(const std::string& kind, const std::string& letters = "") {
  FeatureEncoder encoder;
  encoder.name = "item";
  encoder.kind = FeatureKind::id;
  encoder.vocabulary_kind = kind;
  encoder.fingerprint_bits = 8;
  if (!letters.empty()) encoder.vocabulary = std::make_shared<Vocabulary>(words(letters));
  return encoder;
}

/// The values by row: "cab" says that row 1 is c.
std::string rows_of(const FeatureEncoder& encoder) {
  std::string text;
  for (std::int32_t row = 1; row < encoder.vocabulary->size(); ++row) {
    text += encoder.vocabulary->text(row);
  }
  return text;
}

TEST(FitVocabulary, TheMostFrequentValuesStayTheFirstSeenAmongEquals) {
  const Vocabulary seen = words("abcde");
  const std::vector<std::int64_t> counts = {9, 1, 3, 2, 3, 0};
  const auto fitted = [&](std::int64_t min_count, std::int64_t max_values) {
    FeatureEncoder encoder = encoder_of("dictionary");
    const auto rows = fit_vocabulary(encoder, seen, counts, Fit::anew, min_count, max_values);
    for (std::int32_t index = 1; index < seen.size(); ++index) {
      EXPECT_EQ(rows[static_cast<std::size_t>(index)], encoder.vocabulary->find(seen.key(index)));
    }
    EXPECT_EQ(rows[0], 0);
    EXPECT_EQ(encoder.max_values, max_values);
    return rows_of(encoder);
  };
  EXPECT_EQ(fitted(1, 0), "bdca");
  EXPECT_EQ(fitted(2, 0), "bdc");
  EXPECT_EQ(fitted(1, 3), "bdc");
  EXPECT_EQ(fitted(1, 1), "b");
  EXPECT_EQ(fitted(4, 0), "");
}

TEST(FitVocabulary, AFullDictionaryGivesRowsOfAbsentValuesToNewOnes) {
  // a and c have gone, b and d have not; x, y and z are new.
  const Vocabulary seen = words("abcdxyz");
  const std::vector<std::int64_t> counts = {0, 0, 4, 0, 1, 2, 7, 3};
  const auto grown = [&](std::int64_t min_count, std::int64_t max_values) {
    FeatureEncoder encoder = encoder_of("dictionary", "abcd");
    const FeatureEncoder before = encoder;
    const auto rows = fit_vocabulary(encoder, seen, counts, Fit::grown, min_count, max_values);
    for (std::int32_t index = 1; index < seen.size(); ++index) {
      EXPECT_EQ(rows[static_cast<std::size_t>(index)], encoder.vocabulary->find(seen.key(index)));
    }
    std::string replaced;
    for (const std::int32_t row : replaced_rows(before, encoder)) replaced += std::to_string(row);
    return rows_of(encoder) + " " + replaced;
  };
  EXPECT_EQ(grown(1, 0), "abcdyzx ");
  EXPECT_EQ(grown(3, 0), "abcdyz ");
  EXPECT_EQ(grown(1, 7), "abcdyzx ");
  EXPECT_EQ(grown(1, 5), "xbzdy 13");
  EXPECT_EQ(grown(1, 6), "abxdyz 3");
  EXPECT_EQ(grown(1, 4), "zbyd 13");
  EXPECT_EQ(grown(7, 4), "abyd 3");
  // A cap below what there is takes nothing away.
  EXPECT_EQ(grown(1, 2), "zbyd 13");
}

TEST(FitVocabulary, APerfectHashHasTheOrderOfItsNumbers) {
  Vocabulary seen;
  std::vector<std::int64_t> counts = {0};
  Random random(4);
  for (std::int64_t i = 0; i < 3000; ++i) {
    seen.add(Key{true, 7 * i, {}});
    counts.push_back(static_cast<std::int64_t>(random.below(4)));
  }
  FeatureEncoder encoder = encoder_of("perfect_hash");
  encoder.fingerprint_bits = 4;
  const auto rows = fit_vocabulary(encoder, seen, counts, Fit::anew, 1, 2000);
  ASSERT_EQ(encoder.table_rows(), 2001);
  ASSERT_EQ(encoder.vocabulary->size(), 2001);
  std::int64_t taken_for_others = 0;
  std::set<std::int32_t> known;
  for (std::int32_t index = 1; index < seen.size(); ++index) {
    const Key key = seen.key(index);
    const std::int32_t row = rows[static_cast<std::size_t>(index)];
    ASSERT_EQ(row, encoder.index(key)) << "as when the model is served";
    if (encoder.vocabulary->find(key) != Vocabulary::unknown) {
      ASSERT_EQ(row, encoder.vocabulary->find(key));
      known.insert(row);
    } else {
      taken_for_others += row != Vocabulary::unknown;
    }
  }
  EXPECT_EQ(known.size(), 2000U);
  // A thousand values are unknown, of which one in 16 is taken for another.
  EXPECT_NEAR(static_cast<double>(taken_for_others), 62.5, 40);
}

TEST(FitVocabulary, TablesFollowADictionaryThatBecomesAPerfectHash) {
  FeatureEncoder encoder = encoder_of("dictionary", "abcdefghij");
  const Vocabulary before = *encoder.vocabulary;
  const auto earlier = number_by_perfect_hash(encoder);
  ASSERT_EQ(earlier.size(), 11U);
  EXPECT_EQ(earlier[0], 0);
  EXPECT_EQ(encoder.vocabulary_kind, "perfect_hash");
  for (std::int32_t index = 1; index < before.size(); ++index) {
    const std::int32_t row = encoder.index(before.key(index));
    EXPECT_EQ(earlier[static_cast<std::size_t>(row)], index);
    EXPECT_EQ(encoder.vocabulary->text(row), before.text(index));
  }
  FeatureEncoder empty = encoder_of("perfect_hash");
  try {
    fit_vocabulary(empty, words("a"), {0, 1}, Fit::anew, 2, 0);
    FAIL() << "a perfect hash of nothing";
  } catch (const InputError& error) {
    EXPECT_EQ(std::string(error.what()).rfind("features.item: ", 0), 0U) << error.what();
  }
}

}  // namespace
}  // namespace limber
