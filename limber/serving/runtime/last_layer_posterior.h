#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "limber/core/base/random.h"
#include "limber/core/config/options.h"
#include "limber/serving/runtime/dense_layer.h"
#include "limber/serving/runtime/last_layer_sampler.h"

namespace limber {

/// The last layer of each label where it is not the trained one.
struct LastLayerView {
  const float* weights;  ///< [labels, width], rows `row` apart
  std::int64_t row;
  const float* bias;  ///< [labels]
};

/// One request's draw of every label's last layer; kept, so that the next draw allocates nothing.
struct DrawnLastLayers {
  AlignedFloats weights;      ///< [labels, width], rows padded
  std::vector<float> bias;    ///< [labels]
  std::vector<float> stored;  ///< scratch: a layer as the artifact orders it
  LastLayerView view() const { return {weights.data(), padded(width), bias.data()}; }
  std::int64_t width = 0;
};

/// How well the last layer of each label is known, where a model was trained with explore.enabled:
/// what Thompson sampling draws from (LiRank, arXiv 2402.06859, explore and exploit).
class LastLayerPosterior {
 public:
  /// None where the artifact holds none. `width`: what the last layers read; `order`, if given,
  /// says which stored column each of them is. Throws InputError for one that does not fit.
  static std::optional<LastLayerPosterior> load(const Artifact& artifact,
                                                const DenseTensors& tensors,
                                                const GlobalBlockOptions& options,
                                                const std::vector<std::string>& labels,
                                                std::int64_t width,
                                                const std::vector<std::int64_t>& order);

  /// A draw from N(trained weights, scale^2 A^-1) for each label.
  void draw(Random& random, float scale, DrawnLastLayers& to) const;

 private:
  std::int64_t width_ = 0;
  std::vector<std::int64_t> order_;
  std::vector<LastLayerSampler> samplers_;  ///< by label
};

}  // namespace limber
