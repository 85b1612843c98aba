#pragma once

#include <torch/torch.h>

namespace limber {

/// One step of gradient descent of every task with its own step size: weights - share * gradient.
/// weights and gradient [tasks, ...] (weights may be one tensor expanded over the tasks), share
/// [tasks, 1] -> [tasks, ...]. On the CPU one pass forward and one backward; elsewhere composed of
/// LibTorch's own operations. Differentiable any number of times.
torch::Tensor descend(const torch::Tensor& weights, const torch::Tensor& share,
                      const torch::Tensor& gradient);

}  // namespace limber
