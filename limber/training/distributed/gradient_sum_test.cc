#include "limber/training/distributed/gradient_sum.h"

#include <gtest/gtest.h>

#include "limber/training/distributed/ranks_for_test.h"

namespace limber {
namespace {

/// A small network whose loss is a mean over rows; one parameter is used by no one, and one by the
/// last process alone.
struct Network {
  Network() {
    torch::Generator generator = at::make_generator<at::CPUGeneratorImpl>(3);
    for (const auto& shape : {std::vector<std::int64_t>{5, 7}, {7}, {7, 1}, {3}, {7}}) {
      parameters.push_back(torch::randn(shape, generator, torch::kDouble).set_requires_grad(true));
    }
    rows = torch::randn({12, 5}, generator, torch::kDouble);
  }
  torch::Tensor loss(std::int64_t begin, std::int64_t end, bool extra) const {
    const torch::Tensor x = rows.slice(0, begin, end);
    torch::Tensor hidden = torch::tanh(x.matmul(parameters[0]) + parameters[1]);
    if (extra) hidden = hidden * parameters[4];
    return hidden.matmul(parameters[2]).square().sum() / rows.size(0);
  }
  std::vector<torch::Tensor> parameters;
  torch::Tensor rows;
};

TEST(GradientSum, IsTheGradientOfAllRowsForAnyBuckets) {
  for (const int size : {2, 3}) {
    Network alone;
    torch::Tensor all = torch::zeros({}, torch::kDouble);
    for (int rank = 0; rank < size; ++rank) {
      all = all + alone.loss(12 * rank / size, 12 * (rank + 1) / size, rank == size - 1);
    }
    all.backward();
    for (const std::int64_t bytes : {1, 80, 1 << 20}) {
      for (const bool overlapped : {true, false}) {
        run_ranks(size, [&](const std::shared_ptr<ProcessGroup>& ranks) {
          Network mine;
          GradientSum sum(ranks, mine.parameters, bytes);
          // Twice: nothing of a step may be left in the next.
          for (int step = 0; step < 2; ++step) {
            for (torch::Tensor& parameter : mine.parameters)
              parameter.mutable_grad() = torch::Tensor();
            const int rank = ranks->rank();
            const torch::Tensor loss =
                mine.loss(12 * rank / size, 12 * (rank + 1) / size, rank == size - 1);
            if (overlapped) sum.begin();
            loss.backward();
            sum.finish();
            for (std::size_t p = 0; p < mine.parameters.size(); ++p) {
              const torch::Tensor& expected = alone.parameters[p].grad();
              ASSERT_EQ(mine.parameters[p].grad().defined(), expected.defined()) << p;
              if (!expected.defined()) continue;
              EXPECT_TRUE(torch::allclose(mine.parameters[p].grad(), expected, 1e-12, 1e-14)) << p;
            }
          }
        });
      }
    }
  }
}

}  // namespace
}  // namespace limber
