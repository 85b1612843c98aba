#include "limber/core/data/encoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "limber/core/base/error.h"

namespace limber {
namespace {

const float kMissing = std::numeric_limits<float>::quiet_NaN();

FeatureEncoder number_encoder(const std::string& transform) {
  FeatureEncoder encoder;
  encoder.name = "x";
  encoder.transform = transform;
  encoder.dim = 4;
  return encoder;
}

TEST(Encoder, Standardize) {
  FeatureEncoder encoder = number_encoder("standardize");
  fit_number(encoder, {1, 2, 3, 4}, 0);
  EXPECT_DOUBLE_EQ(encoder.mean, 2.5);
  EXPECT_DOUBLE_EQ(encoder.deviation, std::sqrt(1.25));
  EXPECT_FLOAT_EQ(encoder.number(2.5), 0);
  EXPECT_FALSE(encoder.missing_indicator);
  fit_number(encoder, {1, kMissing}, 0);
  EXPECT_TRUE(encoder.missing_indicator);
  EXPECT_TRUE(std::isnan(encoder.number(kMissing)));
}

TEST(Encoder, ConstantColumnBecomesZero) {
  FeatureEncoder encoder = number_encoder("standardize");
  fit_number(encoder, {7, 7, 7}, 0);
  EXPECT_EQ(encoder.number(7), 0);
}

TEST(Encoder, LogOfCounts) {
  FeatureEncoder encoder = number_encoder("log1p");
  fit_number(encoder, {0, static_cast<float>(std::exp(2.0) - 1)}, 0);
  EXPECT_NEAR(encoder.mean, 1, 1e-6);
  EXPECT_NEAR(encoder.number(std::exp(1.0) - 1), 0, 1e-6);
  EXPECT_TRUE(std::isfinite(encoder.number(-3)));
}

TEST(Encoder, AutoTakesTheLogarithmOfWhatItMakesEven) {
  const auto chosen = [](std::vector<float> sample) {
    FeatureEncoder encoder;
    encoder.transform = "auto";
    fit_number(encoder, std::move(sample), 0);
    return encoder.transform;
  };
  std::vector<float> counts, levels, signed_counts;
  for (int i = 0; i < 1000; ++i) {
    const double normal = std::sqrt(2.0) * (2 * ((i * 0.618034) - std::floor(i * 0.618034)) - 1);
    counts.push_back(static_cast<float>(std::exp(2 + normal)));
    levels.push_back(static_cast<float>(50 + normal));
    signed_counts.push_back(i % 10 == 0 ? -1.0F : counts.back());
  }
  EXPECT_EQ(chosen(counts), "log1p");
  EXPECT_EQ(chosen(levels), "standardize");
  EXPECT_EQ(chosen(signed_counts), "standardize");
  EXPECT_EQ(chosen({}), "standardize");
  EXPECT_EQ(chosen({kMissing, 3, 3}), "standardize");
}

TEST(Encoder, NoTransformLeavesValues) {
  FeatureEncoder encoder = number_encoder("none");
  fit_number(encoder, {5, 9}, 0);
  EXPECT_EQ(encoder.number(12.5), 12.5F);
}

TEST(Encoder, BucketsHoldEqualShares) {
  FeatureEncoder encoder = number_encoder("bucketize");
  std::vector<float> sample;
  for (int i = 0; i < 1000; ++i) sample.push_back(static_cast<float>(i));
  fit_number(encoder, sample, 4);
  ASSERT_EQ(encoder.boundaries.size(), 3U);
  std::vector<int> counts(6, 0);
  for (const float value : sample) ++counts[static_cast<std::size_t>(encoder.bucket(value))];
  EXPECT_EQ(counts, (std::vector<int>{0, 250, 250, 250, 250, 0}));
  EXPECT_EQ(encoder.bucket(kMissing), 0);
  EXPECT_EQ(encoder.bucket(-1e9), 1);
  EXPECT_EQ(encoder.bucket(1e9), 4);
  EXPECT_EQ(encoder.table_rows(), 5);
}

TEST(Encoder, TiedBucketsMerge) {
  FeatureEncoder encoder = number_encoder("bucketize");
  fit_number(encoder, {0, 0, 0, 0, 0, 0, 0, 1}, 4);
  for (std::size_t i = 1; i < encoder.boundaries.size(); ++i) {
    EXPECT_LT(encoder.boundaries[i - 1], encoder.boundaries[i]);
  }
  EXPECT_EQ(encoder.bucket(0), 1);
}

TEST(Encoder, HashStaysInItsTable) {
  FeatureEncoder encoder;
  encoder.kind = FeatureKind::id;
  encoder.vocabulary_kind = "hash";
  encoder.hash_size = 10;
  for (std::int64_t i = 0; i < 1000; ++i) {
    const std::int32_t index = encoder.index({true, i, {}});
    EXPECT_GE(index, 1);
    EXPECT_LE(index, 10);
  }
  EXPECT_EQ(encoder.table_rows(), 11);
}

TEST(Encoder, QuotientsAndRemaindersGiveFourRows) {
  FeatureEncoder encoder;
  encoder.kind = FeatureKind::ids;
  encoder.vocabulary_kind = "qr";
  encoder.quotient_remainder = {5, 4};
  EXPECT_EQ(encoder.table_rows(), 19);
  EXPECT_TRUE(encoder.has_several_rows());
  std::vector<std::int32_t> rows = {7};
  for (std::int64_t i = 0; i < 100; ++i) encoder.append_rows({true, i, {}}, rows);
  ASSERT_EQ(rows.size(), 401U);
  EXPECT_EQ(rows[0], 7);
  for (std::int64_t i = 0; i < 100; ++i) {
    const auto expected = encoder.quotient_remainder.rows_of(hash_key({true, i, {}}));
    for (std::size_t k = 0; k < 4; ++k) {
      EXPECT_EQ(rows[static_cast<std::size_t>(4 * i + 1) + k], expected[k]);
    }
  }
  EXPECT_THROW(encoder.index({true, 1, {}}), Error);
}

TEST(Encoder, JsonRoundTrip) {
  FeatureEncoder encoder = number_encoder("bucketize");
  encoder.boundaries = {0.1, 1.0 / 3, 2};
  encoder.table = "users";
  const FeatureEncoder read = FeatureEncoder::from_json(encoder.to_json(), "test");
  EXPECT_EQ(read.boundaries, encoder.boundaries);
  EXPECT_EQ(read.to_json(), encoder.to_json());
  EXPECT_EQ(encoder.to_json()["kind"], "number");
  EXPECT_THROW(FeatureEncoder::from_json({{"name", 3}}, "test"), InputError);
  auto other = encoder.to_json();
  other["kind"] = "numbr";
  EXPECT_THROW(FeatureEncoder::from_json(other, "test"), InputError);
}

TEST(Layout, PlacesFeaturesBySource) {
  std::vector<FeatureEncoder> encoders(3);
  encoders[0].name = "item";
  encoders[0].kind = FeatureKind::id;
  encoders[0].vocabulary = std::make_shared<Vocabulary>();
  encoders[0].dim = 8;
  encoders[0].table = "items";
  encoders[1] = number_encoder("none");
  encoders[1].missing_indicator = true;
  encoders[2].name = "past";
  encoders[2].kind = FeatureKind::sequence;
  encoders[2].of = "item";
  const InputLayout layout = make_layout(encoders, {"items"}, {"like"});
  EXPECT_EQ(layout.source_widths, (std::vector<std::int64_t>{10, 8}));
  EXPECT_EQ(layout.find("past").table, layout.find("item").table);
  EXPECT_EQ(layout.find("past").offset, 2);
  EXPECT_EQ(layout.find("item").kind, FeatureKind::id);
  EXPECT_THROW(layout.find("nothing"), InputError);
  encoders[0].vocabulary_kind = "qr";
  encoders[0].quotient_remainder = {5, 4};
  EXPECT_THROW(make_layout(encoders, {"items"}, {"like"}), InputError);
  const InputLayout several = make_layout({encoders[0]}, {"items"}, {"like"});
  EXPECT_EQ(several.features[0].kind, FeatureKind::ids);
  EXPECT_EQ(several.tables[0].rows, 19);
  encoders[2].of = "x";
  EXPECT_THROW(make_layout(encoders, {"items"}, {"like"}), InputError);
}

}  // namespace
}  // namespace limber
