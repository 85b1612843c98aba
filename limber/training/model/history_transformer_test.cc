#include "limber/training/model/history_transformer.h"

#include <gtest/gtest.h>

#include <numeric>

#include "limber/training/layers/gradient_check_for_test.h"

namespace limber {
namespace {

using torch::Tensor;
const auto kDouble = torch::TensorOptions().dtype(torch::kDouble);
const auto kDevice = torch::Device(torch::kCPU);
const std::vector<std::int64_t> kNoOwn;

HistoryOptions small_options() {
  HistoryOptions options;
  options.dim = 6;
  options.length = 13;
  return options;
}

/// Members with histories of many lengths, none and above the length that is read among them, and
/// one with more candidates than are read at once.
struct Case {
  Segments support{{0, 3, 3, 23, 24, 30, 43}, kDevice};
  Segments rows{{0, 2, 5, 9, 9, 1209, 1212}, kDevice};
  Tensor steps = torch::randn({43, 6}, kDouble), candidates = torch::randn({1212, 6}, kDouble);
};

TEST(HistoryTransformer, ReadsEachCandidateAsIfItWereAlone) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(1);
  HistoryTransformer transformer(small_options(), kDouble);
  const Case all;
  const Tensor read = transformer(all.steps, all.support, all.candidates, all.rows, kNoOwn);
  for (std::int64_t t = 0; t < all.support.tasks(); ++t) {
    const auto at = static_cast<std::size_t>(t);
    const std::int64_t begin = all.support.offsets()[at], end = all.support.offsets()[at + 1];
    const std::int64_t last = all.rows.offsets()[at + 1];
    for (std::int64_t row = all.rows.offsets()[at]; row < last; row += 1 + (last - row) / 3) {
      const Tensor alone =
          transformer(all.steps.narrow(0, begin, end - begin), Segments({0, end - begin}, kDevice),
                      all.candidates.narrow(0, row, 1), Segments({0, 1}, kDevice), kNoOwn);
      EXPECT_TRUE(torch::allclose(read[row], alone[0], 1e-10, 1e-12))
          << "task " << t << " row " << row;
    }
  }
  EXPECT_TRUE(torch::equal(read.narrow(0, 2, 3), torch::zeros({3, 6}, kDouble)));
}

TEST(HistoryTransformer, ReadsTheLatestSteps) {
  const torch::NoGradGuard no_grad;
  HistoryTransformer transformer(small_options(), kDouble);
  const Case all;
  Tensor older = all.steps.clone();
  older.narrow(0, 3, 7).normal_();  // of 20 rows, those before the latest 13
  EXPECT_TRUE(torch::equal(transformer(all.steps, all.support, all.candidates, all.rows, kNoOwn),
                           transformer(older, all.support, all.candidates, all.rows, kNoOwn)));
}

TEST(HistoryTransformer, NoSupportRowReadsItself) {
  const torch::NoGradGuard no_grad;
  HistoryTransformer transformer(small_options(), kDouble);
  const Case all;
  const Tensor candidates = torch::randn({43, 6}, kDouble);
  std::vector<std::int64_t> own(43);
  std::iota(own.begin(), own.end(), 0);
  const Tensor read = transformer(all.steps, all.support, candidates, all.support, own);
  for (const std::int64_t row : {0, 1, 2, 22, 23, 26, 42}) {
    Tensor steps = all.steps.clone();
    steps[row].normal_();
    const Tensor other = transformer(steps, all.support, candidates, all.support, own);
    EXPECT_TRUE(torch::equal(read[row], other[row])) << row;
    if (row != 23) {
      EXPECT_FALSE(torch::equal(read, other)) << row;
    }
  }
  // A member's only row has no other.
  EXPECT_TRUE(torch::equal(read[23], torch::zeros({6}, kDouble)));
}

TEST(HistoryTransformer, GradientsMatchDifferences) {
  torch::manual_seed(2);
  HistoryTransformer transformer(small_options(), kDouble);
  const Segments support({0, 3, 3, 9}, kDevice), rows({0, 2, 3, 5}, kDevice);
  const Tensor steps = torch::randn({9, 6}, kDouble).requires_grad_();
  const Tensor candidates = torch::randn({5, 6}, kDouble).requires_grad_();
  const Tensor seed = torch::randn({5, 6}, kDouble);
  std::vector<Tensor> tensors = transformer->parameters();
  tensors.insert(tensors.end(), {steps, candidates});
  expect_gradients(
      [&] { return (transformer(steps, support, candidates, rows, kNoOwn) * seed).sum(); }, tensors,
      /*once=*/true);
}

}  // namespace
}  // namespace limber
