#include "limber/training/train/dense_optimizer.h"

#include <gtest/gtest.h>

#include <memory>

namespace limber {
namespace {

/// Five steps on a moving square, beside LibTorch's optimizer of the same kind.
void expect_same_steps(const std::string& kind, bool decays) {
  torch::manual_seed(1);
  torch::Tensor ours = torch::randn({3, 4}).requires_grad_();
  torch::Tensor theirs = ours.detach().clone().requires_grad_();
  TrainOptions options;
  options.optimizer = kind;
  options.weight_decay = decays ? 0.3 : 0;
  DenseOptimizer optimizer({ours}, options);
  std::unique_ptr<torch::optim::Optimizer> reference;
  const std::vector<torch::Tensor> parameters = {theirs};
  if (kind == "adam") {
    reference = std::make_unique<torch::optim::Adam>(parameters, torch::optim::AdamOptions(1e-2));
  } else if (kind == "adagrad") {
    reference =
        std::make_unique<torch::optim::Adagrad>(parameters, torch::optim::AdagradOptions(1e-2));
  } else {
    reference = std::make_unique<torch::optim::SGD>(parameters, torch::optim::SGDOptions(1e-2));
  }
  for (int step = 0; step < 5; ++step) {
    const torch::Tensor target = torch::randn({3, 4});
    for (const torch::Tensor& tensor : {ours, theirs}) {
      tensor.mutable_grad() = torch::Tensor();
      (tensor - target).square().sum().backward();
    }
    optimizer.step(1e-2);
    if (decays) {
      const torch::NoGradGuard no_grad;
      theirs.mul_(1 - 1e-2 * 0.3);
    }
    reference->step();
    EXPECT_TRUE(torch::allclose(ours, theirs, 1e-5, 1e-6)) << kind << " step " << step;
  }
}

TEST(DenseOptimizerTest, MatchesLibTorch) {
  for (const char* kind : {"adam", "adagrad", "sgd"}) {
    expect_same_steps(kind, /*decays=*/false);
    expect_same_steps(kind, /*decays=*/true);
  }
}

TEST(DenseOptimizerTest, ClipsToTheNorm) {
  torch::manual_seed(1);
  torch::Tensor tensor = torch::randn({3, 4}).requires_grad_();
  DenseOptimizer optimizer({tensor}, TrainOptions());
  tensor.square().sum().backward();
  const double norm = tensor.grad().norm().item<double>();
  EXPECT_NEAR(optimizer.clip(1e-3), norm, 1e-5);
  EXPECT_NEAR(tensor.grad().norm().item<double>(), 1e-3, 1e-6);
}

}  // namespace
}  // namespace limber
