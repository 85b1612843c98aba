#include "limber/companions/assign/network.h"

#include <gtest/gtest.h>

#include <set>

#include "limber/core/base/error.h"
#include "limber/core/base/random.h"

namespace limber::assign {
namespace {

TEST(Network, DirectionAndRepetitionDoNotCount) {
  const Network network(4, {{0, 1}, {1, 0}, {2, 1}, {1, 2}, {1, 2}});
  EXPECT_EQ(network.size(), 4);
  EXPECT_EQ(network.ties(), 2);
  EXPECT_EQ(network.degree(1), 2);
  EXPECT_EQ(network.degree(3), 0);
}

TEST(Network, NeighboursAreThoseOfTheTiesAscending) {
  Random random(1);
  std::vector<std::pair<Node, Node>> ties;
  std::vector<std::set<Node>> expected(30);
  for (int i = 0; i < 120; ++i) {
    const auto a = static_cast<Node>(random.below(30)), b = static_cast<Node>(random.below(30));
    if (a == b) continue;
    ties.emplace_back(a, b);
    expected[static_cast<std::size_t>(a)].insert(b);
    expected[static_cast<std::size_t>(b)].insert(a);
  }
  const Network network(30, ties);
  for (Node node = 0; node < 30; ++node) {
    const auto row = network.neighbours(node);
    const auto& wanted = expected[static_cast<std::size_t>(node)];
    EXPECT_EQ(std::vector<Node>(row.begin(), row.end()),
              std::vector<Node>(wanted.begin(), wanted.end()));
  }
}

TEST(Network, RefusesTiesThatAreNone) {
  EXPECT_THROW(Network(3, {{1, 1}}), Error);
  EXPECT_THROW(Network(3, {{0, 3}}), Error);
  EXPECT_THROW(Network(3, {{-1, 0}}), Error);
}

}  // namespace
}  // namespace limber::assign
