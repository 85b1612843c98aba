#include "limber/training/layers/segments.h"

#include <gtest/gtest.h>

namespace limber {
namespace {

using torch::Tensor;

const std::vector<std::int64_t> kOffsets = {0, 3, 3, 4, 9};

Tensor random(std::initializer_list<std::int64_t> sizes) {
  return torch::randn(sizes, torch::kDouble).requires_grad_();
}

TEST(Segments, ExpandAndSumAreAdjoint) {
  const Segments segments(kOffsets, torch::kCPU);
  const Tensor by_task = random({4, 5}), by_row = random({9, 5});
  const double left = (expand_rows(by_task, segments) * by_row).sum().item<double>();
  const double right = (by_task * sum_rows(by_row, segments)).sum().item<double>();
  EXPECT_NEAR(left, right, 1e-12);
  EXPECT_TRUE(torch::equal(expand_rows(by_task, segments),
                           by_task.index_select(0, segments.task_of_row())));
}

TEST(Segments, CountsAndTasks) {
  const Segments segments(kOffsets, torch::kCPU);
  EXPECT_TRUE(torch::equal(segments.counts(), torch::tensor({3, 0, 1, 5}, torch::kLong)));
  EXPECT_EQ(segments.rows(), 9);
  EXPECT_EQ(segments.tasks(), 4);
}

/// Own weights per task, and one matrix seen by all tasks.
class GroupedMatmulTest : public testing::TestWithParam<bool> {};

TEST_P(GroupedMatmulTest, EqualsALoopWithItsFirstAndSecondDerivatives) {
  const bool shared = GetParam();
  torch::manual_seed(2);
  const Segments segments(kOffsets, torch::kCPU);
  const Tensor rows = random({9, 3});
  const Tensor base = shared ? random({1, 3, 2}) : random({4, 3, 2});
  const Tensor weights = base.expand({4, 3, 2});
  const auto looped = [&] {
    std::vector<Tensor> parts;
    for (std::int64_t t = 0; t < 4; ++t) {
      const auto begin = kOffsets[static_cast<std::size_t>(t)];
      const auto end = kOffsets[static_cast<std::size_t>(t) + 1];
      parts.push_back(torch::mm(rows.narrow(0, begin, end - begin), weights[t]));
    }
    return torch::cat(parts, 0);
  };
  const Tensor expected = looped(), found = grouped_matmul(rows, weights, segments);
  EXPECT_TRUE(torch::allclose(found, expected, 1e-12, 1e-12));
  const Tensor seed = torch::randn_like(expected);
  const auto derivatives = [&](const Tensor& result) {
    auto first = torch::autograd::grad({result.tanh()}, {rows, base}, {seed}, true, true);
    const Tensor scalar = first[0].square().sum() + first[1].square().sum();
    auto second = torch::autograd::grad({scalar}, {rows, base}, {}, true);
    first.insert(first.end(), second.begin(), second.end());
    return first;
  };
  const auto expected_derivatives = derivatives(expected), found_derivatives = derivatives(found);
  for (std::size_t i = 0; i < expected_derivatives.size(); ++i) {
    EXPECT_TRUE(torch::allclose(found_derivatives[i], expected_derivatives[i], 1e-10, 1e-12)) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Weights, GroupedMatmulTest, testing::Bool(), [](const auto& tested) {
  return std::string(tested.param ? "shared" : "own");
});

}  // namespace
}  // namespace limber
