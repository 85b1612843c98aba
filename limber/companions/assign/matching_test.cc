#include "limber/companions/assign/matching.h"

#include <gtest/gtest.h>

#include <limits>

#include "limber/companions/assign/synthetic_instance.h"
#include "limber/core/base/error.h"

namespace limber::assign {
namespace {

/// Total weight of an assignment; fails the test where a pair is not allowed.
double total(const Instance& instance, std::span<const double> weights,
             const Assignment& assignment) {
  double sum = 0;
  std::vector<bool> taken(instance.profile_of.size(), false);
  for (Position p = 0; p < instance.position_count(); ++p) {
    const Candidate candidate = assignment[static_cast<std::size_t>(p)];
    const Pair* pair = candidate == kNone ? nullptr : instance.find(p, candidate);
    if (pair == nullptr) {
      ADD_FAILURE() << "position " << p << " has no eligible candidate";
      return 0;
    }
    EXPECT_FALSE(taken[static_cast<std::size_t>(candidate)]);
    taken[static_cast<std::size_t>(candidate)] = true;
    sum += weights[static_cast<std::size_t>(pair - instance.pairs.data())];
  }
  return sum;
}

bool quotas_hold(const Instance& instance, const Assignment& assignment) {
  std::vector<int> filled(instance.quotas.size(), 0);
  for (const Candidate c : assignment) {
    const std::int32_t q = instance.quota_of[static_cast<std::size_t>(c)];
    if (q != kNone) ++filled[static_cast<std::size_t>(q)];
  }
  for (std::size_t q = 0; q < filled.size(); ++q) {
    if (filled[q] < instance.quotas[q].at_least || filled[q] > instance.quotas[q].at_most) {
      return false;
    }
  }
  return true;
}

/// The best of all assignments, or -infinity.
double best_of_all(const Instance& instance, std::span<const double> weights) {
  double best = -std::numeric_limits<double>::infinity();
  Assignment assignment(instance.positions.size(), kNone);
  std::vector<bool> taken(instance.profile_of.size(), false);
  const auto descend = [&](const auto& self, Position p, double sum) -> void {
    if (p == instance.position_count()) {
      if (quotas_hold(instance, assignment)) best = std::max(best, sum);
      return;
    }
    for (const Pair& pair : instance.pairs_of(p)) {
      const auto c = static_cast<std::size_t>(pair.candidate);
      const double weight = weights[static_cast<std::size_t>(&pair - instance.pairs.data())];
      if (taken[c] || weight == kForbidden) continue;
      taken[c] = true;
      assignment[static_cast<std::size_t>(p)] = pair.candidate;
      self(self, p + 1, sum + weight);
      taken[c] = false;
    }
  };
  descend(descend, 0, 0);
  return best;
}

TEST(Matching, IsTheHeaviestWithinQuotas) {
  int infeasible = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    SyntheticOptions size;
    size.positions = 5;
    size.candidates = 7;
    size.eligible_share = seed % 2 == 0 ? 0.5 : 1;
    Instance instance = small_instance(size, random);
    instance.quotas = {{"kind = a", static_cast<std::int32_t>(random.below(3)), 3},
                       {"kind = b", 0, static_cast<std::int32_t>(1 + random.below(3))}};
    for (Candidate c = 0; c < 7; ++c) {
      instance.quota_of.push_back(static_cast<std::int32_t>(random.below(3)) - 1);
    }
    Matching matching(instance);
    // Several times with one graph: nothing may be left over from the call before.
    for (int round = 0; round < 4; ++round) {
      std::vector<double> weights;
      for (std::size_t i = 0; i < instance.pairs.size(); ++i) {
        weights.push_back(random.below(8) == 0 ? kForbidden : random.normal());
      }
      const double best = best_of_all(instance, weights);
      Assignment assignment;
      const bool found = matching.solve(weights, assignment);
      ASSERT_EQ(found, best > kForbidden) << "seed " << seed;
      if (!found) {
        ++infeasible;
        continue;
      }
      EXPECT_NEAR(total(instance, weights, assignment), best, 1e-8);
      EXPECT_TRUE(quotas_hold(instance, assignment));
    }
  }
  EXPECT_GT(infeasible, 5);
  EXPECT_LT(infeasible, 200);
}

TEST(Matching, NeitherScaleNorOffsetMatters) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    Instance instance = small_instance({}, random);
    instance.quota_of.assign(instance.profile_of.size(), kNone);
    Matching matching(instance);
    std::vector<double> weights;
    // Multiples of 2^-10 keep every digit beside an offset of 2^37.
    for (std::size_t i = 0; i < instance.pairs.size(); ++i) {
      weights.push_back(static_cast<double>(random.below(4096)) / 1024);
    }
    const double best = best_of_all(instance, weights);
    Assignment assignment;
    for (const double scale : {1.0, 1e-300, 1e-310, 0x1.0p-1060, 1e300}) {
      std::vector<double> scaled = weights;
      for (double& weight : scaled) weight *= scale;
      ASSERT_TRUE(matching.solve(scaled, assignment)) << scale;
      EXPECT_NEAR(total(instance, weights, assignment), best, 1e-9) << scale;
    }
    for (const double offset : {0x1.0p37, -0x1.0p37}) {
      std::vector<double> moved = weights;
      for (double& weight : moved) weight += offset;
      ASSERT_TRUE(matching.solve(moved, assignment));
      EXPECT_NEAR(total(instance, weights, assignment), best, 1e-9);
    }
  }
}

TEST(Matching, LeavesTheAssignmentWhenThereIsNone) {
  Random random(1);
  const Instance instance = small_instance({}, random);
  Matching matching(instance);
  Assignment assignment = {1, 2, 3};
  EXPECT_FALSE(matching.solve(std::vector<double>(instance.pairs.size(), kForbidden), assignment));
  EXPECT_EQ(assignment, (Assignment{1, 2, 3}));
  EXPECT_TRUE(matching.solve(std::vector<double>(instance.pairs.size(), 0), assignment));
  std::vector<double> weights(instance.pairs.size(), 0);
  weights[3] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(matching.solve(weights, assignment), Error);
}

}  // namespace
}  // namespace limber::assign
