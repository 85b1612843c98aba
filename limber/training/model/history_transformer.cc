#include "limber/training/model/history_transformer.h"

#include <algorithm>
#include <bit>
#include <map>

namespace limber {
namespace {

using torch::Tensor;

// Steps that are read at once: few enough that what one operation writes is in the cache when the
// next reads it.
constexpr std::int64_t kStepsAtOnce = 8192;

/// Candidates of one task.
struct Piece {
  std::int64_t task, begin, end;
};

/// Pieces whose sequences have about the same length, padded to `width` steps.
struct Group {
  std::int64_t width = 0;
  std::vector<Piece> pieces;
};

/// Divides the candidates of all tasks that have support: sequences of like lengths together, so
/// that short ones are not padded to the longest, in groups of about kStepsAtOnce steps.
std::vector<Group> groups_of(const Segments& support, const Segments& rows, std::int64_t length) {
  std::map<std::int64_t, std::vector<std::int64_t>> tasks_by_width;
  const auto& steps = support.offsets();
  for (std::int64_t t = 0; t < support.tasks(); ++t) {
    const auto at = static_cast<std::size_t>(t);
    const std::int64_t count = std::min(steps[at + 1] - steps[at], length);
    if (count == 0) continue;
    const auto power = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(count)));
    // Halves of powers of two: 8, 12, 16, 24, 32, ... steps.
    const std::int64_t width = count <= power / 4 * 3 ? power / 4 * 3 : power;
    tasks_by_width[std::clamp(width, HistoryTransformerImpl::kLast, length)].push_back(t);
  }
  std::vector<Group> groups;
  for (const auto& [width, tasks] : tasks_by_width) {
    const std::int64_t most = std::max<std::int64_t>(kStepsAtOnce / width, 1);
    std::int64_t room = 0;
    for (const std::int64_t t : tasks) {
      const auto at = static_cast<std::size_t>(t);
      for (std::int64_t begin = rows.offsets()[at]; begin < rows.offsets()[at + 1];) {
        if (room == 0) {
          groups.push_back({width, {}});
          room = most;
        }
        const std::int64_t end = std::min(begin + room, rows.offsets()[at + 1]);
        groups.back().pieces.push_back({t, begin, end});
        room -= end - begin;
        begin = end;
      }
    }
  }
  return groups;
}

/// Which support row stands at each step of each piece's sequence, [pieces, width], the latest one
/// last; -1 where there is none.
std::vector<std::int64_t> sequences(const Group& group, const Segments& support) {
  std::vector<std::int64_t> rows(group.pieces.size() * static_cast<std::size_t>(group.width), -1);
  std::int64_t last = group.width - 1;
  for (const Piece& piece : group.pieces) {
    const auto at = static_cast<std::size_t>(piece.task);
    const std::int64_t begin = support.offsets()[at], end = support.offsets()[at + 1];
    for (std::int64_t p = 0; p < std::min(end - begin, group.width); ++p) {
      rows[static_cast<std::size_t>(last - p)] = end - 1 - p;
    }
    last += group.width;
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

Tensor HistoryTransformerImpl::read(const Tensor& steps, const Tensor& candidates,
                                    const Tensor& closed) {
  Tensor x = steps + candidates.unsqueeze(1);
  for (TransformerLayer& layer : layers_) x = layer(x, closed);
  x = norm_(x);
  const Tensor hidden = closed.unsqueeze(2);
  const Tensor most = std::get<0>(x.masked_fill(hidden, -1e9).max(1));
  const Tensor last = x.narrow(1, x.size(1) - kLast, kLast)
                          .masked_fill(hidden.narrow(1, x.size(1) - kLast, kLast), 0)
                          .flatten(1);
  const Tensor nothing = closed.all(1, /*keepdim=*/true);
  return out_(torch::cat({most.masked_fill(nothing, 0), last}, 1)).masked_fill(nothing, 0);
}

Tensor HistoryTransformerImpl::forward(const Tensor& steps, const Segments& support,
                                       const Tensor& candidates, const Segments& rows,
                                       const std::vector<std::int64_t>& own_steps) {
  const std::int64_t dim = candidates.size(1);
  const torch::Device device = candidates.device();
  // Row 0 is what candidates without history get.
  std::vector<Tensor> read_rows{torch::zeros({1, dim}, candidates.options())};
  std::vector<std::int64_t> place_of_row(static_cast<std::size_t>(rows.rows()), 0);
  std::int64_t place = 1;
  for (const Group& group : groups_of(support, rows, length_)) {
    std::vector<std::int64_t> indices, own, offsets{0};
    for (const Piece& piece : group.pieces) {
      for (std::int64_t row = piece.begin; row < piece.end; ++row) {
        indices.push_back(row);
        if (!own_steps.empty()) own.push_back(own_steps[static_cast<std::size_t>(row)]);
        place_of_row[static_cast<std::size_t>(row)] = place++;
      }
      offsets.push_back(static_cast<std::int64_t>(indices.size()));
    }
    const auto pieces = static_cast<std::int64_t>(group.pieces.size());
    const Segments of_group(offsets, device);
    const Tensor index = torch::tensor(indices, torch::kLong).to(device);
    const Tensor row_at = torch::tensor(sequences(group, support), torch::kLong)
                              .to(device)
                              .view({pieces, group.width});
    const Tensor row_at_by_row = row_at.index_select(0, of_group.task_of_row());
    Tensor closed = row_at_by_row < 0;
    if (!own.empty()) {
      closed = closed | (row_at_by_row == torch::tensor(own, torch::kLong).to(device).unsqueeze(1));
    }
    const Tensor by_piece =
        steps.index_select(0, row_at.clamp_min(0).flatten()).view({pieces, group.width, dim}) +
        positions_.narrow(0, 0, group.width).flip(0);
    const Tensor by_row = expand_rows(by_piece.flatten(1), of_group).view({-1, group.width, dim});
    read_rows.push_back(read(by_row, candidates.index_select(0, index), closed));
  }
  return torch::cat(read_rows, 0)
      .index_select(0, torch::tensor(place_of_row, torch::kLong).to(device));
}

}  // namespace limber
