#include "limber/serving/runtime/global_block.h"

#include "limber/serving/runtime/row_kernels.h"

#include <algorithm>

namespace limber {
namespace {

void load_crosses(FrozenGlobalBlock& block, const DenseTensors& tensors,
                  const CrossOptions& options, const std::vector<std::int64_t>& order) {
  if (options.kind == "none") return;
  const bool residual = options.kind == "residual";
  const std::int64_t rank = options.kind == "full" ? 0 : std::min(options.rank, block.width);
  for (std::int64_t l = 0; l < options.layers; ++l) {
    const std::string name = "global_block.cross.", number = std::to_string(l);
    if (residual) {
      block.crosses.push_back(
          FrozenCrossLayer::load_residual(tensors, name + "residual" + number, options, order));
    }
    if (!residual || options.parallel) {
      (residual ? block.parallel : block.crosses)
          .push_back(FrozenCrossLayer::load_plain(tensors, name + "layer" + number, rank,
                                                  block.constant_width, order));
    }
  }
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

/// Share of rows left from which on integers are faster than floats without the zeros: seven bits
/// are multiplied some three to four times as fast as floats.
constexpr double kSparserThanIntegers = 0.25;

bool beats_integers(const SparseMatrix& sparse) {
  return !sparse.empty() && sparse.density() <= kSparserThanIntegers;
}

std::vector<float> copied(std::span<const float> values) {
  return {values.begin(), values.end()};
}

}  // namespace

FrozenGlobalBlock FrozenGlobalBlock::load(const DenseTensors& tensors,
                                          const GlobalBlockOptions& options,
                                          std::int64_t member_width, std::int64_t constant_width,
                                          std::int64_t wide_width, std::int64_t calibration_width,
                                          const std::vector<std::string>& names,
                                          const std::vector<std::int64_t>& order) {
  FrozenGlobalBlock block;
  block.member_width = member_width;
  block.constant_width = constant_width;
  block.width = static_cast<std::int64_t>(order.size());
  const auto labels = static_cast<std::int64_t>(names.size());
  block.labels = labels;
  const std::string name = "global_block.";
  load_crosses(block, tensors, options.cross, order);
  block.mlp = DenseStack::load(tensors, name + "mlp", block.width, options.hidden,
                               options.activation, order);
  if (!block.mlp.layers.empty()) {
    const DenseLayer& first = block.mlp.layers[0];
    block.sparse_own =
        SparseMatrix::where_faster(first.rows.data() + constant_width * padded(first.out),
                                   block.width - constant_width, first.out, padded(first.out));
  }
  if (options.gate != "none") {
    for (std::size_t l = 0; l < block.mlp.layers.size(); ++l) {
      block.gates.push_back(FrozenGate::load(tensors, name + "mlp.gate" + std::to_string(l),
                                             options.gate, options.gate_rank,
                                             block.mlp.layers[l].out));
    }
  }
  const std::int64_t last = block.mlp.out;
  const auto last_order = block.mlp.layers.empty() ? order : std::vector<std::int64_t>{};
  if (options.experts.kind == "none") {
    block.head =
        by_label(tensors.take(name + "head.weight", {last, labels}), last, labels, last_order);
    block.head_bias = copied(tensors.take(name + "head.bias", {labels}));
  } else {
    block.experts = FrozenExperts::load(tensors, name + "experts", last, names, options.experts,
                                        options.activation, last_order);
  }
  block.wide_width = wide_width;
  if (wide_width > 0) {
    block.wide =
        by_label(tensors.take(name + "wide.weight", {wide_width, labels}), wide_width, labels, {});
    block.wide_bias = copied(tensors.take(name + "wide.bias", {labels}));
  }
  if (options.calibration.enabled) {
    block.calibration = FrozenCalibration::load(tensors, name + "calibration", options.calibration,
                                                labels, calibration_width);
  }
  return block;
}

void FrozenGlobalBlock::forward(const float* x, std::int64_t rows, const LogitParts& parts,
                                Workspace& workspace, float* logits) const {
  FirstShares nothing;
  if (!crosses.empty()) nothing.product = crosses[0].inner_start();
  finish(cross(x, nothing, 0, rows, workspace), 0, rows, parts, workspace, logits);
}

void FrozenGlobalBlock::forward_from(const float* x, const FirstShares& shares, std::int64_t rows,
                                     const LogitParts& parts, Workspace& workspace,
                                     float* logits) const {
  if (crosses.empty() && !mlp.layers.empty()) {
    float* h = workspace.take(rows, mlp.layers[0].out);
    apply_first_to_own(x + constant_width, padded(width), rows, shares.product, 0, workspace, h);
    finish(h, 1, rows, parts, workspace, logits);
    return;
  }
  finish(cross(x, shares, constant_width, rows, workspace), 0, rows, parts, workspace, logits);
}

FirstShares FrozenGlobalBlock::first_shares(const float* x, Workspace& workspace) const {
  const auto share = [&](const PackedMatrix& matrix, const float* start) {
    Product product = matrix.product(0, constant_width, x, padded(width), 1);
    product.start = start;
    product.c = workspace.take(matrix.columns());
    product.c_row = padded(matrix.columns());
    multiply(product);
    return product.c;
  };
  FirstShares shares;
  if (!crosses.empty()) {
    shares.product = share(crosses[0].first, crosses[0].inner_start());
  } else if (!mlp.layers.empty()) {
    shares.product = share(mlp.layers[0].weight, mlp.layers[0].bias.data());
  }
  if (!parallel.empty()) shares.parallel = share(parallel[0].first, nullptr);
  return shares;
}

const float* FrozenGlobalBlock::cross(const float* x, const FirstShares& shares, std::int64_t begin,
                                      std::int64_t rows, Workspace& workspace) const {
  const float* crossed = apply(crosses, x, width, begin, shares.product, rows, workspace);
  if (parallel.empty()) return crossed;
  const float* plain = apply(parallel, x, width, begin, shares.parallel, rows, workspace);
  float* joined = workspace.take(rows, width);
  join_branches(crossed, plain, x, rows * padded(width), joined);
  return joined;
}

void FrozenGlobalBlock::finish(const float* h, std::size_t layer, std::int64_t rows,
                               const LogitParts& parts, Workspace& workspace, float* logits) const {
  std::int64_t h_width = layer == 0 ? width : mlp.layers[layer - 1].out;
  for (;; ++layer) {
    if (layer > 0 && !gates.empty()) {
      const FrozenGate& gate = gates[layer - 1];
      float* gated = workspace.take(rows, h_width);
      gate.scores(h, rows, workspace.take(rows, gate.scratch_width()), gated);
      gate.open(h, gated, rows, gated);
      h = gated;
    }
    if (layer == mlp.layers.size()) break;
    const DenseLayer& dense = mlp.layers[layer];
    float* next = workspace.take(rows, dense.out);
    if (layer >= quantized.size() || quantized[layer].empty()) {
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
  if (experts) {
    experts->forward(h, rows, parts.wide_logits, parts.last_layers, workspace, logits);
  } else {
    const LastLayerView last = parts.last_layers != nullptr
                                   ? *parts.last_layers
                                   : LastLayerView{head.data(), padded(h_width), head_bias.data()};
    few_outputs(h, padded(h_width), last.weights, last.row, last.bias, parts.wide_logits, logits,
                rows, h_width, labels);
  }
  if (calibration) calibration->apply(parts.curves, rows, logits, nullptr);
}

void FrozenGlobalBlock::quantize() {
  for (const DenseLayer& layer : mlp.layers) {
    if (beats_integers(layer.sparse)) {
      quantized.emplace_back();
      continue;
    }
    quantized.emplace_back(layer.rows.data(), layer.in, layer.out, padded(layer.out));
  }
  if (mlp.layers.empty() || beats_integers(sparse_own)) return;
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
    Product product = sparse_own.empty()
                          ? layer.weight.product(constant_width, width, own, own_row, rows)
                          : sparse_own.product(own, own_row, rows);
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
