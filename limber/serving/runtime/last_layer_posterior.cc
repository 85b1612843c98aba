#include "limber/serving/runtime/last_layer_posterior.h"

#include <algorithm>

#include "limber/core/base/error.h"
#include "limber/core/config/label_groups.h"

namespace limber {
namespace {

/// The trained last layer of each label: its weights, then its bias.
std::vector<std::vector<float>> trained_layers(const DenseTensors& tensors,
                                               const GlobalBlockOptions& options,
                                               const std::vector<std::string>& labels,
                                               std::int64_t width) {
  std::vector<std::vector<float>> layers(labels.size());
  const auto copy = [&](const std::string& name, const std::vector<std::int64_t>& of) {
    const auto count = static_cast<std::int64_t>(of.size());
    const auto weights = tensors.take(name + ".weight", {width, count});
    const auto bias = tensors.take(name + ".bias", {count});
    for (std::int64_t c = 0; c < count; ++c) {
      auto& layer = layers[static_cast<std::size_t>(of[static_cast<std::size_t>(c)])];
      for (std::int64_t i = 0; i < width; ++i) {
        layer.push_back(weights[static_cast<std::size_t>(i * count + c)]);
      }
      layer.push_back(bias[static_cast<std::size_t>(c)]);
    }
  };
  if (options.experts.kind == "none") {
    std::vector<std::int64_t> all(labels.size());
    for (std::size_t l = 0; l < all.size(); ++l) all[l] = static_cast<std::int64_t>(l);
    copy("global_block.head", all);
    return layers;
  }
  const LabelGroups groups(options.experts, labels);
  for (std::size_t g = 0; g < groups.labels.size(); ++g) {
    copy("global_block.experts.head" + std::to_string(g), groups.labels[g]);
  }
  return layers;
}

}  // namespace

std::optional<LastLayerPosterior> LastLayerPosterior::load(const Artifact& artifact,
                                                           const DenseTensors& tensors,
                                                           const GlobalBlockOptions& options,
                                                           const std::vector<std::string>& labels,
                                                           std::int64_t width,
                                                           const std::vector<std::int64_t>& order) {
  if (!tensors.has("posterior." + labels[0])) return std::nullopt;
  LastLayerPosterior posterior;
  posterior.width_ = width;
  posterior.order_ = order;
  const auto trained = trained_layers(tensors, options, labels, width);
  for (std::size_t l = 0; l < labels.size(); ++l) {
    const std::string name = "posterior." + labels[l];
    const auto factor = tensors.take(name, {(width + 1) * (width + 2) / 2});
    try {
      posterior.samplers_.emplace_back(trained[l],
                                       std::vector<float>(factor.begin(), factor.end()));
    } catch (const InputError& error) {
      throw InputError("{}: tensor {}: {}", artifact.folder().string(), name, error.what());
    }
  }
  return posterior;
}

void LastLayerPosterior::draw(Random& random, float scale, DrawnLastLayers& to) const {
  const auto labels = static_cast<std::int64_t>(samplers_.size());
  if (to.width != width_ || static_cast<std::int64_t>(to.bias.size()) != labels) {
    to.width = width_;
    to.weights = AlignedFloats(labels * padded(width_));
    to.bias.resize(samplers_.size());
    to.stored.resize(static_cast<std::size_t>(width_) + 1);
  }
  for (std::int64_t l = 0; l < labels; ++l) {
    samplers_[static_cast<std::size_t>(l)].draw(random, scale, to.stored);
    float* row = to.weights.data() + l * padded(width_);
    if (order_.empty()) {
      std::copy_n(to.stored.data(), width_, row);
    } else {
      for (std::int64_t i = 0; i < width_; ++i) {
        row[i] = to.stored[static_cast<std::size_t>(order_[static_cast<std::size_t>(i)])];
      }
    }
    to.bias[static_cast<std::size_t>(l)] = to.stored.back();
  }
}

}  // namespace limber
