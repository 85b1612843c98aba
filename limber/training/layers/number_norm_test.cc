#include "limber/training/layers/number_norm.h"

#include <gtest/gtest.h>

#include <cmath>

namespace limber {
namespace {

/// An id of two columns, a number without and one with an indicator: 0 1 | 2 | 3 4.
InputLayout layout_of_five() {
  FeatureEncoder id, plain, marked;
  id.name = "id";
  id.kind = FeatureKind::id;
  id.vocabulary_kind = "hash";
  id.hash_size = 3;
  id.dim = 2;
  plain.name = "plain";
  marked.name = "marked";
  plain.transform = marked.transform = "standardize";
  marked.missing_indicator = true;
  return make_layout({id, plain, marked}, {}, {"click"});
}

torch::Tensor inputs_of_four() {
  return torch::tensor({{7.0, 8.0, 1.0, 2.0, 0.0},
                        {7.0, 8.0, 3.0, 0.0, 1.0},
                        {7.0, 8.0, 5.0, 6.0, 0.0},
                        {7.0, 8.0, 7.0, 0.0, 1.0}},
                       torch::kDouble);
}

TEST(NumberNorm, NormalisesByTheBatchAndLeavesTheRest) {
  NumberNorm norm(layout_of_five(), torch::TensorOptions().dtype(torch::kDouble));
  norm->train();
  const torch::Tensor y = norm(inputs_of_four());
  // Mean 4 and variance 5; of the two that are present mean 4 and variance 4.
  const double s = std::sqrt(5 + 1e-5), t = std::sqrt(4 + 1e-5);
  const torch::Tensor expected = torch::tensor({{7.0, 8.0, -3 / s, -2 / t, 0.0},
                                                {7.0, 8.0, -1 / s, 0.0, 1.0},
                                                {7.0, 8.0, 1 / s, 2 / t, 0.0},
                                                {7.0, 8.0, 3 / s, 0.0, 1.0}},
                                               torch::kDouble);
  EXPECT_TRUE(torch::allclose(y, expected, 1e-12, 1e-12)) << y;
}

TEST(NumberNorm, RemembersTheAverageAndFoldsIntoTheEncoder) {
  const InputLayout layout = layout_of_five();
  NumberNorm norm(layout, torch::TensorOptions().dtype(torch::kDouble));
  // Untrained it does nothing.
  norm->eval();
  EXPECT_TRUE(torch::allclose(norm(inputs_of_four()), inputs_of_four()));
  norm->train();
  for (int step = 0; step < 2000; ++step) norm(inputs_of_four());
  norm->eval();
  EXPECT_NEAR(norm->mean[0].item<double>(), 4, 1e-6);
  EXPECT_NEAR(norm->variance[0].item<double>(), 5, 1e-6);
  EXPECT_NEAR(norm->variance[1].item<double>(), 4, 1e-6);

  // The encoder says the same of raw values: x = (raw - 10) / 2 before.
  FeatureEncoder encoder;
  encoder.transform = "standardize";
  encoder.mean = 10;
  encoder.deviation = 2;
  const FeatureEncoder folded = norm->folded(encoder, 1);
  for (const double raw : {-3.0, 10.0, 24.0}) {
    torch::Tensor inputs = inputs_of_four();
    inputs[0][2] = encoder.number(raw);
    EXPECT_NEAR(folded.number(raw), norm(inputs)[0][2].item<double>(), 1e-6);
  }
  EXPECT_EQ(norm->folded(encoder, 0).mean, 10) << "an id was changed";
}

TEST(NumberNorm, LetsGradientsThroughToTheOtherColumns) {
  NumberNorm norm(layout_of_five(), torch::TensorOptions().dtype(torch::kDouble));
  norm->train();
  torch::Tensor inputs = inputs_of_four().requires_grad_();
  norm(inputs).square().sum().backward();
  EXPECT_TRUE(torch::allclose(inputs.grad().narrow(1, 0, 2), 2 * inputs.detach().narrow(1, 0, 2)));
}

TEST(NumberNorm, KeepsWhatItKnowsOfANumberThatABatchLacks) {
  NumberNorm norm(layout_of_five(), torch::TensorOptions().dtype(torch::kDouble));
  norm->train();
  torch::Tensor inputs = inputs_of_four();
  inputs.select(1, 3).zero_();
  inputs.select(1, 4).fill_(1);
  const torch::Tensor y = norm(inputs);
  EXPECT_TRUE(torch::isfinite(y).all().item<bool>());
  EXPECT_EQ(y.select(1, 3).abs().max().item<double>(), 0);
  EXPECT_NEAR(norm->mean[1].item<double>(), 0, 1e-12);
  EXPECT_NEAR(norm->variance[1].item<double>(), 1 - 1e-5, 1e-12);
}

}  // namespace
}  // namespace limber
