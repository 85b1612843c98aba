#include "limber/serving/runtime/global_block.h"

#include "limber/serving/runtime/row_kernels.h"

#include <algorithm>

namespace limber {
namespace {

FrozenCrossLayer load_cross(const DenseTensors& tensors, const std::string& name,
                            std::int64_t width, std::int64_t rank, std::int64_t constant_width,
                            const std::vector<std::int64_t>& order) {
  FrozenCrossLayer layer;
  layer.rank = rank;
  if (rank == 0) {
    layer.rows =
        reordered(tensors.take(name + ".weight", {width, width}), width, width, order, order);
  } else {
    layer.rows = reordered(tensors.take(name + ".down", {width, rank}), width, rank, order);
    layer.up_rows = reordered(tensors.take(name + ".up", {rank, width}), rank, width, {}, order);
    layer.up = PackedMatrix(layer.up_rows.data(), rank, width, padded(width));
    layer.up_back = PackedMatrix::transposed(layer.up_rows.data(), rank, width, padded(width));
  }
  const std::int64_t columns = rank == 0 ? width : rank;
  layer.first = PackedMatrix(layer.rows.data(), width, columns, padded(columns));
  layer.first_back = PackedMatrix::transposed(layer.rows.data(), width, columns, padded(columns));
  layer.bias = reordered(tensors.take(name + ".bias", {width}), 1, width, {}, order);
  if (rank > 0) {
    const std::int64_t own = width - constant_width;
    layer.own_up = PackedMatrix(layer.up_rows.data() + constant_width, rank, own, padded(width));
    layer.own_bias = AlignedFloats(padded(own));
    std::copy_n(layer.bias.data() + constant_width, own, layer.own_bias.data());
  }
  return layer;
}

/// [in, labels] as stored -> [labels, in].
AlignedFloats by_label(std::span<const float> values, std::int64_t in, std::int64_t labels,
                       const std::vector<std::int64_t>& order) {
  AlignedFloats result(labels * padded(in));
  for (std::int64_t i = 0; i < in; ++i) {
    const std::int64_t from = order.empty() ? i : order[static_cast<std::size_t>(i)];
    for (std::int64_t l = 0; l < labels; ++l) {
      result[l * padded(in) + i] = values[static_cast<std::size_t>(from * labels + l)];
    }
  }
  return result;
}

std::vector<float> copied(std::span<const float> values) {
  return {values.begin(), values.end()};
}

}  // namespace

FrozenGlobalBlock FrozenGlobalBlock::load(const DenseTensors& tensors,
                                          const GlobalBlockOptions& options,
                                          std::int64_t member_width, std::int64_t constant_width,
                                          std::int64_t wide_width, std::int64_t labels,
                                          const std::vector<std::int64_t>& order) {
  FrozenGlobalBlock block;
  block.member_width = member_width;
  block.constant_width = constant_width;
  block.width = static_cast<std::int64_t>(order.size());
  block.labels = labels;
  const std::string name = "global_block.";
  if (options.cross.kind != "none") {
    const std::int64_t rank =
        options.cross.kind == "low_rank" ? std::min(options.cross.rank, block.width) : 0;
    for (std::int64_t l = 0; l < options.cross.layers; ++l) {
      block.crosses.push_back(load_cross(tensors, name + "cross.layer" + std::to_string(l),
                                         block.width, rank, constant_width, order));
    }
  }
  block.mlp = DenseStack::load(tensors, name + "mlp", block.width, options.hidden,
                               options.activation, order);
  const std::int64_t last = block.mlp.out;
  block.head = by_label(tensors.take(name + "head.weight", {last, labels}), last, labels,
                        block.mlp.layers.empty() ? order : std::vector<std::int64_t>{});
  block.head_bias = copied(tensors.take(name + "head.bias", {labels}));
  block.wide_width = wide_width;
  if (wide_width > 0) {
    block.wide =
        by_label(tensors.take(name + "wide.weight", {wide_width, labels}), wide_width, labels, {});
    block.wide_bias = copied(tensors.take(name + "wide.bias", {labels}));
  }
  return block;
}

void FrozenGlobalBlock::cross(const FrozenCrossLayer& layer, const float* x0, const float* x,
                              std::int64_t begin, const float* start, std::int64_t rows,
                              Workspace& workspace, float* to) const {
  const std::int64_t row = padded(width);
  Product outer = layer.first.product(begin, width, x + begin, row, rows);
  if (layer.rank == 0) {
    outer.start = start;
  } else {
    outer.start = start;
    outer.c = workspace.take(rows, layer.rank);
    outer.c_row = padded(layer.rank);
    multiply(outer);
    outer = layer.up.product(outer.c, padded(layer.rank), rows);
    outer.start = layer.bias.data();
  }
  outer.finish = Finish::kCross;
  outer.left = x0;
  outer.right = x;
  outer.left_row = outer.right_row = row;
  outer.c = to;
  outer.c_row = row;
  multiply(outer);
}

void FrozenGlobalBlock::forward(const float* x, std::int64_t rows, const float* wide_logits,
                                Workspace& workspace, float* logits) const {
  const float* crossed = x;
  for (const FrozenCrossLayer& layer : crosses) {
    float* next = workspace.take(rows, width);
    cross(layer, x, crossed, 0, layer.rank == 0 ? layer.bias.data() : nullptr, rows, workspace,
          next);
    crossed = next;
  }
  finish(crossed, 0, rows, wide_logits, workspace, logits);
}

void FrozenGlobalBlock::forward_from(const float* x, const float* first, std::int64_t rows,
                                     const float* wide_logits, Workspace& workspace,
                                     float* logits) const {
  if (crosses.empty() && mlp.layers.empty()) {
    finish(x, 0, rows, wide_logits, workspace, logits);
    return;
  }
  if (crosses.empty()) {
    const DenseLayer& layer = mlp.layers[0];
    float* h = workspace.take(rows, layer.out);
    apply_first_to_own(x + constant_width, padded(width), rows, first, 0, workspace, h);
    finish(h, 1, rows, wide_logits, workspace, logits);
    return;
  }
  const float* crossed = x;
  for (std::size_t l = 0; l < crosses.size(); ++l) {
    const FrozenCrossLayer& layer = crosses[l];
    float* next = workspace.take(rows, width);
    const float* start = l == 0 ? first : layer.rank == 0 ? layer.bias.data() : nullptr;
    cross(layer, x, crossed, l == 0 ? constant_width : 0, start, rows, workspace, next);
    crossed = next;
  }
  finish(crossed, 0, rows, wide_logits, workspace, logits);
}

void FrozenGlobalBlock::finish(const float* h, std::size_t layer, std::int64_t rows,
                               const float* wide_logits, Workspace& workspace,
                               float* logits) const {
  std::int64_t h_width = layer == 0 ? width : mlp.layers[layer - 1].out;
  for (; layer < mlp.layers.size(); ++layer) {
    float* next = workspace.take(rows, mlp.layers[layer].out);
    const DenseLayer& dense = mlp.layers[layer];
    if (quantized.empty() || layer >= quantized.size()) {
      apply(dense, mlp.tanh, h, padded(h_width), rows, next);
    } else {
      const bool positive = layer > 0 && !mlp.tanh;
      quantized[layer].apply(h, padded(h_width), rows, positive, dense.bias.data(), 0, !mlp.tanh,
                             workspace, next, padded(dense.out));
      if (mlp.tanh) tanh_rows(next, padded(dense.out), rows, dense.out);
    }
    h = next;
    h_width = dense.out;
  }
  few_outputs(h, padded(h_width), head.data(), padded(h_width), head_bias.data(), wide_logits,
              logits, rows, h_width, labels);
}

void FrozenGlobalBlock::quantize() {
  for (const DenseLayer& layer : mlp.layers) {
    quantized.emplace_back(layer.rows.data(), layer.in, layer.out, padded(layer.out));
  }
  if (mlp.layers.empty()) return;
  const DenseLayer& first = mlp.layers[0];
  quantized_own = QuantizedMatrix(first.rows.data() + constant_width * padded(first.out),
                                  width - constant_width, first.out, padded(first.out));
}

void FrozenGlobalBlock::apply_first_to_own(const float* own, std::int64_t own_row,
                                           std::int64_t rows, const float* start,
                                           std::int64_t start_row, Workspace& workspace,
                                           float* to) const {
  const DenseLayer& layer = mlp.layers[0];
  if (quantized_own.empty()) {
    Product product = layer.weight.product(constant_width, width, own, own_row, rows);
    product.start = start;
    product.start_row = start_row;
    product.c = to;
    product.c_row = padded(layer.out);
    product.finish = mlp.tanh ? Finish::kNone : Finish::kRelu;
    multiply(product);
  } else {
    quantized_own.apply(own, own_row, rows, /*positive=*/false, start, start_row, !mlp.tanh,
                        workspace, to, padded(layer.out));
  }
  if (mlp.tanh) tanh_rows(to, padded(layer.out), rows, layer.out);
}

void FrozenGlobalBlock::forward_wide(const float* inputs, std::int64_t rows, float* logits) const {
  few_outputs(inputs, padded(wide_width), wide.data(), padded(wide_width), wide_bias.data(),
              nullptr, logits, rows, wide_width, labels);
}

}  // namespace limber
