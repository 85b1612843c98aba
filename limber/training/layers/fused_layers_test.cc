#include <gtest/gtest.h>

#include <functional>

#include "limber/training/layers/cross_kernel.h"
#include "limber/training/layers/dense_relu.h"
#include "limber/training/layers/gemm.h"

namespace limber {
namespace {

using torch::Tensor;
using torch::autograd::grad;
using torch::autograd::variable_list;

Tensor leaf(at::IntArrayRef sizes) {
  return torch::randn(sizes, torch::dtype(torch::kDouble)).requires_grad_();
}

/// Value, first derivatives, and the derivatives of a function of those (what the inner loop asks
/// for), of a layer and of the same layer from LibTorch's own operations.
void expect_same(const std::function<Tensor(const variable_list&)>& fused,
                 const std::function<Tensor(const variable_list&)>& composed,
                 const variable_list& inputs) {
  const auto derivatives = [&](const std::function<Tensor(const variable_list&)>& layer) {
    const Tensor y = layer(inputs);
    const Tensor seed = torch::sin(torch::arange(y.numel(), y.options())).view(y.sizes());
    variable_list all = {y};
    // The seed depends on y, as the inner loop's depends on the logits.
    const variable_list first = grad({y}, inputs, {seed + y.square()}, true, true);
    Tensor sum = y.sum();
    for (const Tensor& one : first) sum = sum + one.square().sum();
    const variable_list plain = grad({y}, inputs, {seed}, true, false);
    const variable_list second = grad({sum}, inputs);
    all.insert(all.end(), first.begin(), first.end());
    all.insert(all.end(), plain.begin(), plain.end());
    all.insert(all.end(), second.begin(), second.end());
    return all;
  };
  const variable_list ours = derivatives(fused), theirs = derivatives(composed);
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_TRUE(torch::allclose(ours[i], theirs[i], 1e-9, 1e-9)) << "result " << i;
  }
}

// Sizes around the blocks of rows and the vectors of the loops.
const std::int64_t kRows[] = {1, 7, 256, 1300};

TEST(DenseRelu, EqualsItsParts) {
  torch::manual_seed(1);
  for (const std::int64_t rows : kRows) {
    expect_same(
        [](const variable_list& in) { return dense_relu(in[0], in[1], in[2]); },
        [](const variable_list& in) { return torch::relu(torch::addmm(in[2], in[0], in[1])); },
        {leaf({rows, 5}), leaf({5, 19}), leaf({19})});
  }
}

TEST(DenseRelu, TakesViewsAndNoRows) {
  const Tensor x = leaf({9, 30}), weight = leaf({4, 10}), bias = leaf({4});
  expect_same(
      [](const variable_list& in) { return dense_relu(in[0].narrow(1, 3, 10), in[1].t(), in[2]); },
      [](const variable_list& in) {
        return torch::relu(torch::addmm(in[2], in[0].narrow(1, 3, 10), in[1].t()));
      },
      {x, weight, bias});
  const Tensor nothing = leaf({0, 10});
  dense_relu(nothing, weight.t(), bias).sum().backward();
  EXPECT_EQ(weight.grad().abs().sum().item<double>(), 0);
}

TEST(CrossLayer, EqualsItsParts) {
  torch::manual_seed(2);
  for (const std::int64_t rows : kRows) {
    expect_same([](const variable_list& in) { return cross_layer(in[0], in[1], in[2], in[3]); },
                [](const variable_list& in) {
                  return torch::addcmul(in[1], in[0], torch::addmm(in[3], in[1], in[2]));
                },
                {leaf({rows, 11}), leaf({rows, 11}), leaf({11, 11}), leaf({11})});
  }
}

TEST(CrossLayer, FirstLayerJoinsTheGradients) {
  torch::manual_seed(3);
  expect_same([](const variable_list& in) { return cross_layer(in[0], in[0], in[1], in[2]); },
              [](const variable_list& in) {
                return torch::addcmul(in[0], in[0], torch::addmm(in[2], in[0], in[1]));
              },
              {leaf({300, 6}), leaf({6, 6}), leaf({6})});
}

TEST(CrossLayer, WideRowsUseLongBlocks) {
  torch::manual_seed(4);
  expect_same([](const variable_list& in) { return cross_layer(in[0], in[1], in[2], in[3]); },
              [](const variable_list& in) {
                return torch::addcmul(in[1], in[0], torch::addmm(in[3], in[1], in[2]));
              },
              {leaf({1100, 200}), leaf({1100, 200}), leaf({200, 200}), leaf({200})});
}

TEST(Multiply, EveryTransposition) {
  const Tensor a = torch::randn({3, 5}), b = torch::randn({5, 4}), c = torch::randn({3, 4});
  for (const bool a_transposed : {false, true}) {
    for (const bool b_transposed : {false, true}) {
      const Tensor left = a_transposed ? a.t().contiguous() : a;
      const Tensor right = b_transposed ? b.t().contiguous() : b;
      Tensor result = c.clone();
      multiply<float>(3, 4, 5, {left.data_ptr<float>(), left.size(1), a_transposed},
                      {right.data_ptr<float>(), right.size(1), b_transposed}, 2.0F,
                      result.data_ptr<float>(), 4);
      EXPECT_TRUE(torch::allclose(result, torch::mm(a, b) + 2 * c, 1e-5, 1e-5));
    }
  }
}

}  // namespace
}  // namespace limber
