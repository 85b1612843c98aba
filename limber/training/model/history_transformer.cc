#include "limber/training/model/history_transformer.h"

#include <algorithm>

namespace limber {
namespace {

using torch::Tensor;

/// Which support row stands at each step of each task's sequence, [tasks, width], the latest one
/// last; -1 where there is none.
std::vector<std::int64_t> sequences(const Segments& support, std::int64_t width) {
  const auto& offsets = support.offsets();
  std::vector<std::int64_t> rows(static_cast<std::size_t>(support.tasks() * width), -1);
  for (std::int64_t t = 0; t < support.tasks(); ++t) {
    const std::int64_t begin = offsets[static_cast<std::size_t>(t)];
    const std::int64_t end = offsets[static_cast<std::size_t>(t) + 1];
    for (std::int64_t p = 0; p < std::min(end - begin, width); ++p) {
      rows[static_cast<std::size_t>((t + 1) * width - 1 - p)] = end - 1 - p;
    }
  }
  return rows;
}

}  // namespace

HistoryTransformerImpl::HistoryTransformerImpl(const HistoryOptions& options,
                                               torch::TensorOptions tensor)
    : length_(std::max(options.length, kLast)) {
  for (std::int64_t l = 0; l < options.layers; ++l) {
    layers_.push_back(register_module("layer" + std::to_string(l),
                                      TransformerLayer(options.dim, options.heads, tensor)));
  }
  norm_ = register_module("norm", RowNorm(options.dim, tensor));
  out_ = register_module("out", Dense((1 + kLast) * options.dim, options.dim, tensor));
  positions_ = register_parameter(
      "positions", torch::randn({length_, options.dim}, torch::kDouble).mul(0.05).to(tensor));
}

Tensor HistoryTransformerImpl::forward(const Tensor& steps, const Segments& support,
                                       const Tensor& candidates, const Segments& rows,
                                       bool own_rows) {
  const std::int64_t dim = candidates.size(1);
  if (rows.rows() == 0 || support.rows() == 0) {
    return torch::zeros({rows.rows(), dim}, candidates.options());
  }
  std::int64_t width = kLast;
  const auto& offsets = support.offsets();
  for (std::size_t t = 0; t + 1 < offsets.size(); ++t) {
    width = std::max(width, std::min(offsets[t + 1] - offsets[t], length_));
  }
  const torch::Device device = candidates.device();
  const Tensor row_at = torch::tensor(sequences(support, width), torch::kLong).to(device);
  const Tensor by_task =
      steps.index_select(0, row_at.clamp_min(0)).view({support.tasks(), width, dim});
  Tensor closed = (row_at < 0).view({support.tasks(), width}).index_select(0, rows.task_of_row());
  if (own_rows) {
    const Tensor self = torch::arange(rows.rows(), torch::kLong).to(device).unsqueeze(1);
    closed = closed |
             (row_at.view({support.tasks(), width}).index_select(0, rows.task_of_row()) == self);
  }
  const Tensor positions = positions_.narrow(0, 0, width).flip(0);
  Tensor x = by_task.index_select(0, rows.task_of_row()) + candidates.unsqueeze(1) + positions;
  for (TransformerLayer& layer : layers_) x = layer(x, closed);
  x = norm_(x);
  const Tensor hidden = closed.unsqueeze(2);
  const Tensor most = std::get<0>(x.masked_fill(hidden, -1e9).max(1));
  const Tensor last = x.masked_fill(hidden, 0).narrow(1, width - kLast, kLast).flatten(1);
  const Tensor nothing = closed.all(1, /*keepdim=*/true);
  return out_(torch::cat({most.masked_fill(nothing, 0), last}, 1)).masked_fill(nothing, 0);
}

}  // namespace limber
