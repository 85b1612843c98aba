#include "limber/serving/runtime/product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "limber/core/base/random.h"
#include "limber/serving/runtime/packed_matrix.h"

namespace limber {
namespace {

AlignedFloats random_matrix(Random& random, std::int64_t rows, std::int64_t columns) {
  AlignedFloats values(rows * padded(columns));
  for (std::int64_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(random.normal());
  return values;
}

struct Case {
  std::int64_t rows, inner, columns;
};

class Products : public testing::TestWithParam<Case> {};

/// Every finish, packed and row-major right sides, transposed left sides, parts of the inner
/// dimension, beside the textbook's triple loop.
TEST_P(Products, EqualTheTripleLoop) {
  const auto [rows, inner, columns] = GetParam();
  Random random(static_cast<std::uint64_t>(rows * 1000003 + inner * 1009 + columns));
  const AlignedFloats a = random_matrix(random, rows, inner);
  const AlignedFloats a_turned = random_matrix(random, inner, rows);
  const AlignedFloats b = random_matrix(random, inner, columns);
  const AlignedFloats bias = random_matrix(random, 1, columns);
  const AlignedFloats left = random_matrix(random, rows, columns);
  const AlignedFloats right = random_matrix(random, rows, columns);
  const std::int64_t stride = padded(columns);
  const PackedMatrix packed(b.data(), inner, columns, stride);

  for (const Finish finish : {Finish::kNone, Finish::kRelu, Finish::kCross, Finish::kMask}) {
    for (const bool turned : {false, true}) {
      for (const bool use_packed : {false, true}) {
        const std::int64_t first = inner / 3;
        Product p = packed.product(first, inner, a.data() + first, padded(inner), rows);
        if (turned) {
          p.a = a_turned.data() + first * padded(rows);
          p.a_row = 1;
          p.a_inner = padded(rows);
        }
        if (!use_packed) {
          p.b = b.data() + first * stride;
          p.b_row = stride;
          p.b_panel = panel_width();
        }
        AlignedFloats c(rows * stride);
        p.start = bias.data();
        p.scale = -0.5F;
        p.c = c.data();
        p.c_row = stride;
        p.finish = finish;
        p.left = left.data();
        p.right = right.data();
        p.left_row = p.right_row = stride;
        multiply(p);
        for (std::int64_t i = 0; i < rows; ++i) {
          for (std::int64_t j = 0; j < columns; ++j) {
            double sum = 0, size = 1;
            for (std::int64_t k = first; k < inner; ++k) {
              const double factor =
                  turned ? a_turned[k * padded(rows) + i] : a[i * padded(inner) + k];
              sum += factor * b[k * stride + j];
              size += std::abs(factor * b[k * stride + j]);
            }
            double expected = bias[j] - 0.5 * sum;
            const double by = left[i * stride + j];
            if (finish == Finish::kRelu) expected = std::max(expected, 0.0);
            if (finish == Finish::kCross) expected = by * expected + right[i * stride + j];
            if (finish == Finish::kMask) expected = by > 0 ? expected : 0;
            ASSERT_NEAR(c[i * stride + j], expected, 2e-6 * size * (1 + std::abs(by)))
                << rows << " x " << inner << " x " << columns << " at " << i << ", " << j;
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Products,
                         testing::Values(Case{1, 1, 1}, Case{1, 429, 400}, Case{1, 7, 130},
                                         Case{2, 33, 65}, Case{3, 400, 31}, Case{4, 5, 16},
                                         Case{5, 64, 17}, Case{6, 700, 48}, Case{7, 13, 400},
                                         Case{13, 33, 33}, Case{32, 134, 256}, Case{64, 1001, 33}));

TEST(PackedMatrices, AccumulateIntoTheirOwnStart) {
  Random random(5);
  const AlignedFloats a = random_matrix(random, 9, 20), b = random_matrix(random, 20, 40);
  AlignedFloats c = random_matrix(random, 9, 40);
  AlignedFloats before(c.size());
  std::copy_n(c.data(), c.size(), before.data());
  const PackedMatrix packed(b.data(), 20, 40, padded(40));
  Product p = packed.product(a.data(), padded(20), 9);
  p.start = c.data();
  p.start_row = padded(40);
  p.c = c.data();
  p.c_row = padded(40);
  multiply(p);
  for (int i = 0; i < 9; ++i) {
    for (int j = 0; j < 40; ++j) {
      double sum = before[i * padded(40) + j];
      for (int k = 0; k < 20; ++k) sum += a[i * padded(20) + k] * b[k * padded(40) + j];
      EXPECT_NEAR(c[i * padded(40) + j], sum, 1e-4);
    }
  }
}

TEST(PackedMatrices, PackTransposedMatrices) {
  Random random(6);
  const AlignedFloats values = random_matrix(random, 37, 21), a = random_matrix(random, 3, 21);
  const PackedMatrix packed = PackedMatrix::transposed(values.data(), 37, 21, padded(21));
  AlignedFloats c(3 * padded(37));
  Product p = packed.product(a.data(), padded(21), 3);
  p.c = c.data();
  p.c_row = padded(37);
  multiply(p);
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 37; ++j) {
      double sum = 0;
      for (int k = 0; k < 21; ++k) sum += a[i * padded(21) + k] * values[j * padded(21) + k];
      EXPECT_NEAR(c[i * padded(37) + j], sum, 1e-4);
    }
  }
}

}  // namespace
}  // namespace limber
