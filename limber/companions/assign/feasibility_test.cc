#include "limber/companions/assign/feasibility.h"

#include <gtest/gtest.h>

#include "limber/companions/assign/matching.h"
#include "limber/companions/assign/synthetic_instance.h"
#include "limber/core/base/error.h"

namespace limber::assign {
namespace {

std::string complaint(const Instance& instance) {
  try {
    check_feasible(instance, "fitness.csv");
    return "";
  } catch (const InputError& error) {
    return error.what();
  }
}

/// Positions n1, n2, ... and candidates c1, c2, ... with the given pairs.
Instance with_pairs(Position positions, Candidate candidates,
                    const std::vector<std::pair<Position, Candidate>>& eligible) {
  Instance instance;
  instance.network = Network(positions, {});
  for (Position p = 0; p < positions; ++p) {
    instance.node_names.push_back(fmt::format("n{}", p + 1));
    instance.positions.push_back(p);
  }
  instance.attributes = {
      {"a", {"x"}, std::vector<Group>(static_cast<std::size_t>(positions), kNone)}};
  for (Candidate c = 0; c < candidates; ++c) {
    instance.candidate_names.push_back(fmt::format("c{}", c + 1));
  }
  set_profiles(instance,
               std::vector<std::vector<Group>>(static_cast<std::size_t>(candidates), {0}));
  std::vector<PositionedPair> pairs;
  for (const auto& [p, c] : eligible) pairs.push_back({p, c, 1});
  set_pairs(instance, pairs);
  return instance;
}

TEST(Feasibility, NamesAPositionWithoutCandidates) {
  const std::string text = complaint(with_pairs(2, 2, {{0, 0}, {0, 1}}));
  EXPECT_NE(text.find("position n2 cannot be filled: no candidate is eligible"), std::string::npos)
      << text;
}

TEST(Feasibility, NamesHallsViolator) {
  // n1, n2 and n4 have but c1 and c2; n3 is no part of it.
  const std::string text =
      complaint(with_pairs(4, 4, {{0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 2}, {2, 3}, {3, 0}, {3, 1}}));
  EXPECT_NE(text.find("position n4 cannot be filled: 3 positions"), std::string::npos) << text;
  EXPECT_NE(text.find("share only 2 eligible candidates"), std::string::npos) << text;
  for (const char* name : {"n1", "n2", "n4", "c1", "c2"}) {
    EXPECT_NE(text.find(name), std::string::npos) << text;
  }
  EXPECT_EQ(text.find("n3"), std::string::npos) << text;
  EXPECT_EQ(text.find("c3"), std::string::npos) << text;
}

TEST(Feasibility, NamesTheQuotaThatIsFull) {
  Instance instance = with_pairs(2, 3, {{0, 0}, {0, 1}, {1, 0}, {1, 2}});
  instance.quotas = {{"team = red", 0, 1}};
  instance.quota_of = {0, 0, 0};
  const std::string text = complaint(instance);
  EXPECT_NE(text.find("team = red: at most 1"), std::string::npos) << text;
}

TEST(Feasibility, NamesTheQuotaThatCannotBeMet) {
  Instance instance = with_pairs(2, 4, {{0, 0}, {0, 1}, {1, 0}, {1, 3}});
  instance.quotas = {{"team = red", 2, 2}};
  instance.quota_of = {kNone, 0, 0, kNone};
  const std::string text = complaint(instance);
  EXPECT_NE(text.find("quota team = red: at least 2 are asked for, but only 1 of its 2"),
            std::string::npos)
      << text;
}

TEST(Feasibility, AgreesWithTheMatching) {
  int infeasible = 0;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    Random random(seed);
    const auto positions = static_cast<Position>(1 + random.below(6));
    const auto candidates = static_cast<Candidate>(1 + random.below(8));
    std::vector<std::pair<Position, Candidate>> eligible;
    for (Position p = 0; p < positions; ++p) {
      for (Candidate c = 0; c < candidates; ++c) {
        if (random.uniform() < 0.5) eligible.emplace_back(p, c);
      }
    }
    Instance instance = with_pairs(positions, candidates, eligible);
    const std::uint64_t quotas = random.below(4);
    for (std::uint64_t q = 0; q < quotas; ++q) {
      const auto low = static_cast<std::int32_t>(random.below(3));
      instance.quotas.push_back(
          {fmt::format("q = {}", q), low, low + static_cast<std::int32_t>(random.below(4))});
    }
    for (Candidate c = 0; quotas > 0 && c < candidates; ++c) {
      instance.quota_of.push_back(static_cast<std::int32_t>(random.below(quotas + 1)) - 1);
    }
    Assignment assignment;
    const bool found =
        Matching(instance).solve(std::vector<double>(instance.pairs.size(), 0), assignment);
    const std::string text = complaint(instance);
    EXPECT_EQ(text.empty(), found) << "seed " << seed << ": " << text;
    infeasible += found ? 0 : 1;
  }
  EXPECT_GT(infeasible, 100);
  EXPECT_LT(infeasible, 500);
}

}  // namespace
}  // namespace limber::assign
