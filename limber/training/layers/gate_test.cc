#include "limber/training/layers/gate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "limber/training/layers/dense.h"
#include "limber/training/layers/gradient_check_for_test.h"

namespace limber {
namespace {

using torch::Tensor;
const auto kDouble = torch::TensorOptions().dtype(torch::kDouble);

double sigmoid(double score) {
  return 1 / (1 + std::exp(-score));
}

TEST(Gate, ClosedForms) {
  const torch::NoGradGuard no_grad;
  const Tensor h = torch::tensor({{1.0, -2.0}}, kDouble);
  Gate full(2, "full", 0, kDouble);
  full->weight.copy_(torch::tensor({{1.0, 0.0}, {0.5, 1.0}}, kDouble));
  full->bias.copy_(torch::tensor({0.0, 1.0}, kDouble));
  // Scores 1 - 1 = 0 and -2 + 1 = -1.
  EXPECT_TRUE(torch::allclose(full(h), torch::tensor({{0.5, -2 * sigmoid(-1)}}, kDouble)));

  Gate diagonal(2, "diagonal", 0, kDouble);
  diagonal->weight.copy_(torch::tensor({2.0, 0.5}, kDouble));
  diagonal->bias.zero_();
  EXPECT_TRUE(
      torch::allclose(diagonal(h), torch::tensor({{sigmoid(2), -2 * sigmoid(-1)}}, kDouble)));

  Gate low(2, "low_rank", 2, kDouble);
  full->weight.copy_(torch::mm(low->down, low->up));
  full->bias.copy_(low->bias);
  EXPECT_TRUE(torch::allclose(low(h), full(h), 1e-12, 1e-12));
}

TEST(Gate, GradientsMatchDifferences) {
  torch::manual_seed(1);
  for (const char* kind : {"full", "low_rank", "diagonal"}) {
    SCOPED_TRACE(kind);
    Mlp mlp(4, std::vector<std::int64_t>{5, 3}, "tanh", 0.0, kDouble, GateChoice{kind, 2});
    const Tensor x = torch::randn({6, 4}, kDouble).requires_grad_();
    const Tensor seed = torch::randn({6, 3}, kDouble);
    std::vector<Tensor> tensors = mlp->parameters();
    tensors.push_back(x);
    expect_gradients([&] { return (mlp(x) * seed).sum(); }, tensors);
  }
}

TEST(Gate, StartsAllButOpen) {
  const torch::NoGradGuard no_grad;
  Gate gate(3, "diagonal", 0, kDouble);
  const Tensor h = torch::randn({5, 3}, kDouble);
  EXPECT_TRUE(torch::allclose(gate(h), h * sigmoid(2)));
}

}  // namespace
}  // namespace limber
