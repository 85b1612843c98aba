#include "limber/serving/runtime/shared_columns.h"

#include "limber/serving/runtime/row_kernels.h"

#include <algorithm>

namespace limber {
namespace {

/// The product that reads what `crosses` cross layers leave.
const PackedMatrix& product_after(const FrozenGlobalBlock& block, std::size_t crosses) {
  return crosses < block.crosses.size() ? block.crosses[crosses].first : block.mlp.layers[0].weight;
}

}  // namespace

bool SharedColumns::pays(const FrozenGlobalBlock& block, std::int64_t candidates) {
  // The derivation needs crosses that are linear in their bottleneck.
  if (block.crosses.empty() || block.crosses[0].rank == 0 || block.crosses[0].tokens > 0 ||
      block.mlp.layers.empty()) {
    return false;
  }
  const std::int64_t low = block.crosses[0].rank * static_cast<std::int64_t>(block.crosses.size());
  const std::int64_t shared = block.constant_width, out = block.mlp.layers[0].out;
  // Multiplications for each candidate and once a request: the wide products alone. Crossing the
  // shared columns themselves, there and back, is saved too.
  const std::int64_t plain = shared * out + shared * low;
  const std::int64_t mapped = low * out;
  return candidates * (plain - mapped) > low * shared * out;
}

SharedColumns::SharedColumns(const FrozenGlobalBlock& block, const float* shared,
                             Workspace& workspace)
    : block_(block),
      rank_(block.crosses[0].rank),
      crosses_(static_cast<std::int64_t>(block.crosses.size())) {
  const std::int64_t width = block.constant_width, row = padded(width);
  // U_t[j] x_0[j], by cross: what multiplies l_t in shared column j.
  float* factors = workspace.take(crosses_ * rank_, width);
  for (std::int64_t t = 0; t < crosses_; ++t) {
    const FrozenCrossLayer& layer = block.crosses[static_cast<std::size_t>(t)];
    for (std::int64_t r = 0; r < rank_; ++r) {
      multiply_elements(layer.up_rows.data() + r * padded(block.width), shared,
                        factors + (t * rank_ + r) * row, row, 1, width);
    }
  }
  float* constant_part = workspace.take(width);
  std::copy_n(shared, width, constant_part);
  for (std::int64_t t = 0; t <= crosses_; ++t) {
    const auto at = static_cast<std::size_t>(t);
    const PackedMatrix& next = product_after(block, at);
    const bool last = t == crosses_;
    float* constant = workspace.take(next.columns());
    Product product = next.product(0, width, constant_part, row, 1);
    if (last) product.start = block.mlp.layers[0].bias.data();
    product.c = constant;
    product.c_row = padded(next.columns());
    multiply(product);
    constants_[at] = constant;
    if (t > 0) {
      float* map = workspace.take(t * rank_, next.columns());
      product = next.product(0, width, factors, row, t * rank_);
      product.c = map;
      product.c_row = padded(next.columns());
      multiply(product);
      maps_[at] = map;
    }
    if (last) break;
    // x_0 (1 + b_0 + ... + b_t)
    multiply_add(block.crosses[at].bias.data(), shared, constant_part, constant_part, row, 1,
                 width);
  }
}

float* SharedColumns::first_layer(const float* own, std::int64_t rows, Workspace& workspace) const {
  const std::int64_t shared = block_.constant_width, width = block_.width - shared;
  const std::int64_t row = padded(width);
  // Room behind the last one, for a kernel writes whole panels.
  const std::int64_t lows_row = padded(crosses_ * rank_ + kRowPadding);
  float* lows = workspace.take(rows * lows_row);
  const float* x = own;
  for (std::int64_t t = 0; t <= crosses_; ++t) {
    const auto at = static_cast<std::size_t>(t);
    const PackedMatrix& next = product_after(block_, at);
    const bool last = t == crosses_;
    float* to = last ? workspace.take(rows, next.columns()) : lows + t * rank_;
    const std::int64_t to_row = last ? padded(next.columns()) : lows_row;
    Product product = next.product(shared, block_.width, x, row, rows);
    if (t > 0) {
      // The shared columns' share.
      Product mapped;
      mapped.rows = rows;
      mapped.inner = t * rank_;
      mapped.columns = next.columns();
      mapped.a = lows;
      mapped.a_row = lows_row;
      mapped.b = maps_[at];
      mapped.b_row = padded(next.columns());
      mapped.b_panel = panel_width();
      mapped.start = constants_[at];
      mapped.c = to;
      mapped.c_row = to_row;
      multiply(mapped);
      product.start = to;
      product.start_row = to_row;
    } else {
      product.start = constants_[0];
    }
    if (last) {
      block_.apply_first_to_own(x, row, rows, product.start, product.start_row, workspace, to);
      return to;
    }
    product.c = to;
    product.c_row = to_row;
    multiply(product);
    const FrozenCrossLayer& layer = block_.crosses[at];
    float* crossed = workspace.take(rows, width);
    Product up = layer.own_up.product(to, to_row, rows);
    up.start = layer.own_bias.data();
    up.finish = Finish::kCross;
    up.left = own;
    up.right = x;
    up.left_row = up.right_row = row;
    up.c = crossed;
    up.c_row = row;
    multiply(up);
    x = crossed;
  }
  return nullptr;
}

}  // namespace limber
