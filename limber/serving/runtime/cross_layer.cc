#include "limber/serving/runtime/cross_layer.h"

#include <algorithm>
#include <cmath>

#include "limber/serving/runtime/token_attention.h"

namespace limber {
namespace {

void pack(FrozenCrossLayer& layer, std::int64_t width, std::int64_t inner) {
  layer.first = PackedMatrix(layer.rows.data(), width, inner, padded(inner));
  layer.first_back = PackedMatrix::transposed(layer.rows.data(), width, inner, padded(inner));
  if (layer.rank == 0) return;
  layer.up = PackedMatrix(layer.up_rows.data(), layer.rank, width, padded(width));
  layer.up_back = PackedMatrix::transposed(layer.up_rows.data(), layer.rank, width, padded(width));
}

}  // namespace

FrozenCrossLayer FrozenCrossLayer::load_plain(const DenseTensors& tensors, const std::string& name,
                                              std::int64_t rank, std::int64_t constant_width,
                                              const std::vector<std::int64_t>& order) {
  const auto width = static_cast<std::int64_t>(order.size());
  FrozenCrossLayer layer;
  layer.rank = rank;
  if (rank == 0) {
    layer.rows =
        reordered(tensors.take(name + ".weight", {width, width}), width, width, order, order);
  } else {
    layer.rows = reordered(tensors.take(name + ".down", {width, rank}), width, rank, order);
    layer.up_rows = reordered(tensors.take(name + ".up", {rank, width}), rank, width, {}, order);
  }
  layer.bias = reordered(tensors.take(name + ".bias", {width}), 1, width, {}, order);
  pack(layer, width, rank == 0 ? width : rank);
  if (rank > 0) {
    const std::int64_t own = width - constant_width;
    layer.own_up = PackedMatrix(layer.up_rows.data() + constant_width, rank, own, padded(width));
    layer.own_bias = AlignedFloats(padded(own));
    std::copy_n(layer.bias.data() + constant_width, own, layer.own_bias.data());
  }
  return layer;
}

FrozenCrossLayer FrozenCrossLayer::load_residual(const DenseTensors& tensors,
                                                 const std::string& name,
                                                 const CrossOptions& options,
                                                 const std::vector<std::int64_t>& order) {
  const auto width = static_cast<std::int64_t>(order.size());
  FrozenCrossLayer layer;
  layer.rank = options.rank;
  layer.tokens = options.tokens;
  layer.scale = static_cast<float>(
      1 / (options.temperature *
           std::sqrt(static_cast<double>(options.rank) / static_cast<double>(options.tokens))));
  layer.skip = options.skip;
  const std::int64_t inner = 3 * layer.rank;
  layer.rows = reordered(tensors.take(name + ".down", {width, inner}), width, inner, order);
  layer.up_rows =
      reordered(tensors.take(name + ".up", {layer.rank, width}), layer.rank, width, {}, order);
  layer.bias = reordered(tensors.take(name + ".bias", {width}), 1, width, {}, order);
  pack(layer, width, inner);
  return layer;
}

void FrozenCrossLayer::apply(const float* x0, const float* x, std::int64_t begin,
                             const float* start, std::int64_t count, Workspace& workspace,
                             float* to) const {
  const std::int64_t width = first.inner(), row = padded(width);
  Product outer = first.product(begin, width, x + begin, row, count);
  outer.start = start;
  if (rank > 0) {
    outer.c = workspace.take(count, inner_width());
    outer.c_row = padded(inner_width());
    multiply(outer);
    const float* low = outer.c;
    if (tokens > 0) {
      float* attended = workspace.take(count, rank);
      token_attention(*this, low, count, attended);
      low = attended;
    }
    outer = up.product(low, tokens > 0 ? padded(rank) : padded(inner_width()), count);
    outer.start = bias.data();
  }
  outer.finish = Finish::kCross;
  outer.left = x0;
  outer.right = x;
  outer.left_row = outer.right_row = row;
  outer.c = to;
  outer.c_row = row;
  multiply(outer);
}

const float* apply(const CrossChain& chain, const float* x, std::int64_t width, std::int64_t begin,
                   const float* start, std::int64_t rows, Workspace& workspace) {
  const float* crossed = x;
  for (std::size_t l = 0; l < chain.size(); ++l) {
    float* next = workspace.take(rows, width);
    if (l == 0) {
      chain[l].apply(x, crossed, begin, start, rows, workspace, next);
    } else {
      chain[l].apply(x, crossed, 0, chain[l].inner_start(), rows, workspace, next);
    }
    crossed = next;
  }
  return crossed;
}

void join_branches(const float* left, const float* right, const float* base, std::int64_t count,
                   float* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = left[i] + right[i] - base[i];
}

}  // namespace limber
