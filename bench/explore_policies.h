#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "limber/core/base/progress.h"
#include "limber/core/explore/bandit_policy_for_test.h"

namespace limber::bench {

/// A policy and the settings among which it is tuned.
struct PolicyFamily {
  std::string name;
  BanditPolicyKind kind;
  std::vector<double> settings;
};

inline std::vector<PolicyFamily> policy_families() {
  return {
      {"greedy", BanditPolicyKind::kGreedy, {0}},
      {"epsilon_greedy", BanditPolicyKind::kEpsilonGreedy, {0.002, 0.005, 0.01, 0.02, 0.05, 0.1}},
      {"linucb", BanditPolicyKind::kLinUcb, {0.1, 0.25, 0.5, 1, 1.5, 2}},
      {"thompson", BanditPolicyKind::kThompson, {0.1, 0.25, 0.5, 0.75, 1, 1.5}},
      {"thompson_nu_1", BanditPolicyKind::kThompson, {1}},
      {"random", BanditPolicyKind::kEpsilonGreedy, {1}},
  };
}

inline double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

inline double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

/// Of the mean of `values`.
inline double standard_error(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const auto count = static_cast<double>(values.size());
  return std::sqrt(squares / (count - 1) / count);
}

/// Each policy with the setting that was best on `tuning` seeds of their own, run on seeds 1 to
/// `seeds`: mean, its standard error, median, and the difference from greedy, seed by seed. `run`
/// gives the number that counts; `tune` the same on what is kept apart for tuning.
inline nlohmann::json compare_policies(
    const std::string& title, std::uint64_t seeds, std::uint64_t tuning, bool higher_is_better,
    const std::function<double(const BanditPolicy&, std::uint64_t seed)>& run,
    const std::function<double(const BanditPolicy&, std::uint64_t seed)>& tune) {
  nlohmann::json policies = nlohmann::json::array();
  std::vector<double> greedy;
  for (const PolicyFamily& family : policy_families()) {
    Progress progress(title + ", " + family.name, seeds, "seeds");
    BanditPolicy best{family.kind, family.settings[0]};
    nlohmann::json tried = nlohmann::json::object();
    double best_score = -std::numeric_limits<double>::infinity();
    for (const double setting : family.settings) {
      if (family.settings.size() == 1) break;
      std::vector<double> scores;
      for (std::uint64_t seed = 1001; seed <= 1000 + tuning; ++seed) {
        scores.push_back(tune({family.kind, setting}, seed));
      }
      tried[fmt::format("{}", setting)] = mean_of(scores);
      const double score = higher_is_better ? mean_of(scores) : -mean_of(scores);
      if (score > best_score) {
        best_score = score;
        best.parameter = setting;
      }
    }
    std::vector<double> values, differences;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      values.push_back(run(best, seed));
      if (greedy.size() == seeds) differences.push_back(values.back() - greedy[seed - 1]);
      progress.add(1);
    }
    if (greedy.empty()) {
      greedy = values;
      differences.assign(seeds, 0);
    }
    policies.push_back({{"policy", family.name},
                        {"setting", best.parameter},
                        {"tried", tried},
                        {"mean", mean_of(values)},
                        {"error", standard_error(values)},
                        {"median", median_of(values)},
                        {"minus_greedy", mean_of(differences)},
                        {"minus_greedy_error", standard_error(differences)}});
  }
  return policies;
}

}  // namespace limber::bench
