#pragma once

#include <torch/torch.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "limber/core/config/network_options.h"
#include "limber/training/compress/convolution_layers.h"
#include "limber/training/compress/image_data.h"
#include "limber/training/compress/network.h"
#include "limber/training/train/dense_optimizer.h"

namespace limber {

/// A network of convolutions on its images: trained by cross entropy with Adam, judged by accuracy.
class ConvolutionNetwork final : public CompressibleNetwork {
 public:
  /// Keeps references to `layers`, whose parameters it trains, and to `data`.
  ConvolutionNetwork(ConvolutionLayers& layers, const ImageData& data,
                     const NetworkTrainOptions& options);

  std::vector<CompressibleWeight> weights() override { return layers_.weights(); }
  std::int64_t steps_per_epoch() const override;
  /// The order of the images depends on the seed and `epoch` alone; a last batch may be smaller.
  /// Throws InputError where the loss is no longer finite.
  double train_epoch(const std::string& phase, std::int64_t epoch, double learning_rate,
                     const Hooks& hooks) override;
  Quality validate() override { return quality(layers_, data_.validation); }
  Quality test() override { return quality(layers_, data_.test); }
  std::string metric_name() const override { return "accuracy"; }
  /// Parameters, Adam's moments and its number of steps.
  std::vector<std::pair<std::string, torch::Tensor>> state() override;

  ConvolutionLayers& layers() { return layers_; }
  /// Clears the moments and the number of steps, as epoch 0 of a phase does: then state() is that
  /// of the weights alone, however they came about.
  void forget_optimizer();

  /// Mean cross entropy and share of images whose largest logit is their class's.
  static Quality quality(const ConvolutionLayers& layers, const ImagePart& part);

 private:
  ConvolutionLayers& layers_;
  const ImageData& data_;
  NetworkTrainOptions options_;
  std::vector<torch::Tensor> parameters_;
  DenseOptimizer optimizer_;
  torch::Tensor optimizer_steps_;  ///< int64 [1], so that state() holds it
};

/// Which images `layers` puts into their class: bool [images].
torch::Tensor correct_images(const ConvolutionLayers& layers, const ImagePart& part);

}  // namespace limber
