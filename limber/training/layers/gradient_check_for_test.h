#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <functional>
#include <string>
#include <vector>

namespace limber {

/// Compares the gradients of `value`, a scalar of `tensors` in double precision, with central
/// differences along random directions; then, unless it is `once` differentiable, those of the
/// gradients' own product with a random direction, which is what an exact outer gradient runs
/// through.
inline void expect_gradients(const std::function<torch::Tensor()>& value,
                             const std::vector<torch::Tensor>& tensors, bool once = false) {
  constexpr double step = 1e-5;
  const auto slope = [&](const std::function<torch::Tensor()>& scalar, const torch::Tensor& tensor,
                         const torch::Tensor& direction) {
    torch::Tensor moved = tensor;
    const auto move = [&](double by) {
      const torch::NoGradGuard no_grad;
      moved.add_(direction, by);
    };
    move(step);
    const double up = scalar().item<double>();
    move(-2 * step);
    const double down = scalar().item<double>();
    move(step);
    return (up - down) / (2 * step);
  };
  std::vector<torch::Tensor> directions;
  for (const torch::Tensor& tensor : tensors) directions.push_back(torch::randn_like(tensor));
  const auto along = [&](const std::vector<torch::Tensor>& gradients) {
    torch::Tensor sum = torch::zeros({}, tensors[0].options().requires_grad(false));
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      if (gradients[i].defined()) sum = sum + (gradients[i] * directions[i]).sum();
    }
    return sum;
  };
  const auto first = [&] {
    return along(torch::autograd::grad({value()}, tensors, {}, /*retain_graph=*/true,
                                       /*create_graph=*/true, /*allow_unused=*/true));
  };
  const auto gradients = torch::autograd::grad({value()}, tensors);
  std::vector<torch::Tensor> second;
  if (!once) {
    second = torch::autograd::grad({first()}, tensors, {}, /*retain_graph=*/false,
                                   /*create_graph=*/false, /*allow_unused=*/true);
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    SCOPED_TRACE("tensor " + std::to_string(i));
    const torch::Tensor probe = torch::randn_like(tensors[i]);
    const double found = (gradients[i] * probe).sum().item<double>();
    EXPECT_NEAR(found, slope(value, tensors[i], probe), 1e-6 * std::max(1.0, std::abs(found)));
    if (once) continue;
    const double twice = second[i].defined() ? (second[i] * probe).sum().item<double>() : 0;
    EXPECT_NEAR(twice, slope(first, tensors[i], probe), 1e-5 * std::max(1.0, std::abs(twice)));
  }
}

}  // namespace limber
