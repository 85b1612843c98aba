#include "limber/serving/runtime/frozen_pass.h"

#include "limber/serving/runtime/row_kernels.h"

#include <algorithm>

namespace limber {

FrozenPass::FrozenPass(const FrozenGlobalBlock& block, std::int64_t dim, float* x,
                       std::int64_t rows, bool row_starts, const LogitParts& parts,
                       Workspace& workspace)
    : block_(block), dim_(dim), rows_(rows), x_(x), parts_(parts) {
  const std::int64_t row = padded(block.width);
  std::int64_t widest = block.width, scratch = 0;
  // Without a start the embedding's columns hold nothing yet and are left out of the product.
  const std::int64_t begin = row_starts ? 0 : dim;
  if (!block.crosses.empty()) {
    crosses_.emplace(block.crosses, block.width, dim, x, begin, rows, workspace);
  } else if (!block.mlp.layers.empty()) {
    const DenseLayer& first = block.mlp.layers[0];
    fixed_ = workspace.take(rows, first.out);
    shift_ = workspace.take(first.out);
    Product product = first.weight.product(begin, block.width, x + begin, row, rows);
    product.start = first.bias.data();
    product.c = fixed_;
    product.c_row = padded(first.out);
    multiply(product);
  }
  if (!block.parallel.empty()) {
    parallel_.emplace(block.parallel, block.width, dim, x, begin, rows, workspace);
    joined_ = workspace.take(rows, block.width);
  }
  if (row_starts) {
    float* starts = workspace.take(rows * dim);
    for (std::int64_t i = 0; i < rows; ++i) std::copy_n(x + i * row, dim, starts + i * dim);
    starts_ = starts;
  }
  for (const DenseLayer& layer : block.mlp.layers) {
    Kept kept;
    kept.hidden = workspace.take(rows, layer.out);
    kept.gated = kept.hidden;
    if (!block.gates.empty()) {
      kept.scores = workspace.take(rows, layer.out);
      kept.gated = workspace.take(rows, layer.out);
      scratch = std::max(scratch, block.gates[kept_.size()].scratch_width());
    }
    kept_.push_back(kept);
    widest = std::max(widest, layer.out);
  }
  if (block.experts) experts_.emplace(*block.experts, rows, workspace);
  gate_scratch_ = workspace.take(rows, scratch);
  logits_ = workspace.take(rows * block.labels);
  slopes_ = workspace.take(rows * block.labels);
  left_ = workspace.take(rows, widest);
  right_ = workspace.take(rows, widest);
  sums_ = workspace.take(widest);
}

const float* FrozenPass::forward(const float* embedding) {
  const std::int64_t row = padded(block_.width);
  if (fixed_ != nullptr) {
    const DenseLayer& first = block_.mlp.layers[0];
    Product product = first.weight.product(0, dim_, embedding, padded(dim_), 1);
    product.c = shift_;
    product.c_row = padded(first.out);
    multiply(product);
  } else {
    for (std::int64_t i = 0; i < rows_; ++i) {
      float* columns = x_ + i * row;
      for (std::int64_t c = 0; c < dim_; ++c) {
        columns[c] = embedding[c] + (starts_ == nullptr ? 0.0F : starts_[i * dim_ + c]);
      }
    }
  }
  const float* h = crosses_ ? crosses_->forward(x_, embedding) : x_;
  if (parallel_) {
    join_branches(h, parallel_->forward(x_, embedding), x_, rows_ * row, joined_);
    h = joined_;
  }
  std::int64_t h_width = block_.width;
  for (std::size_t l = 0; l < kept_.size(); ++l) {
    const DenseLayer& layer = block_.mlp.layers[l];
    const Kept& kept = kept_[l];
    if (l > 0 || fixed_ == nullptr) {
      apply(layer, block_.mlp.tanh, h, padded(h_width), rows_, kept.hidden);
    } else if (block_.mlp.tanh) {
      add_rows(fixed_, shift_, kept.hidden, padded(layer.out), rows_, layer.out);
      tanh_rows(kept.hidden, padded(layer.out), rows_, layer.out);
    } else {
      add_relu(fixed_, padded(layer.out), shift_, kept.hidden, padded(layer.out), rows_, layer.out);
    }
    if (!block_.gates.empty()) {
      block_.gates[l].scores(kept.hidden, rows_, gate_scratch_, kept.scores);
      block_.gates[l].open(kept.hidden, kept.scores, rows_, kept.gated);
    }
    h = kept.gated;
    h_width = layer.out;
  }
  if (experts_) {
    experts_->forward(h, parts_.wide_logits, logits_);
  } else {
    few_outputs(h, padded(h_width), block_.head.data(), padded(h_width), block_.head_bias.data(),
                parts_.wide_logits, logits_, rows_, h_width, block_.labels);
  }
  if (block_.calibration) block_.calibration->apply(parts_.curves, rows_, logits_, slopes_);
  return logits_;
}

void FrozenPass::backward(const float* seed, float* gradient) {
  std::fill_n(gradient, dim_, 0.0F);
  if (block_.calibration) {
    for (std::int64_t i = 0; i < rows_ * block_.labels; ++i) slopes_[i] *= seed[i];
    seed = slopes_;
  }
  float* gradient_x = backward_mlp(seed);
  const std::int64_t row = padded(block_.width);
  if (crosses_) {
    float* beside = nullptr;
    if (parallel_) {
      // The joined output is a + p - x_0: one gradient for both, and less one for x_0.
      beside = gradient_x == left_ ? right_ : left_;
      std::copy_n(gradient_x, rows_ * row, beside);
      for (std::int64_t i = 0; i < rows_; ++i) {
        for (std::int64_t c = 0; c < dim_; ++c) gradient[c] -= gradient_x[i * row + c];
      }
    }
    crosses_->backward(x_, gradient_x, gradient);
    if (parallel_) parallel_->backward(x_, beside, gradient);
    return;
  }
  const std::int64_t width = kept_.empty() ? block_.width : block_.mlp.layers[0].out;
  sum_rows(gradient_x, padded(width), nullptr, rows_, width, sums_);
  if (kept_.empty()) {
    for (std::int64_t c = 0; c < dim_; ++c) gradient[c] += sums_[c];
  } else {
    add_product(block_.mlp.layers[0].rows, width, sums_, dim_, gradient);
  }
}

/// Gradient before the first fully connected layer's activation where that layer is the first of
/// all, else to the cross layers' output.
float* FrozenPass::backward_mlp(const float* seed) {
  const auto& layers = block_.mlp.layers;
  const std::int64_t last = block_.mlp.out;
  const bool relu = !block_.mlp.tanh, gated = !block_.gates.empty();
  float* here = left_;
  float* next = right_;
  const bool masked = relu && !gated && !layers.empty();
  if (experts_) {
    experts_->backward(seed, here);
    if (masked) mask_rows(kept_.back().hidden, rows_ * padded(last), here);
  } else {
    few_outputs_adjoint(seed, block_.head.data(), padded(last),
                        masked ? kept_.back().hidden : nullptr, padded(last), here, padded(last),
                        rows_, last, block_.labels);
  }
  for (std::size_t l = layers.size(); l-- > 0;) {
    const DenseLayer& layer = layers[l];
    if (gated) {
      block_.gates[l].adjoint(kept_[l].hidden, kept_[l].scores, here, relu, rows_, gate_scratch_,
                              next);
      std::swap(here, next);
    }
    if (!relu) tanh_adjoint(kept_[l].hidden, here, padded(layer.out), rows_, layer.out);
    if (l == 0 && !crosses_) break;
    Product product = layer.transposed.product(here, padded(layer.out), rows_);
    product.c = next;
    product.c_row = padded(layer.in);
    if (l > 0 && relu && !gated) {
      product.finish = Finish::kMask;
      product.left = kept_[l - 1].hidden;
      product.left_row = padded(layer.in);
    }
    multiply(product);
    std::swap(here, next);
  }
  return here;
}

}  // namespace limber
