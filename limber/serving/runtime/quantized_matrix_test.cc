#include "limber/serving/runtime/quantized_matrix.h"

#include <gtest/gtest.h>

#include <cmath>

#include "limber/core/base/random.h"

namespace limber {
namespace {

TEST(QuantizedRows, AreWithinHalfAStep) {
  Random random(3);
  for (const bool positive : {false, true}) {
    const std::int64_t rows = 7, columns = 53;
    AlignedFloats x(rows * padded(columns));
    for (std::int64_t i = 0; i < x.size(); ++i) {
      const double value = random.normal();
      x[i] = static_cast<float>(positive ? std::abs(value) : value);
    }
    for (std::int64_t j = 0; j < columns; ++j) x[2 * padded(columns) + j] = 0;
    std::vector<std::uint8_t> q(static_cast<std::size_t>(rows * padded_inner(columns)));
    std::vector<float> scales(static_cast<std::size_t>(rows));
    const int zero = positive ? 0 : kZeroActivation;
    quantize_rows(x.data(), padded(columns), rows, columns, zero, q.data(), padded_inner(columns),
                  scales.data());
    for (std::int64_t i = 0; i < rows; ++i) {
      const float scale = scales[static_cast<std::size_t>(i)];
      for (std::int64_t j = 0; j < padded_inner(columns); ++j) {
        const int level = q[static_cast<std::size_t>(i * padded_inner(columns) + j)];
        ASSERT_LE(level, kMostActivation);
        const float exact = j < columns ? x[i * padded(columns) + j] : 0.0F;
        ASSERT_NEAR(scale * static_cast<float>(level - zero), exact, 0.501F * scale + 1e-7F);
      }
    }
  }
}

/// Integers that fit seven bits pass without any loss, at the extremes too, where sums of 16 bits
/// would overflow if they could.
TEST(QuantizedMatrix, IsExactWhereNothingIsRounded) {
  Random random(4);
  for (const std::int64_t inner : {1, 8, 9, 64, 403}) {
    for (const bool extreme : {false, true}) {
      for (const bool positive : {false, true}) {
        const std::int64_t rows = 11, columns = 45, stride = padded(columns);
        AlignedFloats w(inner * stride), x(rows * padded(inner)), start(stride);
        const int low = positive ? 0 : -63, high = positive ? 127 : 63;
        const auto draw = [&](int from, int to) {
          if (extreme) return static_cast<float>(random.below(4) == 0 ? from : to);
          return static_cast<float>(
              from + static_cast<int>(random.below(static_cast<std::uint64_t>(to - from + 1))));
        };
        for (std::int64_t k = 0; k < inner; ++k) {
          for (std::int64_t j = 0; j < columns; ++j) w[k * stride + j] = draw(-63, 63);
          for (std::int64_t i = 0; i < rows; ++i) x[i * padded(inner) + k] = draw(low, high);
        }
        // The largest values are there, so that scales are 1.
        for (std::int64_t j = 0; j < columns; ++j) {
          w[j] = 63;
          start[j] = static_cast<float>(random.normal());
        }
        for (std::int64_t i = 0; i < rows; ++i) x[i * padded(inner)] = static_cast<float>(high);
        const QuantizedMatrix matrix(w.data(), inner, columns, stride);
        Workspace workspace;
        AlignedFloats c(rows * stride);
        for (const bool relu : {false, true}) {
          matrix.apply(x.data(), padded(inner), rows, positive, start.data(), 0, relu, workspace,
                       c.data(), stride);
          for (std::int64_t i = 0; i < rows; ++i) {
            for (std::int64_t j = 0; j < columns; ++j) {
              double sum = start[j];
              for (std::int64_t k = 0; k < inner; ++k) {
                sum += static_cast<double>(x[i * padded(inner) + k]) * w[k * stride + j];
              }
              if (relu) sum = std::max(sum, 0.0);
              ASSERT_NEAR(c[i * stride + j], sum, 1e-3 + 1e-6 * std::abs(sum))
                  << inner << ", " << i << ", " << j;
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace limber
