#include "limber/companions/assign/assignment_state.h"

#include <gtest/gtest.h>

#include "limber/companions/assign/synthetic_instance.h"
#include "limber/core/base/error.h"

namespace limber::assign {
namespace {

TEST(AssignmentState, FollowsRandomChangesAndUndoesThem) {
  for (const MeasureDescription& measure : measures()) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
      Random random(seed);
      SyntheticOptions size;
      size.positions = 8;
      size.candidates = 14;
      size.eligible_share = 0.7;
      Instance instance = small_instance(size, random);
      instance.quotas = {{"parity = even", 0, 4}};
      for (Candidate c = 0; c < 14; ++c) instance.quota_of.push_back(c % 2 == 0 ? 0 : kNone);
      AssignmentState state(instance, measure);
      Assignment expected(8, kNone);
      for (int step = 0; step < 200; ++step) {
        const auto p = static_cast<Position>(random.below(8));
        const auto row = instance.pairs_of(p);
        const Pair& pair = row[random.below(row.size())];
        const Position holder = state.position_of(pair.candidate);
        if (holder == p) continue;
        std::vector<Change> changes = {{p, pair.candidate, pair.fitness}};
        if (holder != kNone) changes.push_back({holder, kNone, 0});
        const Score before = state.score();
        state.apply(changes);
        if (random.below(3) == 0) {
          state.undo();
          ASSERT_NEAR(state.score().fitness, before.fitness, 1e-12);
          ASSERT_NEAR(state.score().diversity, before.diversity, 1e-12);
        } else {
          for (const Change& change : changes) {
            expected[static_cast<std::size_t>(change.position)] = change.candidate;
          }
        }
        ASSERT_EQ(state.assignment(), expected);
        const Score exact = exact_score(instance, measure, expected);
        ASSERT_NEAR(state.score().fitness, exact.fitness, 1e-12);
        ASSERT_NEAR(state.score().diversity, exact.diversity, 1e-12) << measure.name;
        int even = 0;
        for (Candidate c = 0; c < 14; ++c) {
          const Position where = state.position_of(c);
          if (where != kNone) {
            ASSERT_EQ(state.candidate_of(where), c);
            even += c % 2 == 0 ? 1 : 0;
          }
        }
        ASSERT_EQ(state.quotas_hold(), even <= 4);
      }
    }
  }
}

TEST(AssignmentState, DiversityWithIsWhatTheChangeGives) {
  Random random(5);
  const Instance instance = small_instance({}, random);
  for (const MeasureDescription& measure : measures()) {
    AssignmentState state(instance, measure);
    Assignment assignment(7);
    for (Position p = 0; p < 7; ++p) assignment[static_cast<std::size_t>(p)] = p;
    state.set(assignment);
    const double before = state.score().diversity;
    for (Position p = 0; p < 7; ++p) {
      Assignment other = assignment;
      other[static_cast<std::size_t>(p)] = 8;
      EXPECT_NEAR(state.diversity_with(p, instance.profile_of[8]),
                  exact_score(instance, measure, other).diversity, 1e-12);
      EXPECT_DOUBLE_EQ(state.score().diversity, before);
    }
  }
}

TEST(AssignmentState, RefusesPairsThatAreNotEligible) {
  Random random(1);
  Instance instance = small_instance({}, random);
  set_pairs(instance, {{0, 1, 0.5}});
  AssignmentState state(instance, measures()[0]);
  EXPECT_THROW(state.set({2, kNone, kNone, kNone, kNone, kNone, kNone}), Error);
}

}  // namespace
}  // namespace limber::assign
