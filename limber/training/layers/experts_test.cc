#include "limber/training/layers/experts.h"

#include <gtest/gtest.h>

#include "limber/training/layers/gradient_check_for_test.h"

namespace limber {
namespace {

using torch::Tensor;
const auto kDouble = torch::TensorOptions().dtype(torch::kDouble);
const std::vector<std::string> kLabels = {"click", "dwell", "like"};

ExpertOptions options_of(const std::string& kind) {
  ExpertOptions options;
  options.kind = kind;
  options.count = 2;
  options.own = 1;
  options.hidden = {4};
  options.groups = {{"reading", {"dwell", "click"}}, {"contribution", {"like"}}};
  return options;
}

TEST(Experts, MixtureByHand) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(1);
  Experts experts(3, kLabels, options_of("ple"), "relu", 0.0, kDouble);
  const auto named = experts->named_parameters();
  const Tensor h = torch::randn({5, 3}, kDouble);
  const auto dense = [&](const std::string& name, const Tensor& x) {
    return torch::addmm(named[name + ".bias"], x, named[name + ".weight"]);
  };
  const auto expert = [&](int e) {
    return torch::relu(dense("expert" + std::to_string(e) + ".layer0", h));
  };
  // contribution comes first by name: shared experts 0, 1 and its own 2; reading has 3.
  const auto mixed = [&](const std::string& gate, int own) {
    const Tensor shares = torch::softmax(dense(gate, h), 1);
    return expert(0) * shares.narrow(1, 0, 1) + expert(1) * shares.narrow(1, 1, 1) +
           expert(own) * shares.narrow(1, 2, 1);
  };
  const Tensor like = dense("head0", mixed("gate0", 2));
  const Tensor reading = dense("head1", mixed("gate1", 3));
  EXPECT_TRUE(torch::allclose(experts(h), torch::cat({reading, like}, 1), 1e-12, 1e-12));
}

TEST(Experts, GroupsShareNothing) {
  torch::manual_seed(2);
  Experts experts(3, kLabels, options_of("groups"), "relu", 0.0, kDouble);
  experts(torch::randn({5, 3}, kDouble)).select(1, 2).sum().backward();
  const auto named = experts->named_parameters();
  // What "like" learns does not reach the tower of the others.
  EXPECT_GT(named["expert0.layer0.weight"].grad().abs().sum().item<double>(), 0);
  EXPECT_FALSE(named["expert1.layer0.weight"].grad().defined() &&
               named["expert1.layer0.weight"].grad().abs().sum().item<double>() > 0);
}

TEST(Experts, GradientsMatchDifferences) {
  torch::manual_seed(3);
  for (const char* kind : {"groups", "mmoe", "ple"}) {
    SCOPED_TRACE(kind);
    Experts experts(3, kLabels, options_of(kind), "tanh", 0.0, kDouble);
    const Tensor h = torch::randn({5, 3}, kDouble).requires_grad_();
    const Tensor seed = torch::randn({5, 3}, kDouble);
    std::vector<Tensor> tensors = experts->parameters();
    tensors.push_back(h);
    expect_gradients([&] { return (experts(h) * seed).sum(); }, tensors);
  }
}

}  // namespace
}  // namespace limber
