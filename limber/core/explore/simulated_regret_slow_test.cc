#include "limber/core/explore/simulated_regret_for_test.h"

#include <gtest/gtest.h>

namespace limber {
namespace {

struct Regrets {
  double greedy = 0, epsilon_greedy = 0, thompson = 0;
};

/// Means over 20 seeds, with the epsilon and the nu that `make bench-explore` finds best on others.
Regrets mean_regrets(LastLayerLabel label, double epsilon, double nu,
                     const SimulatedRounds& rounds) {
  Regrets mean;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const SimulatedBanditOptions options{.label = label, .seed = seed};
    const auto regret = [&](BanditPolicyKind kind, double setting) {
      return simulated_regret(options, {kind, setting}, rounds) / 20;
    };
    mean.greedy += regret(BanditPolicyKind::kGreedy, 0);
    mean.epsilon_greedy += regret(BanditPolicyKind::kEpsilonGreedy, epsilon);
    mean.thompson += regret(BanditPolicyKind::kThompson, nu);
  }
  return mean;
}

/// Where topics open of which nothing is known, Thompson sampling misses less than the posterior's
/// mean alone does, and than showing something at random now and then.
TEST(SimulatedRegretSlow, ThompsonMissesFewerClicksThanGreedyAndEpsilonGreedy) {
  const Regrets mean = mean_regrets(LastLayerLabel::kBinary, 0.01, 0.5, {});
  EXPECT_LT(mean.thompson, mean.greedy);
  EXPECT_LT(mean.thompson, mean.epsilon_greedy);
}

TEST(SimulatedRegretSlow, ThompsonMissesLessThanGreedyAndEpsilonGreedyInNumbers) {
  const Regrets mean = mean_regrets(LastLayerLabel::kNumber, 0.01, 0.75, {.requests = 50});
  EXPECT_LT(mean.thompson, mean.greedy);
  EXPECT_LT(mean.thompson, mean.epsilon_greedy);
}

}  // namespace
}  // namespace limber
