#include "limber/serving/runtime/last_layer_sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "limber/core/base/error.h"

namespace limber {
namespace {

struct Posterior {
  std::vector<float> mean, factor;

  Posterior(std::size_t dim, Random& random) {
    for (std::size_t row = 0; row < dim; ++row) {
      mean.push_back(static_cast<float>(random.normal()));
      for (std::size_t column = 0; column < row; ++column) {
        factor.push_back(static_cast<float>(random.normal() / std::sqrt(double(dim))));
      }
      factor.push_back(static_cast<float>(1 + random.uniform()));
    }
  }
};

TEST(LastLayerSampler, SolvesForTheNoiseThatWasDrawn) {
  // L' (w - mu) = nu eps, whatever L is.
  for (const std::size_t dim : {1, 2, 7, 64, 300}) {
    Random random(dim);
    const Posterior posterior(dim, random);
    const LastLayerSampler sampler(posterior.mean, posterior.factor);
    ASSERT_EQ(sampler.dim(), dim);
    Random ours(9), noise(9);
    std::vector<float> weights(dim);
    for (int draw = 0; draw < 3; ++draw) {
      sampler.draw(ours, 1.3F, weights);
      for (std::size_t column = 0; column < dim; ++column) {
        double sum = 0, size = 0;
        for (std::size_t row = column; row < dim; ++row) {
          const double term = posterior.factor[row * (row + 1) / 2 + column] *
                              (double(weights[row]) - posterior.mean[row]);
          sum += term;
          size += std::abs(term);
        }
        EXPECT_NEAR(sum, 1.3 * noise.normal(), 1e-5 * (1 + size)) << dim << ", " << column;
      }
    }
  }
}

TEST(LastLayerSampler, DeviatesAsThePosteriorDoes) {
  // One weight of precision 4: a deviation of 1/2.
  const LastLayerSampler sampler({3}, {2});
  Random random(2);
  double sum = 0, squares = 0;
  constexpr int draws = 20000;
  for (int i = 0; i < draws; ++i) {
    float weight = 0;
    sampler.draw(random, 1, {&weight, 1});
    sum += weight;
    squares += (weight - 3.0) * (weight - 3.0);
  }
  EXPECT_NEAR(sum / draws, 3, 0.02);
  EXPECT_NEAR(squares / draws, 0.25, 0.01);
}

TEST(LastLayerSampler, WithoutNuDrawsTheMean) {
  Random random(1);
  const Posterior posterior(20, random);
  const LastLayerSampler sampler(posterior.mean, posterior.factor);
  std::vector<float> weights(20);
  sampler.draw(random, 0, weights);
  EXPECT_EQ(weights, posterior.mean);
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
