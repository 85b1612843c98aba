#include "limber/training/compress/projection.h"

#include <gtest/gtest.h>

#include <limits>

namespace limber {
namespace {

using torch::Tensor;

double distance(const Tensor& matrix, const Tensor& mask) {
  return (matrix - matrix * mask).square().sum().item<double>();
}

/// The mask of each group on its own, by the definition of the structure.
std::vector<Tensor> groups_of(const std::string& structure, const Sizes& block, std::int64_t inputs,
                              std::int64_t outputs, std::vector<std::size_t>& pools) {
  std::vector<Tensor> groups;
  const auto add = [&](std::int64_t top, std::int64_t bottom, std::int64_t left,
                       std::int64_t right) {
    Tensor mask = torch::zeros({inputs, outputs}, torch::kBool);
    mask.slice(0, top, bottom).slice(1, left, right).fill_(true);
    groups.push_back(mask);
  };
  if (structure == "units") {
    for (std::int64_t c = 0; c < outputs; ++c) add(0, inputs, c, c + 1);
    pools.push_back(groups.size());
    return groups;
  }
  for (std::int64_t top = 0; top < inputs; top += block[0]) {
    for (std::int64_t left = 0; left < outputs; left += block[1]) {
      const std::int64_t bottom = std::min(top + block[0], inputs);
      const std::int64_t right = std::min(left + block[1], outputs);
      if (structure == "blocks") add(top, bottom, left, right);
      if (structure == "rows") {
        for (std::int64_t r = top; r < bottom; ++r) add(r, r + 1, left, right);
      }
      if (structure == "columns") {
        for (std::int64_t c = left; c < right; ++c) add(top, bottom, c, c + 1);
      }
      if (structure != "blocks") pools.push_back(groups.size());
    }
  }
  if (structure == "blocks") pools.push_back(groups.size());
  return groups;
}

struct Case {
  std::string structure;
  Sizes block;
  std::int64_t inputs, outputs;
};

const std::vector<Case> cases = {{"units", {2, 2}, 3, 6},   {"rows", {3, 2}, 5, 4},
                                 {"columns", {2, 3}, 4, 5}, {"blocks", {2, 2}, 5, 5},
                                 {"blocks", {9, 9}, 3, 3},  {"rows", {2, 9}, 5, 3}};

TEST(PruningGroups, IsTheNearestOfAllMatricesWithinTheBudget) {
  torch::manual_seed(1);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.structure);
    const PruningGroups groups(c.structure, c.block, c.inputs, c.outputs);
    std::vector<std::size_t> pools;
    const auto all = groups_of(c.structure, c.block, c.inputs, c.outputs, pools);
    ASSERT_EQ(groups.groups(), static_cast<std::int64_t>(all.size()));
    for (const double share : {0.0, 0.3, 0.5, 0.8, 1.0}) {
      const Tensor matrix = torch::randn({c.inputs, c.outputs}, torch::kDouble);
      const Tensor mask = groups.project(matrix, share);
      // Every choice of groups, by its bits, that keeps as many of each pool as the budget says.
      double nearest = std::numeric_limits<double>::infinity();
      for (std::size_t choice = 0; choice < (std::size_t{1} << all.size()); ++choice) {
        bool allowed = true;
        std::size_t begin = 0;
        for (const std::size_t end : pools) {
          const auto budget =
              std::max<std::int64_t>(1, std::llround(share * static_cast<double>(end - begin)));
          std::int64_t chosen = 0;
          for (std::size_t g = begin; g < end; ++g) chosen += (choice >> g) & 1;
          allowed = allowed && chosen <= budget;
          begin = end;
        }
        if (!allowed) continue;
        Tensor kept = torch::zeros({c.inputs, c.outputs}, torch::kBool);
        for (std::size_t g = 0; g < all.size(); ++g) {
          if ((choice >> g) & 1) kept = kept | all[g];
        }
        nearest = std::min(nearest, distance(matrix, kept));
      }
      EXPECT_NEAR(distance(matrix, mask), nearest, 1e-12) << "share " << share;
      EXPECT_EQ(groups.count_kept(mask), groups.kept_groups(share));
      EXPECT_LE(mask.sum().item<std::int64_t>(), groups.kept_elements(share));
      // What lies within the budget already is its own projection.
      EXPECT_EQ(distance(matrix * mask, groups.project(matrix * mask, share)), 0);
    }
  }
}

TEST(PruningGroups, KeepsTheLowestIndexOfEqualGroups) {
  const PruningGroups groups("units", {1, 1}, 2, 5);
  const Tensor mask = groups.project(torch::ones({2, 5}), 0.4);
  EXPECT_TRUE(torch::equal(mask[0].to(torch::kLong), torch::tensor({1, 1, 0, 0, 0}, torch::kLong)));
}

TEST(PruningGroups, ReadsTransposedViews) {
  torch::manual_seed(2);
  const Tensor stored = torch::randn({6, 3});
  const PruningGroups groups("units", {1, 1}, 3, 6);
  EXPECT_TRUE(
      torch::equal(groups.project(stored.t(), 0.5), groups.project(stored.t().contiguous(), 0.5)));
}

TEST(PruningGroups, EdgeTilesAreSmaller) {
  // 5 x 5 in tiles of 4 x 4: 16, 4, 4 and 1 elements.
  const PruningGroups groups("blocks", {4, 4}, 5, 5);
  EXPECT_EQ(groups.groups(), 4);
  EXPECT_EQ(groups.kept_elements(0.25), 16);
  EXPECT_EQ(groups.kept_elements(0.75), 24);
  EXPECT_EQ(groups.kept_elements(1), 25);
  // A single large number in the smallest tile outweighs sixteen small ones.
  Tensor matrix = torch::full({5, 5}, 0.1);
  matrix[4][4] = 1.0;
  const Tensor mask = groups.project(matrix, 0.25);
  EXPECT_EQ(mask.sum().item<std::int64_t>(), 1);
  EXPECT_TRUE(mask[4][4].item<bool>());
}

}  // namespace
}  // namespace limber
