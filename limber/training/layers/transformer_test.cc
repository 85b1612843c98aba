#include "limber/training/layers/transformer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "limber/training/layers/gradient_check_for_test.h"

namespace limber {
namespace {

using torch::Tensor;
const auto kDouble = torch::TensorOptions().dtype(torch::kDouble);

TEST(RowNorm, HasMeanZeroAndDeviationOne) {
  const torch::NoGradGuard no_grad;
  RowNorm norm(4, kDouble);
  const Tensor x = torch::tensor({{1.0, 2.0, 3.0, 6.0}}, kDouble);
  const double deviation = std::sqrt((4.0 + 1 + 0 + 9) / 4 + 1e-5);
  EXPECT_TRUE(torch::allclose(norm(x), (x - 3) / deviation, 1e-12, 1e-12));
}

TEST(Transformer, OneHeadByHand) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(1);
  TransformerLayer layer(4, 1, kDouble);
  const auto named = layer->named_parameters();
  const Tensor x = torch::randn({1, 3, 4}, kDouble);
  const Tensor rows = x[0];
  const auto dense = [&](const std::string& name, const Tensor& from) {
    return torch::mm(from, named[name + ".weight"]) + named[name + ".bias"];
  };
  const auto norm = [](const Tensor& from) {
    return (from - from.mean(1, true)) / (from.var(1, false, true) + 1e-5).sqrt();
  };
  const Tensor parts = dense("queries_keys_values", norm(rows));
  const Tensor scores = torch::mm(parts.narrow(1, 0, 4), parts.narrow(1, 4, 4).t()) / 2;
  const Tensor attended =
      rows + dense("out", torch::mm(torch::softmax(scores, 1), parts.narrow(1, 8, 4)));
  const Tensor expected = attended + dense("back", torch::relu(dense("feed", norm(attended))));
  const Tensor closed = torch::zeros({1, 3}, torch::kBool);
  EXPECT_TRUE(torch::allclose(layer(x, closed)[0], expected, 1e-10, 1e-12));
}

TEST(Transformer, ClosedStepsAreNotSeen) {
  const torch::NoGradGuard no_grad;
  TransformerLayer layer(6, 2, kDouble);
  const Tensor x = torch::randn({1, 5, 6}, kDouble);
  Tensor closed = torch::zeros({1, 5}, torch::kBool);
  closed[0][1] = true;
  Tensor other = x.clone();
  other[0][1].normal_();
  const Tensor open = torch::tensor({0, 2, 3, 4}, torch::kLong);
  EXPECT_TRUE(torch::equal(layer(x, closed).index_select(1, open),
                           layer(other, closed).index_select(1, open)));
  const Tensor without = x.index_select(1, open);
  EXPECT_TRUE(torch::allclose(layer(x, closed).index_select(1, open),
                              layer(without, torch::zeros({1, 4}, torch::kBool)), 1e-12, 1e-12));
}

TEST(Transformer, GradientsMatchDifferences) {
  torch::manual_seed(2);
  TransformerLayer layer(4, 2, kDouble);
  const Tensor x = torch::randn({2, 3, 4}, kDouble).requires_grad_();
  const Tensor seed = torch::randn({2, 3, 4}, kDouble);
  Tensor closed = torch::zeros({2, 3}, torch::kBool);
  closed[1][2] = true;
  std::vector<Tensor> tensors = layer->parameters();
  tensors.push_back(x);
  expect_gradients([&] { return (layer(x, closed) * seed).sum(); }, tensors, /*once=*/true);
}

}  // namespace
}  // namespace limber
