#include "limber/training/layers/cross.h"

#include <gtest/gtest.h>

#include "limber/training/layers/dense.h"

namespace limber {
namespace {

using torch::Tensor;
const auto kDouble = torch::TensorOptions().dtype(torch::kDouble);

TEST(Cross, ClosedForm) {
  CrossLayer layer(2, 0, kDouble);
  const torch::NoGradGuard no_grad;
  layer->weight.copy_(torch::tensor({{1.0, 2.0}, {3.0, 4.0}}));
  layer->bias.copy_(torch::tensor({0.5, -0.5}));
  const Tensor x0 = torch::tensor({{2.0, 3.0}}, torch::kDouble);
  const Tensor x = torch::tensor({{1.0, -1.0}}, torch::kDouble);
  // x W = (1 - 3, 2 - 4) = (-2, -2); x0 o (x W + b) + x.
  const Tensor expected = torch::tensor({{2 * -1.5 + 1, 3 * -2.5 - 1}}, torch::kDouble);
  EXPECT_TRUE(torch::allclose(layer(x0, x), expected));
}

TEST(Cross, LowRankEqualsFullRankOfItsProduct) {
  CrossLayer low(5, 2, kDouble), full(5, 0, kDouble);
  const torch::NoGradGuard no_grad;
  low->bias.normal_();
  full->weight.copy_(torch::mm(low->down, low->up));
  full->bias.copy_(low->bias);
  const Tensor x0 = torch::randn({7, 5}, torch::kDouble), x = torch::randn({7, 5}, torch::kDouble);
  EXPECT_TRUE(torch::allclose(low(x0, x), full(x0, x), 1e-12, 1e-12));
}

TEST(Cross, GradientMatchesDifferences) {
  for (const char* kind : {"full", "low_rank"}) {
    CrossOptions options;
    options.kind = kind;
    options.rank = 2;
    CrossNetwork network(4, options, kDouble);
    const Tensor x = torch::randn({3, 4}, torch::kDouble),
                 seed = torch::randn({3, 4}, torch::kDouble);
    const auto value = [&] { return (network(x) * seed).sum(); };
    value().backward();
    for (const auto& parameter : network->named_parameters()) {
      const Tensor direction = torch::randn_like(parameter.value());
      const torch::NoGradGuard no_grad;
      Tensor tensor = parameter.value();
      tensor.add_(direction, 1e-5);
      const double up = value().item<double>();
      tensor.sub_(direction, 2e-5);
      const double down = value().item<double>();
      tensor.add_(direction, 1e-5);
      const double found = (tensor.grad() * direction).sum().item<double>();
      EXPECT_NEAR(found, (up - down) / 2e-5, 1e-6 * std::max(1.0, std::abs(found)))
          << kind << " " << parameter.key();
    }
  }
}

TEST(Dense, MlpWithoutLayersIsIdentity) {
  Mlp mlp(3, std::vector<std::int64_t>{}, "relu", 0.0, kDouble);
  const Tensor x = torch::randn({2, 3}, torch::kDouble);
  EXPECT_TRUE(torch::equal(mlp(x), x));
  EXPECT_EQ(mlp->out(), 3);
}

TEST(Cross, PaddedRowsGiveTheSameAndStayPadded) {
  for (const char* kind : {"full", "low_rank"}) {
    SCOPED_TRACE(kind);
    CrossOptions options;
    options.kind = kind;
    options.rank = 2;
    CrossNetwork network(5, options, kDouble);
    Mlp mlp(5, std::vector<std::int64_t>{6, 4}, "relu", 0.0, kDouble);
    Dense head(5, 2, kDouble);
    const Tensor x = torch::randn({7, 5}, torch::kDouble);
    const Tensor padded = pad_columns(x, 8);
    const auto run = [&](const Tensor& rows) {
      for (auto* module : {static_cast<torch::nn::Module*>(network.get()),
                           static_cast<torch::nn::Module*>(mlp.get()),
                           static_cast<torch::nn::Module*>(head.get())}) {
        module->zero_grad();
      }
      const Tensor crossed = network(rows);
      (mlp(crossed).square().sum() + head(crossed).square().sum()).backward();
      std::vector<Tensor> found = {crossed.detach()};
      for (const auto& parameters :
           {network->parameters(), mlp->parameters(), head->parameters()}) {
        for (const Tensor& parameter : parameters) found.push_back(parameter.grad().clone());
      }
      return found;
    };
    const auto plain = run(x), wide = run(padded);
    EXPECT_TRUE(torch::allclose(wide[0].narrow(1, 0, 5), plain[0], 1e-12, 1e-12));
    EXPECT_TRUE(torch::equal(wide[0].narrow(1, 5, 3), torch::zeros({7, 3}, torch::kDouble)));
    for (std::size_t i = 1; i < plain.size(); ++i) {
      EXPECT_TRUE(torch::allclose(wide[i], plain[i], 1e-10, 1e-12)) << i;
    }
  }
}

TEST(Padding, WideRowsBecomeWholeVectorsAndNarrowOnesStay) {
  EXPECT_EQ(padded_width(74), 74);
  EXPECT_EQ(padded_width(192), 192);
  EXPECT_EQ(padded_width(193), 208);
  EXPECT_EQ(padded_width(429), 432);
  EXPECT_EQ(padded_width(432), 432);
}

}  // namespace
}  // namespace limber
