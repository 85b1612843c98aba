#include "limber/training/compress/admm.h"

#include <gtest/gtest.h>

#include "limber/core/base/error.h"
#include "limber/training/compress/least_squares_network_for_test.h"
#include "limber/training/compress/levels.h"

namespace limber {
namespace {

using torch::Tensor;

/// Six units of which two are all there is.
Tensor sparse_truth() {
  torch::manual_seed(1);
  Tensor truth = torch::zeros({5, 6});
  truth.select(1, 1).copy_(torch::randn({5}));
  truth.select(1, 4).copy_(torch::randn({5}));
  return truth;
}

TEST(Admm, PenaltyIsTheGradientOfItsFormula) {
  torch::manual_seed(2);
  LeastSquaresNetwork network(sparse_truth(), 50, 0.1, 1);
  CompressOptions options;
  options.keep = 0.5;
  options.bits = 3;
  options.admm.rho = 0.7;
  options.admm.rho_growth = 1;
  const auto weights = network.weights();
  const Budget budget(weights, options);
  auto targets = compression_targets(weights, budget, options, 0.5);
  Admm admm(targets, options.admm);
  {
    // Away from the projections, with duals that are not 0.
    const torch::NoGradGuard no_grad;
    weights[0].parameter.add_(torch::randn({5, 6}), 0.5);
    weights[0].bias_parameter.add_(torch::randn({6}), 0.5);
    admm.update();
    weights[0].parameter.add_(torch::randn({5, 6}), 0.5);
  }
  std::map<std::string, Tensor> state;
  for (const auto& [name, tensor] : admm.state()) state[name] = tensor.clone();
  const Tensor joined = torch::cat({weights[0].parameter, weights[0].bias_parameter.unsqueeze(0)});
  const Tensor penalty =
      0.35 * (joined - state.at("pruned.layer") + state.at("pruned_dual.layer")).square().sum() +
      0.35 * (weights[0].parameter - state.at("rounded.layer") + state.at("rounded_dual.layer"))
                 .square()
                 .sum();
  const auto expected =
      torch::autograd::grad({penalty}, {weights[0].parameter, weights[0].bias_parameter});
  weights[0].parameter.mutable_grad() = Tensor();
  weights[0].bias_parameter.mutable_grad() = torch::ones({6});
  admm.add_gradients();
  EXPECT_TRUE(torch::allclose(weights[0].parameter.grad(), expected[0], 1e-5, 1e-6));
  EXPECT_TRUE(torch::allclose(weights[0].bias_parameter.grad(), expected[1] + 1, 1e-5, 1e-6));
}

TEST(Admm, FindsTheUnitsOfASparseTruthAndItsResidualsFall) {
  LeastSquaresNetwork network(sparse_truth(), 400, 0.01, 400);
  CompressOptions options;
  options.admm.rho = 0.02;
  options.admm.rho_growth = 1.3;
  const auto weights = network.weights();
  const Budget budget(weights, options);
  auto targets = compression_targets(weights, budget, options, 2.0 / 6);
  // Weights start at random, so that magnitude says nothing yet: only training can tell.
  Admm admm(targets, options.admm);
  std::vector<Admm::Residuals> residuals;
  CompressibleNetwork::Hooks hooks;
  hooks.before_step = [&](std::int64_t) { admm.add_gradients(); };
  hooks.after_step = [&](std::int64_t step) {
    if (step % 20 == 19) residuals.push_back(admm.update());
  };
  network.train_epoch("admm", 0, 0.02, hooks);
  const Tensor mask = targets[0].groups->project(targets[0].pruned(), targets[0].share);
  const Tensor kept = mask.narrow(0, 0, 5).any(0).to(torch::kLong);
  EXPECT_TRUE(torch::equal(kept, torch::tensor({0, 1, 0, 0, 1, 0}, torch::kLong)));
  ASSERT_EQ(residuals.size(), 20U);
  EXPECT_LT(residuals.back().primal, 0.02 * residuals.back().weights);
  EXPECT_LT(residuals.back().primal, 0.1 * residuals.front().primal);
  EXPECT_LT(residuals.back().dual, 0.01 * residuals.back().weights);
  // Near the truth, as far as so few steps go: weights began a few units away.
  EXPECT_LT((network.weight() - sparse_truth()).abs().max().item<double>(), 0.25);
}

TEST(Admm, DrivesWeightsOntoLevels) {
  torch::manual_seed(3);
  const Tensor truth = 0.5 * torch::randint(-3, 4, {5, 6}).to(torch::kFloat);
  LeastSquaresNetwork network(truth, 400, 0.02, 600);
  CompressOptions options;
  options.bits = 3;
  // The loss first, the levels then: a penalty that is strong at once would freeze the start.
  options.admm.rho = 0.002;
  options.admm.rho_growth = 1.3;
  const auto weights = network.weights();
  const Budget budget(weights, options);
  auto targets = compression_targets(weights, budget, options, 1);
  EXPECT_EQ(targets[0].groups, nullptr);
  Admm admm(targets, options.admm);
  CompressibleNetwork::Hooks hooks;
  hooks.before_step = [&](std::int64_t) { admm.add_gradients(); };
  hooks.after_step = [&](std::int64_t step) {
    if (step % 20 == 19) admm.update();
  };
  network.train_epoch("admm", 0, 0.02, hooks);
  const Levels levels = fit_levels(network.weight(), 3);
  EXPECT_LT((levels.values() - network.weight()).abs().max().item<double>(), 0.05);
  EXPECT_LT((levels.values() - truth).abs().max().item<double>(), 0.05);
}

TEST(Admm, GrowingRhoKeepsWhatTheDualsAreScaledFrom) {
  LeastSquaresNetwork network(sparse_truth(), 50, 0.1, 1);
  CompressOptions options;
  const auto weights = network.weights();
  const Budget budget(weights, options);
  auto targets = compression_targets(weights, budget, options, 0.5);
  options.admm.rho = 0.5;
  options.admm.rho_growth = 4;
  Admm admm(targets, options.admm);
  admm.update();
  const Tensor pull = (targets[0].pruned() - admm.state()[0].second);
  // U = W - Z, times rho before, is the dual itself; it is stored as U / 4 beside 4 rho.
  EXPECT_TRUE(torch::allclose(admm.state()[1].second * admm.rho(), pull * 0.5));
}

TEST(Admm, RhoStopsGrowing) {
  LeastSquaresNetwork network(sparse_truth(), 50, 0.1, 1);
  CompressOptions options;
  options.admm.rho = 0.5;
  options.admm.rho_growth = 10;
  const auto weights = network.weights();
  const Budget budget(weights, options);
  auto targets = compression_targets(weights, budget, options, 0.5);
  Admm admm(targets, options.admm);
  Tensor before;
  for (int update = 0; update < 10; ++update) {
    if (update == 9) before = admm.state()[1].second.clone();
    admm.update();
  }
  EXPECT_DOUBLE_EQ(admm.rho(), 500);
  // Duals are no longer scaled down, either: U has grown by W - Z.
  const Tensor grown = before + targets[0].pruned() - admm.state()[0].second;
  EXPECT_TRUE(torch::allclose(admm.state()[1].second, grown));
}

TEST(Admm, GradientsThatAreCopiesAreRefused) {
  LeastSquaresNetwork network(sparse_truth(), 50, 0.1, 1);
  auto weight = network.weights()[0];
  weight.as_matrix = [](const Tensor& gradient) { return gradient.clone(); };
  EXPECT_THROW(matrix_gradient(weight), Error);
}

}  // namespace
}  // namespace limber
