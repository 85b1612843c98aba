#include "limber/core/explore/last_layer_sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/core/explore/drawn_rows_for_test.h"

namespace limber {
namespace {

BayesianLastLayer learned_layer(std::size_t dim) {
  Random random(dim);
  BayesianLastLayer layer(std::vector<double>(dim, 0.5), {.label = LastLayerLabel::kNumber});
  layer.update(draw_rows(3 * dim, dim, LastLayerLabel::kNumber, random).view());
  return layer;
}

TEST(LastLayerSampler, DrawsWhatThePosteriorDraws) {
  for (const std::size_t dim : {1, 2, 7, 64, 300}) {
    const BayesianLastLayer layer = learned_layer(dim);
    const LastLayerSampler sampler(layer.state());
    ASSERT_EQ(sampler.dim(), dim);
    Random ours(9), theirs(9);
    std::vector<float> weights(dim);
    for (int draw = 0; draw < 3; ++draw) {
      sampler.draw(ours, 1.3F, weights);
      const Eigen::VectorXd expected = layer.sample(theirs, 1.3);
      for (std::size_t i = 0; i < dim; ++i) {
        EXPECT_NEAR(weights[i], expected[static_cast<Eigen::Index>(i)], 1e-4) << dim << ", " << i;
      }
    }
  }
}

TEST(LastLayerSampler, WithoutNuDrawsTheMean) {
  const LastLayerSampler sampler(learned_layer(20).state());
  Random random(1);
  std::vector<float> weights(20);
  sampler.draw(random, 0, weights);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(weights[i], sampler.mean()[i]);
}

TEST(LastLayerSampler, RefusesWhatIsNoPosterior) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(LastLayerSampler({}, {}), InputError);
  EXPECT_THROW(LastLayerSampler({1, 2}, {1, 0}), InputError);
  EXPECT_THROW(LastLayerSampler({1, nan}, {1, 0, 1}), InputError);
  EXPECT_THROW(LastLayerSampler({1, 2}, {1, nan, 1}), InputError);
  EXPECT_THROW(LastLayerSampler({1, 2}, {1, 0, 0}), InputError);
  Random random(1);
  std::vector<float> weights(3);
  EXPECT_THROW(LastLayerSampler({1, 2}, {1, 0, 1}).draw(random, 1, weights), Error);
}

}  // namespace
}  // namespace limber
