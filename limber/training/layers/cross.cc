#include "limber/training/layers/cross.h"

#include "limber/training/layers/cross_kernel.h"
#include "limber/training/layers/dense.h"
#include "limber/training/layers/padding.h"

namespace limber {

CrossLayerImpl::CrossLayerImpl(std::int64_t width, std::int64_t rank,
                               torch::TensorOptions options) {
  if (rank > 0) {
    down = register_parameter("down", initial_weight(width, rank, width, options));
    up = register_parameter("up", initial_weight(rank, width, rank, options));
  } else {
    weight = register_parameter("weight", initial_weight(width, width, width, options));
  }
  bias = register_parameter("bias", torch::zeros({width}, options));
}

torch::Tensor CrossLayerImpl::forward(const torch::Tensor& x0, const torch::Tensor& x) {
  const std::int64_t width = x.size(1);
  const torch::Tensor shift = pad_columns(bias, width);
  if (weight.defined()) {
    return cross_layer(x0, x, pad_columns(pad_rows(weight, width), width), shift);
  }
  const torch::Tensor low = torch::mm(x, pad_rows(down, width));
  return torch::addcmul(x, x0, torch::addmm(shift, low, pad_columns(up, width)));
}

CrossNetworkImpl::CrossNetworkImpl(std::int64_t width, const CrossOptions& options,
                                   torch::TensorOptions tensor) {
  if (options.kind == "none") return;
  const bool residual = options.kind == "residual";
  const std::int64_t rank = options.kind == "full" ? 0 : std::min(options.rank, width);
  for (std::int64_t l = 0; l < options.layers; ++l) {
    const std::string number = std::to_string(l);
    if (residual) {
      residual_.push_back(
          register_module("residual" + number, ResidualCrossLayer(width, options, tensor)));
    }
    if (!residual || options.parallel) {
      layers_.push_back(register_module("layer" + number, CrossLayer(width, rank, tensor)));
    }
  }
}

torch::Tensor CrossNetworkImpl::forward(const torch::Tensor& x) {
  torch::Tensor plain = x;
  for (CrossLayer& layer : layers_) plain = layer(x, plain);
  if (residual_.empty()) return plain;
  torch::Tensor attended = x;
  for (ResidualCrossLayer& layer : residual_) attended = layer(x, attended);
  return layers_.empty() ? attended : attended + plain - x;
}

}  // namespace limber
