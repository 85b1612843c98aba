#pragma once

#include <torch/torch.h>

namespace limber {

/// x_0 o (x W + b) + x, the full-rank cross layer: x0, x [rows, width], weight [width, width],
/// bias [width] -> [rows, width]. On the CPU one pass over blocks of rows that stay in cache,
/// forward and backward; elsewhere composed of LibTorch's own operations. Differentiable any number
/// of times.
torch::Tensor cross_layer(const torch::Tensor& x0, const torch::Tensor& x,
                          const torch::Tensor& weight, const torch::Tensor& bias);

}  // namespace limber
