#include "limber/serving/runtime/cross_pass.h"

#include <algorithm>

#include "limber/serving/runtime/row_kernels.h"
#include "limber/serving/runtime/token_attention.h"

namespace limber {

void add_product(const AlignedFloats& weights, std::int64_t width, const float* sums,
                 std::int64_t dim, float* gradient) {
  const float none = 0;
  few_outputs(weights.data(), padded(width), sums, padded(width), &none, gradient, gradient, dim,
              width, 1);
}

CrossPass::CrossPass(const CrossChain& chain, std::int64_t width, std::int64_t dim, const float* x,
                     std::int64_t begin, std::int64_t rows, Workspace& workspace)
    : chain_(chain), width_(width), dim_(dim), rows_(rows) {
  const std::int64_t first_width = chain[0].inner_width();
  fixed_ = workspace.take(rows, first_width);
  shift_ = workspace.take(first_width);
  Product product = chain[0].first.product(begin, width, x + begin, padded(width), rows);
  product.start = chain[0].inner_start();
  product.c = fixed_;
  product.c_row = padded(first_width);
  multiply(product);
  std::int64_t rank = 0, inner = 0;
  for (const FrozenCrossLayer& layer : chain) {
    Kept kept;
    if (layer.rank > 0) kept.low = workspace.take(rows, layer.inner_width());
    if (layer.tokens > 0) kept.attended = workspace.take(rows, layer.rank);
    kept.outer = workspace.take(rows, width);
    kept.crossed = workspace.take(rows, width);
    kept_.push_back(kept);
    rank = std::max(rank, layer.rank);
    inner = std::max(inner, layer.inner_width());
  }
  outer_ = workspace.take(rows, width);
  low_ = workspace.take(rows, rank);
  inner_ = workspace.take(rows, inner);
  sums_ = workspace.take(inner);
}

const float* CrossPass::forward(const float* x0, const float* embedding) {
  const std::int64_t row = padded(width_);
  Product shift = chain_[0].first.product(0, dim_, embedding, padded(dim_), 1);
  shift.c = shift_;
  shift.c_row = padded(chain_[0].inner_width());
  multiply(shift);
  const float* x = x0;
  for (std::size_t l = 0; l < chain_.size(); ++l) {
    const FrozenCrossLayer& layer = chain_[l];
    const Kept& kept = kept_[l];
    const std::int64_t inner_row = padded(layer.inner_width());
    float* inner = layer.rank == 0 ? kept.outer : kept.low;
    if (l == 0) {
      add_rows(fixed_, shift_, inner, inner_row, rows_, layer.inner_width());
    } else {
      Product product = layer.first.product(x, row, rows_);
      product.start = layer.inner_start();
      product.c = inner;
      product.c_row = inner_row;
      multiply(product);
    }
    if (layer.rank > 0) {
      const float* low = kept.low;
      std::int64_t low_row = inner_row;
      if (layer.tokens > 0) {
        token_attention(layer, kept.low, rows_, kept.attended);
        low = kept.attended;
        low_row = padded(layer.rank);
      }
      Product up = layer.up.product(low, low_row, rows_);
      up.start = layer.bias.data();
      up.c = kept.outer;
      up.c_row = row;
      multiply(up);
    }
    multiply_add(x0, kept.outer, x, kept.crossed, row, rows_, width_);
    x = kept.crossed;
  }
  return x;
}

void CrossPass::backward(const float* x0, float* gradient_x, float* gradient) {
  const std::int64_t row = padded(width_);
  for (std::size_t l = chain_.size(); l-- > 0;) {
    const FrozenCrossLayer& layer = chain_[l];
    const Kept& kept = kept_[l];
    // x_0's factor reaches the embedding's columns alone.
    for (std::int64_t i = 0; i < rows_; ++i) {
      for (std::int64_t c = 0; c < dim_; ++c) {
        gradient[c] += gradient_x[i * row + c] * kept.outer[i * row + c];
      }
    }
    multiply_elements(gradient_x, x0, outer_, row, rows_, width_);
    const float* inner = outer_;
    if (layer.rank > 0) {
      Product product = layer.up_back.product(outer_, row, rows_);
      product.c = low_;
      product.c_row = padded(layer.rank);
      multiply(product);
      inner = low_;
      if (layer.tokens > 0) {
        token_attention_adjoint(layer, kept.low, low_, rows_, inner_);
        inner = inner_;
      }
    }
    const std::int64_t inner_width = layer.inner_width();
    if (l == 0) {
      sum_rows(inner, padded(inner_width), nullptr, rows_, inner_width, sums_);
      add_product(layer.rows, inner_width, sums_, dim_, gradient);
      for (std::int64_t i = 0; i < rows_; ++i) {
        for (std::int64_t c = 0; c < dim_; ++c) gradient[c] += gradient_x[i * row + c];
      }
    } else {
      Product product = layer.first_back.product(inner, padded(inner_width), rows_);
      product.start = gradient_x;
      product.start_row = row;
      product.c = gradient_x;
      product.c_row = row;
      multiply(product);
    }
  }
}

}  // namespace limber
