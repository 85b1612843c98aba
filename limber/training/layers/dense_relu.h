#pragma once

#include <torch/torch.h>

namespace limber {

/// relu(x W + b): x [rows, in], weight [in, out], bias [out] -> [rows, out]. On the CPU one pass
/// over blocks of rows that stay in cache, forward and backward; elsewhere composed of LibTorch's
/// own operations. Differentiable any number of times.
torch::Tensor dense_relu(const torch::Tensor& x, const torch::Tensor& weight,
                         const torch::Tensor& bias);

}  // namespace limber
