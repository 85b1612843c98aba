#include "limber/serving/runtime/task_weights.h"

#include "limber/serving/runtime/row_kernels.h"

#include <algorithm>

namespace limber {
namespace {

/// A right side that is an ordinary row-major matrix.
void use_rows(Product& product, const float* matrix, std::int64_t row) {
  product.b = matrix;
  product.b_row = row;
  product.b_panel = panel_width();
}

}  // namespace

TaskWeights::TaskWeights(const FrozenMetaBlock& block, const float* x, std::int64_t rows,
                         const float* weights, float share, std::int64_t steps,
                         Workspace& workspace)
    : block_(block), x_(x), rows_(rows), weights_(weights), share_(share), total_(0) {
  std::int64_t widest = 1;
  for (std::size_t l = 0; l < block.layers.size(); ++l) {
    const DenseLayer& shared = block.layers[l];
    Layer layer{shared.rows.data(), shared.bias.data()};
    if (l + 1 < block.layers.size()) {
      layer.output = workspace.take(rows, shared.out);
      widest = std::max(widest, shared.out);
    }
    if (l > 0) widest = std::max(widest, shared.in);
    layers_.push_back(layer);
  }
  const bool hidden = layers_.size() > 1;
  const std::int64_t in = block.layers[0].in, out = block.layers[0].out;
  // Multiplications: X X' once and rows x rows each step, or forward and gradient each step.
  by_rows_ = hidden && steps > 0 && rows * in + steps * rows * out < 2 * steps * in * out;
  if (hidden) first_ = workspace.take(rows, out);
  if (by_rows_) {
    float* turned = workspace.take(in, rows);
    transpose(x, padded(in), turned, padded(rows), rows, in);
    gram_ = workspace.take(rows, rows);
    float* rates = workspace.take(rows);
    std::fill_n(rates, padded(rows), block.bias_rates[0]);
    Product product;
    product.rows = product.columns = rows;
    product.inner = in;
    product.a = x;
    product.a_row = padded(in);
    use_rows(product, turned, padded(rows));
    product.scale = block.weight_rates[0];
    product.start = rates;
    product.c = gram_;
    product.c_row = padded(rows);
    multiply(product);
  }
  for (std::size_t l = 0; l < layers_.size() && steps > 0; ++l) {
    const DenseLayer& shared = block.layers[l];
    if (l == 0 && by_rows_) continue;
    layers_[l].own_weight = workspace.take(shared.in, shared.out);
    layers_[l].own_bias = workspace.take(shared.out);
    if (l > 0 && l + 1 < layers_.size()) layers_[l].turned = workspace.take(shared.out, shared.in);
  }
  pooled_inputs_ = workspace.take(block.layers.back().in);
  row_shares_ = workspace.take(rows);
  for (std::int64_t i = 0; i < rows; ++i) {
    row_shares_[i] = (weights == nullptr ? 1.0F : weights[i]) * share;
    total_ += row_shares_[i];
  }
  left_ = workspace.take(rows, widest);
  right_ = workspace.take(rows, widest);
  sums_ = workspace.take(widest);
}

Product TaskWeights::forward_product(std::size_t l, const float* input) const {
  const DenseLayer& shared = block_.layers[l];
  Product product = shared.weight.product(input, padded(shared.in), rows_);
  if (layers_[l].moved) use_rows(product, layers_[l].weight, padded(shared.out));
  product.start = layers_[l].bias;
  product.c_row = padded(shared.out);
  return product;
}

void TaskWeights::activate(std::size_t l) {
  const std::int64_t out = block_.layers[l].out;
  if (block_.tanh) tanh_rows(layers_[l].output, padded(out), rows_, out);
}

void TaskWeights::forward(float* pooled) {
  const float* input = x_;
  for (std::size_t l = 0; l + 1 < layers_.size(); ++l) {
    const std::int64_t out = block_.layers[l].out;
    if (l == 0) {
      // Under by_rows_ the product is made once; steps move it.
      if (!by_rows_ || !first_ready_) {
        Product product = forward_product(0, x_);
        product.c = first_;
        multiply(product);
        first_ready_ = true;
      }
      if (block_.tanh) {
        std::copy_n(first_, rows_ * padded(out), layers_[0].output);
      } else {
        relu_rows(first_, layers_[0].output, padded(out), rows_, out);
      }
    } else {
      Product product = forward_product(l, input);
      product.c = layers_[l].output;
      if (!block_.tanh) product.finish = Finish::kRelu;
      multiply(product);
    }
    activate(l);
    input = layers_[l].output;
  }
  const DenseLayer& last = block_.layers.back();
  sum_rows(input, padded(last.in), row_shares_, rows_, last.in, pooled_inputs_);
  Product product;
  product.rows = 1;
  product.inner = last.in;
  product.columns = last.out;
  product.a = pooled_inputs_;
  use_rows(product, layers_.back().weight, padded(last.out));
  product.c = pooled;
  product.c_row = padded(last.out);
  multiply(product);
  add_scaled(layers_.back().bias, total_, pooled, last.out);
}

void TaskWeights::step(const float* gradient, float step_share) {
  const std::size_t last = layers_.size() - 1;
  const DenseLayer& output = block_.layers[last];
  float* here = left_;
  float* next = right_;
  if (last > 0) {
    // Back through the last layer before it moves: the same vector for every row, by its share.
    const std::int64_t in = output.in;
    const float none = 0;
    few_outputs(layers_[last].weight, padded(output.out), gradient, padded(output.out), &none,
                nullptr, sums_, in, output.out, 1);
    masked_outer(row_shares_, sums_, block_.tanh ? nullptr : layers_[last - 1].output, padded(in),
                 here, padded(in), rows_, in);
    if (block_.tanh) tanh_adjoint(layers_[last - 1].output, here, padded(in), rows_, in);
  }
  // The last layer: an outer product.
  Layer& final_layer = layers_[last];
  Product outer;
  outer.rows = output.in;
  outer.inner = 1;
  outer.columns = output.out;
  outer.a = pooled_inputs_;
  outer.a_row = 1;
  use_rows(outer, gradient, padded(output.out));
  outer.scale = -block_.weight_rates[last] * step_share;
  outer.start = final_layer.weight;
  outer.start_row = padded(output.out);
  outer.c = final_layer.own_weight;
  outer.c_row = padded(output.out);
  multiply(outer);
  std::copy_n(final_layer.bias, output.out, final_layer.own_bias);
  add_scaled(gradient, -block_.bias_rates[last] * step_share * total_, final_layer.own_bias,
             output.out);

  for (std::size_t l = last; l-- > 0;) {
    const DenseLayer& shared = block_.layers[l];
    Layer& layer = layers_[l];
    const std::int64_t row = padded(shared.out);
    if (l > 0) {
      Product back = shared.transposed.product(here, row, rows_);
      if (layer.moved) {
        transpose(layer.weight, row, layer.turned, padded(shared.in), shared.in, shared.out);
        use_rows(back, layer.turned, padded(shared.in));
      }
      back.c = next;
      back.c_row = padded(shared.in);
      if (!block_.tanh) {
        back.finish = Finish::kMask;
        back.left = layers_[l - 1].output;
        back.left_row = padded(shared.in);
      }
      multiply(back);
      if (block_.tanh) {
        tanh_adjoint(layers_[l - 1].output, next, padded(shared.in), rows_, shared.in);
      }
    }
    if (l == 0 && by_rows_) {
      step_first(here, step_share);
    } else {
      // W -= rate * input' D.
      Product descent;
      descent.rows = shared.in;
      descent.inner = rows_;
      descent.columns = shared.out;
      descent.a = l == 0 ? x_ : layers_[l - 1].output;
      descent.a_row = 1;
      descent.a_inner = padded(shared.in);
      use_rows(descent, here, row);
      descent.scale = -block_.weight_rates[l] * step_share;
      descent.start = layer.weight;
      descent.start_row = row;
      descent.c = layer.own_weight;
      descent.c_row = row;
      multiply(descent);
      sum_rows(here, row, nullptr, rows_, shared.out, sums_);
      std::copy_n(layer.bias, shared.out, layer.own_bias);
      add_scaled(sums_, -block_.bias_rates[l] * step_share, layer.own_bias, shared.out);
    }
    std::swap(here, next);
  }
  for (Layer& layer : layers_) {
    if (layer.own_weight == nullptr) continue;
    layer.weight = layer.own_weight;
    layer.bias = layer.own_bias;
    layer.moved = true;
  }
}

void TaskWeights::step_first(const float* gradient, float step_share) {
  const std::int64_t row = padded(block_.layers[0].out);
  Product product;
  product.rows = product.inner = rows_;
  product.columns = block_.layers[0].out;
  product.a = gram_;
  product.a_row = padded(rows_);
  use_rows(product, gradient, row);
  product.scale = -step_share;
  product.start = first_;
  product.start_row = row;
  product.c = first_;
  product.c_row = row;
  multiply(product);
}

}  // namespace limber
