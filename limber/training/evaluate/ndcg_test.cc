#include "limber/training/evaluate/ndcg.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "limber/core/base/error.h"

namespace limber {
namespace {

using Floats = std::vector<float>;

double at(int position) {
  return 1 / std::log2(position + 1.0);
}

TEST(Ndcg, ClosedForms) {
  EXPECT_DOUBLE_EQ(ndcg(Floats{3, 2, 1}, Floats{1, 1, 0}, 10), 1);
  EXPECT_DOUBLE_EQ(ndcg(Floats{3, 2, 1}, Floats{0, 1, 0}, 10), at(2));
  EXPECT_DOUBLE_EQ(ndcg(Floats{3, 2, 1}, Floats{0, 0, 1}, 2), 0);
  EXPECT_DOUBLE_EQ(ndcg(Floats{4, 3, 2, 1}, Floats{1, 0, 1, 1}, 2), at(1) / (at(1) + at(2)));
}

TEST(Ndcg, TiesAreTheMeanOverAllOrders) {
  // Rows 1, 2 and 3 are tied; all 3! orders of them are equally likely, and the cutoff falls
  // inside.
  const Floats labels{0, 1, 0, 1, 1};
  const Floats scores{9, 5, 5, 5, 1};
  std::vector<int> tied{1, 2, 3};
  double sum = 0;
  int orders = 0;
  do {
    std::vector<int> order{0, tied[0], tied[1], tied[2], 4};
    for (int i = 0; i < 3; ++i) sum += labels[static_cast<std::size_t>(order[i])] * at(i + 1);
    ++orders;
  } while (std::next_permutation(tied.begin(), tied.end()));
  EXPECT_NEAR(ndcg(scores, labels, 3), sum / orders / (at(1) + at(2) + at(3)), 1e-15);
}

TEST(Ndcg, OneClassIsUndefinedAndSkipped) {
  EXPECT_TRUE(std::isnan(ndcg(Floats{1, 2}, Floats{1, 1}, 10)));
  EXPECT_TRUE(std::isnan(ndcg(Floats{1, 2}, Floats{0, 0}, 10)));
  const std::vector<std::int64_t> ids{1, 1, 2, 2, 2, 3};
  const GroupedNdcg result = mean_ndcg(Floats{1, 2, 3, 2, 1, 0}, Floats{0, 1, 0, 1, 0, 1}, ids, 10);
  EXPECT_DOUBLE_EQ(result.value, (1 + at(2)) / 2);
  EXPECT_EQ(result.groups, 2U);
  EXPECT_EQ(result.skipped, 1U);
  EXPECT_THROW(ndcg(Floats{1}, Floats{1}, 0), Error);
}

}  // namespace
}  // namespace limber
