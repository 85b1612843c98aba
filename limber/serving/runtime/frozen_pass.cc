#include "limber/serving/runtime/frozen_pass.h"

#include "limber/serving/runtime/row_kernels.h"

#include <algorithm>

namespace limber {
namespace {

/// gradient(k) += sum_j weights(k, j) sums(j) for the first `dim` rows of a row-major matrix.
void add_product(const AlignedFloats& weights, std::int64_t width, const float* sums,
                 std::int64_t dim, float* gradient) {
  const float none = 0;
  few_outputs(weights.data(), padded(width), sums, padded(width), &none, gradient, gradient, dim,
              width, 1);
}

}  // namespace

FrozenPass::FrozenPass(const FrozenGlobalBlock& block, std::int64_t dim, float* x,
                       std::int64_t rows, bool row_starts, const float* wide_logits,
                       Workspace& workspace)
    : block_(block), dim_(dim), rows_(rows), x_(x), wide_logits_(wide_logits) {
  const std::int64_t row = padded(block.width);
  std::int64_t widest = block.width;
  // Without a start the embedding's columns hold nothing yet and are left out of the product.
  const std::int64_t begin = row_starts ? 0 : dim;
  if (!block.crosses.empty() || !block.mlp.layers.empty()) {
    const bool cross = !block.crosses.empty();
    const PackedMatrix& first = cross ? block.crosses[0].first : block.mlp.layers[0].weight;
    first_width_ = first.columns();
    fixed_ = workspace.take(rows, first_width_);
    shift_ = workspace.take(first_width_);
    Product product = first.product(begin, block.width, x + begin, row, rows);
    if (cross && block.crosses[0].rank == 0) product.start = block.crosses[0].bias.data();
    if (!cross) product.start = block.mlp.layers[0].bias.data();
    product.c = fixed_;
    product.c_row = padded(first_width_);
    multiply(product);
  }
  if (row_starts) {
    float* starts = workspace.take(rows * dim);
    for (std::int64_t i = 0; i < rows; ++i) std::copy_n(x + i * row, dim, starts + i * dim);
    starts_ = starts;
  }
  for (const FrozenCrossLayer& layer : block.crosses) {
    outers_.push_back(workspace.take(rows, block.width));
    crossed_.push_back(workspace.take(rows, block.width));
    lows_.push_back(layer.rank > 0 ? workspace.take(rows, layer.rank) : nullptr);
  }
  for (const DenseLayer& layer : block.mlp.layers) {
    hidden_.push_back(workspace.take(rows, layer.out));
    widest = std::max(widest, layer.out);
  }
  logits_ = workspace.take(rows * block.labels);
  left_ = workspace.take(rows, widest);
  right_ = workspace.take(rows, widest);
  sums_ = workspace.take(widest);
}

const float* FrozenPass::forward(const float* embedding) {
  const std::int64_t row = padded(block_.width);
  const bool cross = !block_.crosses.empty();
  if (fixed_ != nullptr) {
    const PackedMatrix& first = cross ? block_.crosses[0].first : block_.mlp.layers[0].weight;
    Product product = first.product(0, dim_, embedding, padded(dim_), 1);
    product.c = shift_;
    product.c_row = padded(first_width_);
    multiply(product);
  }
  if (cross || fixed_ == nullptr) {
    for (std::int64_t i = 0; i < rows_; ++i) {
      float* columns = x_ + i * row;
      for (std::int64_t c = 0; c < dim_; ++c) {
        columns[c] = embedding[c] + (starts_ == nullptr ? 0.0F : starts_[i * dim_ + c]);
      }
    }
  }
  if (cross) forward_crosses(shift_);
  const float* h = cross ? crossed_.back() : x_;
  std::int64_t h_width = block_.width;
  for (std::size_t l = 0; l < hidden_.size(); ++l) {
    const DenseLayer& layer = block_.mlp.layers[l];
    if (l == 0 && !cross) {
      if (block_.mlp.tanh) {
        add_rows(fixed_, shift_, hidden_[l], padded(layer.out), rows_, layer.out);
        tanh_rows(hidden_[l], padded(layer.out), rows_, layer.out);
      } else {
        add_relu(fixed_, padded(layer.out), shift_, hidden_[l], padded(layer.out), rows_,
                 layer.out);
      }
    } else {
      apply(layer, block_.mlp.tanh, h, padded(h_width), rows_, hidden_[l]);
    }
    h = hidden_[l];
    h_width = layer.out;
  }
  few_outputs(h, padded(h_width), block_.head.data(), padded(h_width), block_.head_bias.data(),
              wide_logits_, logits_, rows_, h_width, block_.labels);
  return logits_;
}

void FrozenPass::forward_crosses(const float* shift) {
  const std::int64_t width = block_.width, row = padded(width);
  const float* x = x_;
  for (std::size_t l = 0; l < crossed_.size(); ++l) {
    const FrozenCrossLayer& layer = block_.crosses[l];
    if (layer.rank == 0) {
      if (l == 0) {
        add_rows(fixed_, shift, outers_[l], row, rows_, width);
      } else {
        Product product = layer.first.product(x, row, rows_);
        product.start = layer.bias.data();
        product.c = outers_[l];
        product.c_row = row;
        multiply(product);
      }
    } else {
      if (l == 0) {
        add_rows(fixed_, shift, lows_[l], padded(layer.rank), rows_, layer.rank);
      } else {
        Product down = layer.first.product(x, row, rows_);
        down.c = lows_[l];
        down.c_row = padded(layer.rank);
        multiply(down);
      }
      Product up = layer.up.product(lows_[l], padded(layer.rank), rows_);
      up.start = layer.bias.data();
      up.c = outers_[l];
      up.c_row = row;
      multiply(up);
    }
    multiply_add(x_, outers_[l], x, crossed_[l], row, rows_, width);
    x = crossed_[l];
  }
}

void FrozenPass::backward(const float* seed, float* gradient) {
  std::fill_n(gradient, dim_, 0.0F);
  float* gradient_x = backward_mlp(seed);
  if (!block_.crosses.empty()) {
    backward_crosses(gradient_x, gradient);
    return;
  }
  const std::int64_t width = hidden_.empty() ? block_.width : block_.mlp.layers[0].out;
  sum_rows(gradient_x, padded(width), nullptr, rows_, width, sums_);
  if (hidden_.empty()) {
    std::copy_n(sums_, dim_, gradient);
  } else {
    add_product(block_.mlp.layers[0].rows, width, sums_, dim_, gradient);
  }
}

/// Gradient before the first fully connected layer's activation where that layer is the first of
/// all, else to the cross layers' output.
float* FrozenPass::backward_mlp(const float* seed) {
  const auto& layers = block_.mlp.layers;
  const std::int64_t last = block_.mlp.out;
  const bool relu = !block_.mlp.tanh;
  float* here = left_;
  float* next = right_;
  const float* mask = relu && !layers.empty() ? hidden_.back() : nullptr;
  few_outputs_adjoint(seed, block_.head.data(), padded(last), mask, padded(last), here,
                      padded(last), rows_, last, block_.labels);
  if (!relu && !layers.empty()) tanh_adjoint(hidden_.back(), here, padded(last), rows_, last);
  for (std::size_t l = layers.size(); l-- > 0;) {
    if (l == 0 && block_.crosses.empty()) break;
    const DenseLayer& layer = layers[l];
    Product product = layer.transposed.product(here, padded(layer.out), rows_);
    product.c = next;
    product.c_row = padded(layer.in);
    if (l > 0 && relu) {
      product.finish = Finish::kMask;
      product.left = hidden_[l - 1];
      product.left_row = padded(layer.in);
    }
    multiply(product);
    if (l > 0 && !relu) tanh_adjoint(hidden_[l - 1], next, padded(layer.in), rows_, layer.in);
    std::swap(here, next);
  }
  return here;
}

void FrozenPass::backward_crosses(float* gradient_x, float* gradient) {
  const std::int64_t width = block_.width, row = padded(width);
  float* outer = gradient_x == left_ ? right_ : left_;
  for (std::size_t l = crossed_.size(); l-- > 0;) {
    const FrozenCrossLayer& layer = block_.crosses[l];
    // x_0's factor reaches the embedding's columns alone.
    for (std::int64_t i = 0; i < rows_; ++i) {
      for (std::int64_t c = 0; c < dim_; ++c) {
        gradient[c] += gradient_x[i * row + c] * outers_[l][i * row + c];
      }
    }
    multiply_elements(gradient_x, x_, outer, row, rows_, width);
    const float* inner = outer;
    std::int64_t inner_width = width;
    if (layer.rank > 0) {
      Product product = layer.up_back.product(outer, row, rows_);
      product.c = lows_[l];
      product.c_row = padded(layer.rank);
      multiply(product);
      inner = lows_[l];
      inner_width = layer.rank;
    }
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
