#include "limber/companions/assign/diversity_measure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "limber/companions/assign/assortativity.h"
#include "limber/companions/assign/naive_measures_for_test.h"
#include "limber/core/base/error.h"
#include "limber/core/base/random.h"

namespace limber::assign {
namespace {

Network random_network(Node nodes, double density, Random& random) {
  std::vector<std::pair<Node, Node>> ties;
  for (Node a = 0; a < nodes; ++a) {
    for (Node b = a + 1; b < nodes; ++b) {
      if (random.uniform() < density) ties.emplace_back(a, b);
    }
  }
  return Network(nodes, std::move(ties));
}

TEST(DiversityMeasure, FollowsRandomMovesAsItsDefinitionSays) {
  for (const MeasureDescription& description : measures()) {
    const Naive naive = naive_of(description.name);
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
      Random random(seed);
      const auto kinds = static_cast<Group>(1 + random.below(4));
      const Network network = random_network(14, 0.1 + 0.05 * static_cast<double>(seed), random);
      const auto measure = description.make(network, kinds);
      std::vector<Group> groups(14, kNone);
      for (int step = 0; step < 120; ++step) {
        const auto node = static_cast<Node>(random.below(14));
        const auto group =
            static_cast<Group>(random.below(static_cast<std::uint64_t>(kinds) + 1)) - 1;
        measure->move(node, group);
        groups[static_cast<std::size_t>(node)] = group;
        ASSERT_NEAR(measure->value(), naive(adjacency(network, groups), groups, kinds), 1e-12)
            << description.name << ", seed " << seed << ", step " << step;
        ASSERT_LE(measure->value(), description.ceiling + 1e-12);
      }
    }
  }
}

TEST(DiversityMeasure, UpperBoundHoldsForEveryWayOfFilling) {
  for (const MeasureDescription& description : measures()) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      Random random(seed);
      const Network network = random_network(9, 0.35, random);
      const auto measure = description.make(network, 2);
      for (Node node = 4; node < 9; ++node)
        measure->move(node, static_cast<Group>(random.below(2)));
      const double bound = measure->upper_bound();
      double best = -std::numeric_limits<double>::infinity();
      for (unsigned filling = 0; filling < 16; ++filling) {
        for (Node node = 0; node < 4; ++node) {
          measure->move(node, static_cast<Group>((filling >> node) & 1U));
        }
        best = std::max(best, measure->value());
      }
      EXPECT_LE(best, bound + 1e-12) << description.name << ", seed " << seed;
      EXPECT_NEAR(measure->upper_bound(), description.ceiling == 0 ? 0 : measure->value(), 1e-12)
          << "nothing is left open";
    }
  }
}

void fill(DiversityMeasure& measure, const std::vector<Group>& groups) {
  for (std::size_t node = 0; node < groups.size(); ++node) {
    measure.move(static_cast<Node>(node), groups[node]);
  }
}

TEST(Assortativity, KnownNetworks) {
  // Two triangles that nothing joins: ties never leave their group.
  const Network triangles(6, {{0, 1}, {1, 2}, {0, 2}, {3, 4}, {4, 5}, {3, 5}});
  Assortativity apart(triangles, 2);
  fill(apart, {0, 0, 0, 1, 1, 1});
  EXPECT_DOUBLE_EQ(apart.coefficient(), 1);
  // A square whose corners alternate: all ties leave.
  const Network square(4, {{0, 1}, {1, 2}, {2, 3}, {3, 0}});
  Assortativity alternating(square, 2);
  fill(alternating, {0, 1, 0, 1});
  EXPECT_DOUBLE_EQ(alternating.coefficient(), -1);
  EXPECT_DOUBLE_EQ(alternating.value(), -1);
  // Pairs of neighbours alike: half of the ties within, as chance would have it.
  fill(alternating, {0, 0, 1, 1});
  EXPECT_DOUBLE_EQ(alternating.coefficient(), 0);
  // One group alone.
  fill(alternating, {1, 1, 1, 1});
  EXPECT_DOUBLE_EQ(alternating.coefficient(), 1);
}

TEST(Assortativity, NewmansExample) {
  // Newman 2003, table I: partners by ethnic group in San Francisco (Catania et al. 1992) have
  // r = 0.621. His mixing matrix is of women by men; each cell stands for that many ties, made
  // here symmetric, which leaves the trace and changes a_i b_i into squares of their mean.
  const double table[4][4] = {{0.258, 0.016, 0.035, 0.013},
                              {0.012, 0.157, 0.058, 0.019},
                              {0.013, 0.023, 0.306, 0.035},
                              {0.005, 0.007, 0.024, 0.016}};
  std::vector<std::pair<Node, Node>> ties;
  std::vector<Group> groups;
  double trace = 0, by_chance = 0, all = 0;
  for (int g = 0; g < 4; ++g) {
    double ends = 0;
    for (int h = 0; h < 4; ++h) {
      const int count = static_cast<int>(std::lround(1000 * table[g][h]));
      for (int i = 0; i < count; ++i) {
        ties.emplace_back(static_cast<Node>(groups.size()), static_cast<Node>(groups.size() + 1));
        groups.push_back(g);
        groups.push_back(h);
      }
      all += table[g][h];
      ends += (table[g][h] + table[h][g]) / 2;
    }
    trace += table[g][g];
    by_chance += ends * ends;
  }
  trace /= all;
  by_chance /= all * all;
  const Network network(static_cast<Node>(groups.size()), ties);
  Assortativity measure(network, 4);
  fill(measure, groups);
  EXPECT_NEAR(measure.coefficient(), (trace - by_chance) / (1 - by_chance), 1e-12);
  EXPECT_NEAR(measure.coefficient(), 0.621, 0.002);
}

TEST(Measures, AreFoundByName) {
  EXPECT_EQ(measures().size(), 4U);
  for (const MeasureDescription& measure : measures()) {
    EXPECT_EQ(measure_named(measure.name).title, measure.title);
  }
  try {
    measure_named("exposre");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean exposure"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace limber::assign
