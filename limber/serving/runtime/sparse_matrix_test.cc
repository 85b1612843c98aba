#include "limber/serving/runtime/sparse_matrix.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "limber/core/base/random.h"
#include "limber/serving/runtime/dense_layer.h"
#include "limber/serving/runtime/packed_matrix.h"

namespace limber {
namespace {

AlignedFloats random_matrix(Random& random, std::int64_t rows, std::int64_t columns) {
  AlignedFloats values(rows * padded(columns));
  for (std::int64_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(random.normal());
  return values;
}

/// Zeroes all but about a share of tiles [height, width].
void prune(Random& random, double share, std::int64_t height, std::int64_t width, std::int64_t rows,
           std::int64_t columns, AlignedFloats& values) {
  for (std::int64_t r = 0; r < rows; r += height) {
    for (std::int64_t c = 0; c < columns; c += width) {
      if (random.uniform() < share) continue;
      for (std::int64_t i = r; i < std::min(r + height, rows); ++i) {
        std::fill_n(values.data() + i * padded(columns) + c, std::min(width, columns - c), 0.0F);
      }
    }
  }
}

/// What the dense kernel makes of the same weight, whatever is left of it, for heights of tiles
/// that take every way through the kernel, several slices among them, with every finish.
TEST(SparseMatrices, MultiplyAsDenseOnesDo) {
  Random random(21);
  for (int trial = 0; trial < 200; ++trial) {
    const auto pick = [&](std::initializer_list<std::int64_t> from) {
      return from.begin()[random.below(from.size())];
    };
    const std::int64_t rows = pick({1, 2, 3, 4, 5, 7, 12, 13, 31});
    const std::int64_t inner = pick({1, 3, 4, 17, 64, 335, 1500});
    const std::int64_t columns = pick({1, 15, 16, 33, 100, 200});
    AlignedFloats weight = random_matrix(random, inner, columns);
    prune(random, pick({0, 1, 2, 5, 10}) / 10.0, pick({1, 4, 16, 1500}), pick({1, 16, 32, 200}),
          inner, columns, weight);
    const AlignedFloats a = random_matrix(random, rows, inner);
    const AlignedFloats bias = random_matrix(random, 1, columns);
    const AlignedFloats left = random_matrix(random, rows, columns);
    const std::int64_t stride = padded(columns);
    const PackedMatrix dense(weight.data(), inner, columns, stride);
    SparseMatrix built(weight.data(), inner, columns, stride);
    const SparseMatrix sparse = std::move(built);  // its parts must survive a move
    EXPECT_GE(sparse.density(), 0);
    EXPECT_LE(sparse.density(), 1);
    for (const Finish finish : {Finish::kNone, Finish::kRelu, Finish::kCross, Finish::kMask}) {
      AlignedFloats expected(rows * stride), got(rows * stride);
      std::fill_n(got.data(), got.size(), 123.0F);
      Product products[] = {dense.product(a.data(), padded(inner), rows),
                            sparse.product(a.data(), padded(inner), rows)};
      products[0].c = expected.data();
      products[1].c = got.data();
      for (Product& product : products) {
        product.start = finish == Finish::kNone ? nullptr : bias.data();
        product.scale = -0.5F;
        product.c_row = product.left_row = product.right_row = stride;
        product.finish = finish;
        product.left = product.right = left.data();
        multiply(product);
      }
      for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < columns; ++j) {
          const float by = left[i * stride + j];
          ASSERT_NEAR(got[i * stride + j], expected[i * stride + j],
                      1e-6 * (1 + std::abs(by)) * std::sqrt(static_cast<double>(inner)) * 10)
              << rows << " x " << inner << " x " << columns << " at " << i << ", " << j;
        }
      }
    }
  }
}

TEST(SparseMatrices, KeepTheRowsThatAreLeftAndNoMore) {
  const std::int64_t panel = panel_width();
  AlignedFloats weight(40 * padded(2 * panel));
  const SparseMatrix none(weight.data(), 40, 2 * panel, padded(2 * panel));
  EXPECT_EQ(none.density(), 0);
  // One number in the second panel: its run of four rows.
  weight[21 * padded(2 * panel) + panel + 3] = 1;
  const SparseMatrix one(weight.data(), 40, 2 * panel, padded(2 * panel));
  EXPECT_DOUBLE_EQ(one.density(), 4.0 / 80);
}

TEST(SparseMatrices, AreTakenWhereTheyAreFaster) {
  Random random(4);
  const std::int64_t size = 256;
  AlignedFloats weight = random_matrix(random, size, size);
  EXPECT_TRUE(SparseMatrix::where_faster(weight.data(), size, size, padded(size)).empty());
  prune(random, 0.3, 16, panel_width(), size, size, weight);
  const auto sparse = SparseMatrix::where_faster(weight.data(), size, size, padded(size));
  ASSERT_FALSE(sparse.empty());
  EXPECT_NEAR(sparse.density(), 0.3, 0.15);
}

/// A layer of zero tiles gives what the sum over its inputs says, with and without activation.
TEST(SparseMatrices, MakeALayerSayTheSame) {
  Random random(14);
  const std::int64_t in = 100, out = 70, rows = 9;
  DenseLayer layer;
  layer.in = in;
  layer.out = out;
  layer.rows = random_matrix(random, in, out);
  prune(random, 0.2, 16, 32, in, out, layer.rows);
  layer.bias = random_matrix(random, 1, out);
  layer.weight = PackedMatrix(layer.rows.data(), in, out, padded(out));
  layer.sparse = SparseMatrix::where_faster(layer.rows.data(), in, out, padded(out));
  ASSERT_FALSE(layer.sparse.empty());
  const AlignedFloats x = random_matrix(random, rows, in);
  AlignedFloats linear(rows * padded(out)), relu(rows * padded(out)), tanh(rows * padded(out));
  apply_linear(layer, x.data(), padded(in), rows, linear.data());
  apply(layer, false, x.data(), padded(in), rows, relu.data());
  apply(layer, true, x.data(), padded(in), rows, tanh.data());
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < out; ++j) {
      double sum = layer.bias[j];
      for (std::int64_t k = 0; k < in; ++k) {
        sum += double{x[i * padded(in) + k]} * layer.rows[k * padded(out) + j];
      }
      const std::int64_t at = i * padded(out) + j;
      EXPECT_NEAR(linear[at], sum, 1e-5);
      EXPECT_NEAR(relu[at], std::max(sum, 0.0), 1e-5);
      EXPECT_NEAR(tanh[at], std::tanh(sum), 1e-5);
    }
  }
}

}  // namespace
}  // namespace limber
