#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "limber/core/base/random.h"
#include "limber/core/explore/bandit_policy_for_test.h"
#include "limber/core/explore/bayesian_last_layer.h"
#include "limber/core/explore/simulated_bandit_for_test.h"

namespace limber {

struct SimulatedRounds {
  std::size_t logged = 500;    ///< requests answered at random before the first round
  std::size_t rounds = 100;    ///< each ends with one update, as each training would
  std::size_t requests = 200;  ///< in a round
};

/// What a policy misses, summed over all requests: the best expected reward among the candidates
/// minus that of the candidate shown.
inline double simulated_regret(const SimulatedBanditOptions& options, const BanditPolicy& policy,
                               const SimulatedRounds& rounds = {}) {
  SimulatedBandit bandit(options);
  Random random(mix64(options.seed ^ 0x5EEDULL));
  BayesianLastLayer posterior(std::vector<double>(bandit.dim()), {.label = options.label});
  std::vector<double> inputs, labels;
  double regret = 0;
  const auto answer = [&](std::size_t round, const BanditPolicy& shown_by) {
    const SimulatedBandit::Candidates candidates = bandit.next_request(round);
    const Eigen::VectorXd expected = bandit.expected(candidates);
    const Eigen::Index shown = shown_by.choose(posterior, candidates, random);
    const auto input = candidates.row(shown);
    inputs.insert(inputs.end(), input.begin(), input.end());
    labels.push_back(bandit.reward(expected[shown]));
    return expected.maxCoeff() - expected[shown];
  };
  const auto learn = [&] {
    posterior.update({.inputs = inputs, .labels = labels, .weights = {}, .offsets = {}});
    inputs.clear();
    labels.clear();
  };
  const BanditPolicy at_random{BanditPolicyKind::kEpsilonGreedy, 1};
  for (std::size_t request = 0; request < rounds.logged; ++request) answer(0, at_random);
  learn();
  for (std::size_t round = 0; round < rounds.rounds; ++round) {
    for (std::size_t request = 0; request < rounds.requests; ++request) {
      regret += answer(round, policy);
    }
    learn();
  }
  return regret;
}

}  // namespace limber
