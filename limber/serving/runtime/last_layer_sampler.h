#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "limber/core/base/random.h"

namespace limber {

/// Draws last layers from a posterior's mean and the factor of its precision, A = L L', in single
/// precision. A draw takes dim^2 / 2 multiplications and allocates nothing; an object may be used
/// by many threads, each with a generator and an array of its own.
class LastLayerSampler {
 public:
  /// `mean` [dim]; `factor`: the lower triangle of L row by row [dim (dim + 1) / 2]. Throws
  /// InputError for what is no posterior.
  LastLayerSampler(std::vector<float> mean, std::vector<float> factor);

  std::size_t dim() const { return mean_.size(); }
  std::span<const float> mean() const { return mean_; }

  /// Writes mu + nu L^-T eps to `weights` [dim], eps standard normal, from the first element on.
  void draw(Random& random, float nu, std::span<float> weights) const;

 private:
  std::vector<float> mean_, factor_;
};

}  // namespace limber
