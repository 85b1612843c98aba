#include "limber/training/meta/descend.h"

#include <gtest/gtest.h>

namespace limber {
namespace {

using torch::Tensor;
using torch::autograd::grad;
using torch::autograd::variable_list;

Tensor composed(const Tensor& weights, const Tensor& share, const Tensor& gradient) {
  return weights - (weights.dim() == 3 ? share.unsqueeze(2) : share) * gradient;
}

void expect_same(const std::vector<std::int64_t>& task_sizes, bool shared) {
  std::vector<std::int64_t> sizes = {5};
  sizes.insert(sizes.end(), task_sizes.begin(), task_sizes.end());
  const auto leaf = [](const std::vector<std::int64_t>& shape) {
    return torch::randn(shape, torch::dtype(torch::kDouble)).requires_grad_();
  };
  const Tensor weights = leaf(shared ? task_sizes : sizes), share = leaf({5, 1}),
               gradient = leaf(sizes), seed = leaf(sizes);
  const variable_list inputs = {weights, share, gradient};
  const auto derivatives = [&](const auto& function) {
    const Tensor all = shared ? weights.unsqueeze(0).expand(sizes) : weights;
    const Tensor result = function(all, share, gradient);
    variable_list found = {result};
    const variable_list once = grad({result}, inputs, {seed}, true, false);
    const variable_list first = grad({result}, inputs, {seed}, true, true);
    const variable_list second =
        grad({first[1].square().sum() + first[2].square().sum()}, {share, gradient, seed});
    for (const variable_list& part : {once, first, second}) {
      found.insert(found.end(), part.begin(), part.end());
    }
    return found;
  };
  const variable_list ours = derivatives(descend), theirs = derivatives(composed);
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_TRUE(torch::allclose(ours[i], theirs[i], 1e-12, 1e-12)) << "result " << i;
  }
}

TEST(Descend, EqualsItsParts) {
  torch::manual_seed(1);
  for (const bool shared : {false, true}) {
    expect_same({3, 7}, shared);   // a weight; not a multiple of the sums' lanes
    expect_same({4, 16}, shared);  // a multiple
    expect_same({6}, shared);      // a bias
  }
}

TEST(Descend, GradientWithoutGraphIsAConstant) {
  const Tensor weights = torch::ones({2, 3}, torch::kDouble).requires_grad_();
  const Tensor share = torch::full({2, 1}, 0.5, torch::kDouble).requires_grad_();
  const Tensor gradient = torch::arange(6, torch::kDouble).view({2, 3});
  descend(weights, share, gradient).sum().backward();
  EXPECT_TRUE(torch::equal(weights.grad(), torch::ones({2, 3}, torch::kDouble)));
  EXPECT_TRUE(torch::equal(share.grad(), -gradient.sum(1, true)));
}

}  // namespace
}  // namespace limber
