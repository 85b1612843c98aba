#pragma once

#include <torch/torch.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "limber/core/config/network_options.h"
#include "limber/training/compress/convolution_config.h"
#include "limber/training/compress/network.h"

namespace limber {

/// One layer's parameters; a pool has none.
struct ConvolutionLayer {
  LayerOptions options;
  LayerShape input, output;
  torch::Tensor weight;  ///< convolution: [filters, channels, size, size]; dense: [units, inputs]
  torch::Tensor bias;    ///< [filters] or [units]

  bool has_weight() const { return weight.defined(); }
  /// [inputs, outputs]: a row for each channel and place of a filter, or each input; a column for
  /// each filter or unit. Writing to it writes to the weight.
  torch::Tensor matrix() const { return as_matrix(weight.detach()); }
  static torch::Tensor as_matrix(const torch::Tensor& weight) { return weight.flatten(1).t(); }
  /// Times that the weight is used for one image: places of a filter, or 1.
  std::int64_t uses() const;
};

/// A network of convolutions, pools and dense layers, each but the last (and the pools) followed by
/// a rectifier. What leaves the last pool or convolution is flattened channel after channel.
class ConvolutionLayers {
 public:
  /// Weights as He et al. 2015 (arXiv 1502.01852, section 2.2) draw them: normal, of deviation
  /// sqrt(2 / inputs); biases 0. `config` as load_network_config() gives it.
  explicit ConvolutionLayers(const NetworkConfig& config);

  /// [images, channels, height, width] -> logits [images, classes].
  torch::Tensor forward(torch::Tensor images) const;

  std::vector<ConvolutionLayer>& layers() { return layers_; }
  const std::vector<ConvolutionLayer>& layers() const { return layers_; }
  /// Each with its name: "conv1.weight", "conv1.bias".
  std::vector<std::pair<std::string, torch::Tensor>> parameters() const;
  /// As compression sees them; `removable` are all but the last.
  std::vector<CompressibleWeight> weights() const;
  /// Elements of all weights, biases apart.
  std::int64_t weight_count() const;

  /// The network without the units that `kept` does not list, by the layer's name, ascending, and
  /// without what the next layer reads of them. The function is the same where the units taken out
  /// give 0, as units do whose weights and bias are 0. Throws Error for a layer that is not there,
  /// for the last one, and for units that are none.
  ConvolutionLayers without_units(
      const std::map<std::string, std::vector<std::int64_t>>& kept) const;

 private:
  ConvolutionLayers() = default;

  std::vector<ConvolutionLayer> layers_;
};

}  // namespace limber
