#include "limber/serving/runtime/history_transformer.h"

#include <algorithm>

#include "limber/serving/runtime/row_kernels.h"
#include "limber/serving/runtime/step_attention.h"

namespace limber {
namespace {

constexpr std::int64_t kLast = 5;
/// Steps of all sequences that pass through the layers together, about: what lies between two
/// layers stays in the second-level cache.
constexpr std::int64_t kSteps = 512;

}  // namespace

/// Some sequences one after the other: sequence i has the steps [starts[i], starts[i + 1]).
struct FrozenHistoryTransformer::Room {
  std::vector<std::int64_t>& starts;
  float *normal, *parts, *mixed, *passed, *feed, *scratch;
  std::int64_t rows() const { return starts.back(); }
};

FrozenHistoryTransformer FrozenHistoryTransformer::load(const DenseTensors& tensors,
                                                        const std::string& name,
                                                        const HistoryOptions& options) {
  FrozenHistoryTransformer result;
  const std::int64_t dim = options.dim, half = std::max<std::int64_t>(dim / 2, 1);
  result.length_ = std::max(options.length, kLast);
  result.heads_ = options.heads;
  result.dim_ = dim;
  const auto norm = [&](const std::string& which) {
    return Norm{reordered(tensors.take(which + ".gain", {dim}), 1, dim),
                reordered(tensors.take(which + ".bias", {dim}), 1, dim)};
  };
  for (std::int64_t l = 0; l < options.layers; ++l) {
    const std::string of = name + ".layer" + std::to_string(l);
    result.layers_.push_back({norm(of + ".norm_attention"), norm(of + ".norm_feed"),
                              DenseLayer::load(tensors, of + ".queries_keys_values", dim, 3 * dim),
                              DenseLayer::load(tensors, of + ".out", dim, dim),
                              DenseLayer::load(tensors, of + ".feed", dim, half),
                              DenseLayer::load(tensors, of + ".back", half, dim)});
  }
  result.norm_ = norm(name + ".norm");
  result.out_ = DenseLayer::load(tensors, name + ".out", (1 + kLast) * dim, dim);
  result.positions_ =
      reordered(tensors.take(name + ".positions", {result.length_, dim}), result.length_, dim);
  return result;
}

void FrozenHistoryTransformer::run(const Layer& layer, const Room& room, float* x) const {
  const std::int64_t rows = room.rows(), row = padded(dim_), head = dim_ / heads_;
  const auto add = [&](const float* more) {
    for (std::int64_t i = 0; i < rows * row; ++i) x[i] += more[i];
  };
  normalize_rows(x, layer.norm_attention.gain.data(), layer.norm_attention.bias.data(), row, rows,
                 dim_, room.normal);
  apply_linear(layer.queries_keys_values, room.normal, row, rows, room.parts);
  for (std::size_t s = 0; s + 1 < room.starts.size(); ++s) {
    const std::int64_t begin = room.starts[s], steps = room.starts[s + 1] - begin;
    for (std::int64_t h = 0; h < heads_; ++h) {
      step_attention(room.parts + begin * padded(3 * dim_), padded(3 * dim_), h * head,
                     dim_ + h * head, 2 * dim_ + h * head, steps, head, room.scratch,
                     room.mixed + begin * row + h * head, row);
    }
  }
  apply_linear(layer.out, room.mixed, row, rows, room.passed);
  add(room.passed);
  normalize_rows(x, layer.norm_feed.gain.data(), layer.norm_feed.bias.data(), row, rows, dim_,
                 room.normal);
  apply(layer.feed, /*tanh=*/false, room.normal, row, rows, room.feed);
  apply_linear(layer.back, room.feed, padded(layer.feed.out), rows, room.passed);
  add(room.passed);
}

void FrozenHistoryTransformer::forward(const float* steps, std::int64_t count,
                                       const float* candidates, std::int64_t rows,
                                       const std::int64_t* own_steps, Workspace& workspace,
                                       float* to, std::int64_t to_row) const {
  const std::int64_t seen = std::min(count, length_), row = padded(dim_);
  const std::int64_t at_once = std::clamp<std::int64_t>(kSteps / std::max<std::int64_t>(seen, 1), 1,
                                                        std::max<std::int64_t>(rows, 1));
  const std::int64_t most = at_once * std::max<std::int64_t>(seen, 1);
  static thread_local std::vector<std::int64_t> starts, place;
  Room room{starts,
            workspace.take(most, dim_),
            workspace.take(most, 3 * dim_),
            workspace.zeros(most, dim_),
            workspace.take(most, dim_),
            workspace.take(most, std::max<std::int64_t>(dim_ / 2, 1)),
            workspace.take((dim_ + 1) * std::max<std::int64_t>(seen, 1))};
  float* x = workspace.zeros(most, dim_);
  float* pooled = workspace.take(at_once, (1 + kLast) * dim_);
  float* result = workspace.take(at_once, dim_);
  for (std::int64_t first = 0; first < rows; first += at_once) {
    const std::int64_t last = std::min(first + at_once, rows);
    starts.assign(1, 0);
    place.clear();  // of each step: how many are after it in the member's history
    for (std::int64_t i = first; i < last; ++i) {
      const float* candidate = candidates + i * row;
      for (std::int64_t s = count - seen; s < count; ++s) {
        if (own_steps != nullptr && own_steps[i] == s) continue;
        const std::int64_t after = count - 1 - s;
        float* step = x + static_cast<std::int64_t>(place.size()) * row;
        for (std::int64_t c = 0; c < dim_; ++c) {
          step[c] = steps[s * dim_ + c] + candidate[c] + positions_[after * row + c];
        }
        place.push_back(after);
      }
      starts.push_back(static_cast<std::int64_t>(place.size()));
    }
    for (const Layer& layer : layers_) run(layer, room, x);
    normalize_rows(x, norm_.gain.data(), norm_.bias.data(), row, room.rows(), dim_, room.normal);
    for (std::int64_t i = first; i < last; ++i) {
      float* wide = pooled + (i - first) * padded((1 + kLast) * dim_);
      std::fill_n(wide, (1 + kLast) * dim_, 0.0F);
      const auto s = static_cast<std::size_t>(i - first);
      for (std::int64_t k = starts[s]; k < starts[s + 1]; ++k) {
        const float* step = room.normal + k * row;
        for (std::int64_t c = 0; c < dim_; ++c) {
          wide[c] = k == starts[s] ? step[c] : std::max(wide[c], step[c]);
        }
        const std::int64_t after = place[static_cast<std::size_t>(k)];
        if (after < kLast) std::copy_n(step, dim_, wide + (kLast - after) * dim_);
      }
    }
    apply_linear(out_, pooled, padded((1 + kLast) * dim_), last - first, result);
    for (std::int64_t i = first; i < last; ++i) {
      const auto s = static_cast<std::size_t>(i - first);
      // Nothing was seen, nothing is said.
      if (starts[s] == starts[s + 1]) {
        std::fill_n(to + i * to_row, dim_, 0.0F);
      } else {
        std::copy_n(result + (i - first) * row, dim_, to + i * to_row);
      }
    }
  }
}

}  // namespace limber
