#include "limber/serving/runtime/row_kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "limber/core/base/random.h"
#include "limber/serving/runtime/aligned.h"

namespace limber {
namespace {

AlignedFloats random_matrix(Random& random, std::int64_t rows, std::int64_t columns) {
  AlignedFloats values(rows * padded(columns));
  for (std::int64_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(random.normal());
  return values;
}

TEST(RowKernels, FewOutputsAndTheirAdjoint) {
  Random random(7);
  for (const std::int64_t inputs : {1, 15, 64, 131}) {
    const std::int64_t rows = 5, outputs = 3;
    const AlignedFloats h = random_matrix(random, rows, inputs);
    const AlignedFloats weights = random_matrix(random, outputs, inputs);
    const AlignedFloats start = random_matrix(random, rows, outputs);
    const float bias[] = {0.5F, -1, 2};
    std::vector<float> logits(static_cast<std::size_t>(rows * outputs));
    few_outputs(h.data(), padded(inputs), weights.data(), padded(inputs), bias, start.data(),
                logits.data(), rows, inputs, outputs);
    AlignedFloats adjoint(rows * padded(inputs));
    few_outputs_adjoint(logits.data(), weights.data(), padded(inputs), h.data(), padded(inputs),
                        adjoint.data(), padded(inputs), rows, inputs, outputs);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t l = 0; l < outputs; ++l) {
        double sum = bias[l] + start[i * outputs + l];
        for (std::int64_t j = 0; j < inputs; ++j) {
          sum += static_cast<double>(h[i * padded(inputs) + j]) * weights[l * padded(inputs) + j];
        }
        EXPECT_NEAR(logits[static_cast<std::size_t>(i * outputs + l)], sum, 1e-4);
      }
      for (std::int64_t j = 0; j < inputs; ++j) {
        double sum = 0;
        for (std::int64_t l = 0; l < outputs; ++l) {
          sum +=
              logits[static_cast<std::size_t>(i * outputs + l)] * weights[l * padded(inputs) + j];
        }
        EXPECT_NEAR(adjoint[i * padded(inputs) + j], h[i * padded(inputs) + j] > 0 ? sum : 0, 1e-3);
      }
    }
  }
}

TEST(RowKernels, TanhOfLargeAndSmall) {
  AlignedFloats values(2 * padded(40));
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 40; ++j)
      values[i * padded(40) + j] = static_cast<float>((j - 20) * (i + 0.1));
  }
  AlignedFloats before(values.size());
  std::copy_n(values.data(), values.size(), before.data());
  tanh_rows(values.data(), padded(40), 2, 40);
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 40; ++j) {
      EXPECT_NEAR(values[i * padded(40) + j], std::tanh(before[i * padded(40) + j]), 1e-6);
    }
  }
}

}  // namespace
}  // namespace limber
