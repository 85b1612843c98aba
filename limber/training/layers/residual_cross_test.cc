#include "limber/training/layers/residual_cross.h"

#include <gtest/gtest.h>

#include <cmath>

#include "limber/training/layers/cross.h"
#include "limber/training/layers/gradient_check_for_test.h"
#include "limber/training/layers/padding.h"

namespace limber {
namespace {

using torch::Tensor;
const auto kDouble = torch::TensorOptions().dtype(torch::kDouble);

CrossOptions options_of(std::int64_t rank, std::int64_t tokens, bool skip, bool parallel = false) {
  CrossOptions options;
  options.kind = "residual";
  options.rank = rank;
  options.tokens = tokens;
  options.skip = skip;
  options.parallel = parallel;
  options.temperature = 0.5;
  return options;
}

TEST(TokenAttention, ClosedForm) {
  // Two tokens of one number: v = (3, 5), q = (1, 0), k = (2, 1).
  const Tensor low = torch::tensor({{3.0, 5.0, 1.0, 0.0, 2.0, 1.0}}, kDouble);
  // Scores 2, 1 of the first token, 0, 0 of the second.
  const double share = 1 / (1 + std::exp(-1.0));
  const Tensor plain = torch::tensor({{3 * share + 5 * (1 - share), 4.0}}, kDouble);
  EXPECT_TRUE(torch::allclose(token_attention(low, 2, 1.0, false), plain));
  EXPECT_TRUE(torch::allclose(token_attention(low, 2, 1.0, true), plain + low.narrow(1, 0, 2)));
}

TEST(ResidualCross, WithoutAttentionIsTheLowRankLayer) {
  const torch::NoGradGuard no_grad;
  CrossLayer plain(6, 3, kDouble);
  // One token: the score matrix is [1 x 1], so softmax makes it the identity.
  ResidualCrossLayer single(6, options_of(3, 1, false), kDouble);
  plain->down.copy_(single->down.narrow(1, 0, 3));
  plain->up.copy_(single->up);
  single->bias.normal_();
  plain->bias.copy_(single->bias);
  const Tensor x0 = torch::randn({8, 6}, kDouble), x = torch::randn({8, 6}, kDouble);
  EXPECT_TRUE(torch::allclose(single(x0, x), plain(x0, x), 1e-12, 1e-12));

  // Of several tokens each attends to itself alone where its own score is far above the others'.
  const Tensor tokens = torch::cat(
      {torch::randn({8, 4}, kDouble), torch::tensor({{9.0, 0.0, 0.0, 9.0}}, kDouble).expand({8, 4}),
       torch::tensor({{9.0, 0.0, 0.0, 9.0}}, kDouble).expand({8, 4})},
      1);
  EXPECT_TRUE(torch::allclose(token_attention(tokens, 2, 1.0, false), tokens.narrow(1, 0, 4)));
  // With the skip it counts twice, which U can take back.
  EXPECT_TRUE(torch::allclose(token_attention(tokens, 2, 1.0, true), 2 * tokens.narrow(1, 0, 4)));
}

TEST(ResidualCross, GradientsMatchDifferences) {
  torch::manual_seed(1);
  for (const bool parallel : {false, true}) {
    for (const bool skip : {false, true}) {
      CrossNetwork network(5, options_of(4, 2, skip, parallel), kDouble);
      const Tensor x = torch::randn({3, 5}, kDouble).requires_grad_();
      const Tensor seed = torch::randn({3, 5}, kDouble);
      std::vector<Tensor> tensors = network->parameters();
      tensors.push_back(x);
      expect_gradients([&] { return (network(x) * seed).sum(); }, tensors);
    }
  }
}

TEST(ResidualCross, BothBranchesAreAdded) {
  const torch::NoGradGuard no_grad;
  CrossNetwork both(5, options_of(4, 2, true, true), kDouble);
  CrossNetwork attended(5, options_of(4, 2, true, false), kDouble);
  CrossOptions low_rank = options_of(4, 2, true);
  low_rank.kind = "low_rank";
  CrossNetwork plain(5, low_rank, kDouble);
  const auto copy = [&](CrossNetwork& to) {
    const auto from = both->named_parameters();
    for (const auto& item : to->named_parameters()) {
      Tensor target = item.value();
      target.copy_(from[item.key()]);
    }
  };
  copy(attended);
  copy(plain);
  const Tensor x = torch::randn({7, 5}, kDouble);
  EXPECT_TRUE(torch::allclose(both(x), attended(x) + plain(x) - x, 1e-12, 1e-12));
}

TEST(ResidualCross, PaddedRowsStayPadded) {
  const torch::NoGradGuard no_grad;
  CrossNetwork network(5, options_of(4, 2, true, true), kDouble);
  const Tensor x = torch::randn({7, 5}, kDouble);
  const Tensor wide = network(pad_columns(x, 8));
  EXPECT_TRUE(torch::allclose(wide.narrow(1, 0, 5), network(x), 1e-12, 1e-12));
  EXPECT_TRUE(torch::equal(wide.narrow(1, 5, 3), torch::zeros({7, 3}, kDouble)));
}

}  // namespace
}  // namespace limber
