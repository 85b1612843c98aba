#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "limber/companions/assign/feasibility.h"
#include "limber/companions/assign/linearised_search.h"
#include "limber/companions/assign/local_search.h"
#include "limber/companions/assign/solve.h"
#include "limber/companions/assign/synthetic_instance.h"

namespace limber::assign {
namespace {

/// 12 positions, 20 candidates, sparse pairs and quotas.
Instance medium_instance(std::uint64_t seed) {
  for (;; seed += 1000) {
    Random random(seed);
    SyntheticOptions size;
    size.positions = 12;
    size.candidates = 20;
    size.eligible_share = 0.5;
    Instance instance = small_instance(size, random);
    instance.quotas = {{"kind = a", 3, 6}, {"kind = b", 0, 4}};
    for (Candidate c = 0; c < 20; ++c) {
      instance.quota_of.push_back(static_cast<std::int32_t>(random.below(3)) - 1);
    }
    try {
      check_feasible(instance, "fitness");
      return instance;
    } catch (const std::exception&) {
    }
  }
}

void expect_valid(const Instance& instance, const Assignment& assignment) {
  ASSERT_EQ(assignment.size(), instance.positions.size());
  std::vector<int> filled(instance.quotas.size(), 0);
  std::vector<bool> taken(instance.profile_of.size(), false);
  for (Position p = 0; p < instance.position_count(); ++p) {
    const Candidate c = assignment[static_cast<std::size_t>(p)];
    ASSERT_NE(instance.find(p, c), nullptr);
    ASSERT_FALSE(taken[static_cast<std::size_t>(c)]);
    taken[static_cast<std::size_t>(c)] = true;
    const std::int32_t q = instance.quota_of[static_cast<std::size_t>(c)];
    if (q != kNone) ++filled[static_cast<std::size_t>(q)];
  }
  for (std::size_t q = 0; q < filled.size(); ++q) {
    EXPECT_GE(filled[q], instance.quotas[q].at_least);
    EXPECT_LE(filled[q], instance.quotas[q].at_most);
  }
}

TEST(Search, EveryStepIsValidAndNoneMakesItWorse) {
  for (const MeasureDescription& measure : measures()) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const Instance instance = medium_instance(seed);
      Matching matching(instance);
      Random random(seed);
      const Objective objective{0.6, 3, 0.2};
      std::vector<double> weights;
      for (std::size_t i = 0; i < instance.pairs.size(); ++i) weights.push_back(random.uniform());
      Assignment start;
      ASSERT_TRUE(matching.solve(weights, start));
      AssignmentState state(instance, measure);
      state.set(start);
      Front front;
      double reward = objective.reward(state.score());
      const auto check = [&](const char* step) {
        const Score exact = exact_score(instance, measure, state.assignment());
        EXPECT_NEAR(exact.fitness, state.score().fitness, 1e-9) << step;
        EXPECT_NEAR(exact.diversity, state.score().diversity, 1e-9) << step;
        EXPECT_GE(objective.reward(exact), reward - 1e-9) << step;
        reward = objective.reward(exact);
        expect_valid(instance, state.assignment());
      };
      linearised_search(state, matching, objective, Deadline::never(), front);
      check("linearised");
      LocalSearch local(state, objective, random, front);
      local.run(Deadline::never());
      check("local");
      local.kick(10, Deadline::never());
      check("kicks");
      const double diversity = state.score().diversity;
      refit(state, matching);
      check("refit");
      EXPECT_NEAR(state.score().diversity, diversity, 1e-12);
      for (const FrontPoint& point : front.points()) expect_valid(instance, point.assignment);
    }
  }
}

TEST(Search, LinearisedWeightsAreExactDifferences) {
  const Instance instance = medium_instance(3);
  const Objective objective{0.7, 2, 0.4};
  for (const MeasureDescription& measure : measures()) {
    Matching matching(instance);
    AssignmentState state(instance, measure);
    Assignment assignment;
    ASSERT_TRUE(matching.solve(fitness_weights(instance), assignment));
    state.set(assignment);
    const std::vector<double> weights = linearised_weights(state, objective);
    const double now = objective.reward(state.score());
    for (Position p = 0; p < instance.position_count(); ++p) {
      const Candidate mine = assignment[static_cast<std::size_t>(p)];
      const auto weight = [&](Candidate c) {
        return weights[static_cast<std::size_t>(instance.find(p, c) - instance.pairs.data())];
      };
      for (const Pair& pair : instance.pairs_of(p)) {
        if (state.position_of(pair.candidate) != kNone) continue;
        Assignment other = assignment;
        other[static_cast<std::size_t>(p)] = pair.candidate;
        const double gain = objective.reward(exact_score(instance, measure, other)) - now;
        EXPECT_NEAR(weight(pair.candidate) - weight(mine), gain, 1e-9) << measure.name;
      }
    }
  }
}

TEST(Solve, IsDeterministicValidAndExact) {
  const Instance instance = medium_instance(1);
  SolveOptions options;
  options.trade_offs = {0.25, 0.5, 0.75};
  options.starts = 1;
  options.kicks = 5;
  options.seconds = 1e9;
  for (const MeasureDescription& measure : measures()) {
    const Solution first = solve(instance, measure, options);
    const Solution second = solve(instance, measure, options);
    ASSERT_EQ(first.sweep.size(), 5U);
    EXPECT_FALSE(first.cut_short);
    ASSERT_EQ(first.front.points().size(), second.front.points().size());
    for (std::size_t i = 0; i < first.front.points().size(); ++i) {
      const FrontPoint& point = first.front.points()[i];
      EXPECT_EQ(point.assignment, second.front.points()[i].assignment);
      expect_valid(instance, point.assignment);
      const Score exact = exact_score(instance, measure, point.assignment);
      EXPECT_NEAR(exact.fitness, point.score.fitness, 1e-12);
      EXPECT_NEAR(exact.diversity, point.score.diversity, 1e-12);
    }
    // A larger weight of diversity never buys less of it.
    for (std::size_t i = 1; i < first.sweep.size(); ++i) {
      EXPECT_GE(first.sweep[i].score.diversity, first.sweep[i - 1].score.diversity - 1e-9);
      EXPECT_LE(first.sweep[i].score.fitness, first.sweep[i - 1].score.fitness + 1e-9);
    }
    // Fitness alone is the matching, which LEMON solves exactly.
    Matching matching(instance);
    Assignment fittest;
    ASSERT_TRUE(matching.solve(fitness_weights(instance), fittest));
    EXPECT_NEAR(first.sweep.front().score.fitness, exact_score(instance, measure, fittest).fitness,
                1e-8);
  }
}

TEST(Solve, NeitherScaleNorOffsetOfFitnessMatters) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Instance instance = medium_instance(seed);
    // Multiples of 2^-10 keep every digit beside an offset of 2^37.
    for (Pair& pair : instance.pairs) pair.fitness = std::round(pair.fitness * 1024) / 1024;
    SolveOptions options;
    options.trade_offs = {0.25, 0.5, 0.75};
    options.starts = 1;
    options.kicks = 2;
    options.seconds = 1e9;
    const Solution plain = solve(instance, measures()[0], options);
    const auto expect_same = [&](const char* what, auto change) {
      Instance changed = instance;
      for (Pair& pair : changed.pairs) pair.fitness = change(pair.fitness);
      const Solution solution = solve(changed, measures()[0], options);
      for (std::size_t i = 0; i < plain.sweep.size(); ++i) {
        EXPECT_EQ(solution.sweep[i].assignment, plain.sweep[i].assignment)
            << what << ", seed " << seed << ", trade-off " << plain.sweep[i].trade_off;
      }
    };
    expect_same("offset", [](double fitness) { return fitness + 0x1.0p37; });
    expect_same("negative offset", [](double fitness) { return fitness - 0x1.0p37; });
    expect_same("tiny", [](double fitness) { return std::ldexp(fitness, -1000); });
    expect_same("huge", [](double fitness) { return std::ldexp(fitness, 600); });
  }
}

TEST(Solve, ASentinelDoesNotHideTheFittest) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Instance instance = medium_instance(seed);
    const SolveOptions options;
    Instance without = instance;
    std::vector<PositionedPair> kept;
    Random random(seed);
    for (Position p = 0; p < instance.position_count(); ++p) {
      const std::size_t begin = instance.pair_starts[static_cast<std::size_t>(p)];
      for (std::size_t i = begin; i < begin + instance.pairs_of(p).size(); ++i) {
        Pair& pair = instance.pairs[i];
        if (random.below(4) == 0) {
          pair.fitness = -1e8;
        } else {
          kept.push_back({p, pair.candidate, pair.fitness});
        }
      }
    }
    set_pairs(without, kept);
    Matching matching(without);
    Assignment fittest;
    if (!matching.solve(fitness_weights(without), fittest)) continue;
    SolveOptions quick = options;
    quick.starts = quick.kicks = 0;
    const Solution solution = solve(instance, measures()[0], quick);
    EXPECT_NEAR(solution.sweep.front().score.fitness,
                exact_score(without, measures()[0], fittest).fitness, 1e-6);
  }
}

TEST(Solve, WithoutTimeStillFillsEveryPosition) {
  const Instance instance = medium_instance(2);
  SolveOptions options;
  options.seconds = 0;
  const Solution solution = solve(instance, measures()[0], options);
  EXPECT_TRUE(solution.cut_short);
  ASSERT_EQ(solution.sweep.size(), 2U);
  for (const SweepPoint& point : solution.sweep) expect_valid(instance, point.assignment);
}

TEST(Solve, ExactIsProvenAndNoWorse) {
  Random random(9);
  const Instance instance = small_instance({}, random);
  SolveOptions options;
  options.trade_offs = {0.5};
  options.starts = 0;
  options.kicks = 0;
  const Solution quick = solve(instance, measures()[0], options);
  options.exact = true;
  options.diversity_unit = quick.diversity_unit;
  const Solution exact = solve(instance, measures()[0], options);
  for (std::size_t i = 0; i < exact.sweep.size(); ++i) {
    EXPECT_TRUE(exact.sweep[i].proven);
    EXPECT_FALSE(quick.sweep[i].proven);
    const Objective objective{exact.sweep[i].trade_off, exact.fitness_unit, exact.diversity_unit};
    EXPECT_GE(objective.reward(exact.sweep[i].score),
              objective.reward(quick.sweep[i].score) - 1e-9);
  }
}

TEST(Solve, ProofsHaveTheirShareOfTheTime) {
  Random random(9);
  const Instance instance = small_instance({}, random);
  SolveOptions options;
  options.trade_offs = {0.5};
  options.kicks = 10000000;
  options.exact = true;
  // The searches would take hours, so that only a share of the time that is the proofs' own can
  // prove anything. How much time that must be depends on the machine.
  const auto is_proven = [](const SweepPoint& point) { return point.proven; };
  bool proven = false;
  for (options.seconds = 1; !proven && options.seconds < 100; options.seconds *= 2) {
    const Solution solution = solve(instance, measures()[0], options);
    EXPECT_TRUE(solution.cut_short);
    proven = std::ranges::all_of(solution.sweep, is_proven);
  }
  EXPECT_TRUE(proven);
}

TEST(Solve, WhatIsNotCutShortIsWhole) {
  const Instance instance = medium_instance(4);
  SolveOptions options;
  options.trade_offs = {0.25, 0.5, 0.75};
  options.kicks = 30;
  options.seconds = 1e9;
  const auto start = std::chrono::steady_clock::now();
  const Solution whole = solve(instance, measures()[3], options);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  ASSERT_FALSE(whole.cut_short);
  for (const double share : {0.3, 0.6, 0.9, 1.2, 1.6}) {
    options.seconds = share * seconds;
    const Solution solution = solve(instance, measures()[3], options);
    if (solution.cut_short) continue;
    ASSERT_EQ(solution.front.points().size(), whole.front.points().size()) << share;
    for (std::size_t i = 0; i < whole.front.points().size(); ++i) {
      EXPECT_EQ(solution.front.points()[i].assignment, whole.front.points()[i].assignment) << share;
    }
  }
}

TEST(Instance, FixedPositionsKeepOnlyTheirCandidate) {
  Random random(4);
  Instance instance = small_instance({}, random);
  Assignment fixed(7, kNone);
  fixed[2] = 5;
  fix_assignments(instance, fixed);
  ASSERT_EQ(instance.pairs_of(2).size(), 1U);
  EXPECT_EQ(instance.pairs_of(2)[0].candidate, 5);
  for (const Position p : {0, 1, 3, 4, 5, 6}) {
    EXPECT_EQ(instance.find(p, 5), nullptr);
    EXPECT_EQ(instance.pairs_of(p).size(), 8U);
  }
}

}  // namespace
}  // namespace limber::assign
