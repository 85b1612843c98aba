#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "limber/core/base/random.h"
#include "limber/training/evaluate/predictions.h"

namespace limber {

/// Seeded rows for tests: members of unequal size and taste, in shuffled order, with logits rounded
/// to tenths so that ties are common.
struct RandomPredictions {
  std::vector<float> logits;
  std::vector<float> labels;
  std::vector<float> weights;
  std::vector<std::int64_t> groups;

  RandomPredictions(std::size_t rows, std::size_t members, std::uint64_t seed, double noise = 1.0) {
    Random random(seed);
    std::vector<double> taste(members);
    for (double& value : taste) value = 0.7 * random.normal();
    Random noise_source(seed + 1000);  // two noise levels share labels and groups
    for (std::size_t i = 0; i < rows; ++i) {
      const double share = random.uniform();
      const auto member = static_cast<std::size_t>(share * share * static_cast<double>(members));
      const double truth = taste[member] + random.normal();
      labels.push_back(random.uniform() < sigmoid(truth) ? 1.0F : 0.0F);
      weights.push_back(static_cast<float>(random.below(4)));
      groups.push_back(static_cast<std::int64_t>(1000 - 7 * static_cast<std::int64_t>(member)));
      logits.push_back(
          static_cast<float>(std::round(10 * (truth + noise * noise_source.normal())) / 10));
    }
  }

  Predictions weighted() const { return {logits, labels, weights, groups}; }
  Predictions unweighted() const { return {logits, labels, {}, groups}; }
};

}  // namespace limber
