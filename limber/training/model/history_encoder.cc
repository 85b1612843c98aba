#include "limber/training/model/history_encoder.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace limber {
namespace {

using torch::Tensor;

std::int64_t longest(const Segments& segments) {
  std::int64_t most = 0;
  const auto& offsets = segments.offsets();
  for (std::size_t t = 0; t + 1 < offsets.size(); ++t) {
    most = std::max(most, offsets[t + 1] - offsets[t]);
  }
  return most;
}

/// Place of each row in the padded layout [tasks, longest].
Tensor padded_places(const Segments& segments, std::int64_t width) {
  const auto& offsets = segments.offsets();
  std::vector<std::int64_t> places;
  places.reserve(static_cast<std::size_t>(segments.rows()));
  for (std::size_t t = 0; t + 1 < offsets.size(); ++t) {
    for (std::int64_t r = 0; r < offsets[t + 1] - offsets[t]; ++r) {
      places.push_back(static_cast<std::int64_t>(t) * width + r);
    }
  }
  return torch::tensor(places, torch::kLong).to(segments.counts().device());
}

Tensor pad(const Tensor& rows, const Tensor& places, std::int64_t tasks, std::int64_t width) {
  return torch::zeros({tasks * width, rows.size(1)}, rows.options())
      .index_copy(0, places, rows)
      .view({tasks, width, rows.size(1)});
}

/// The support rows that are steps of a sequence: those that count at all.
struct Steps {
  Segments support;                       ///< of the steps
  std::vector<std::int64_t> rows;         ///< the support row of each step
  std::vector<std::int64_t> step_of_row;  ///< [support rows]; -1: none
};

/// `weights` [support rows, 1], or undefined.
Steps steps_of(const Segments& support, const Tensor& weights) {
  const auto rows = static_cast<std::size_t>(support.rows());
  Tensor counted;
  if (weights.defined()) counted = (weights > 0).flatten().to(torch::kCPU).contiguous();
  Steps steps;
  steps.rows.reserve(rows);
  steps.step_of_row.reserve(rows);
  std::vector<std::int64_t> offsets{0};
  for (std::int64_t t = 0; t < support.tasks(); ++t) {
    const auto at = static_cast<std::size_t>(t);
    for (std::int64_t row = support.offsets()[at]; row < support.offsets()[at + 1]; ++row) {
      const bool counts = !counted.defined() || counted.const_data_ptr<bool>()[row];
      steps.step_of_row.push_back(counts ? static_cast<std::int64_t>(steps.rows.size()) : -1);
      if (counts) steps.rows.push_back(row);
    }
    offsets.push_back(static_cast<std::int64_t>(steps.rows.size()));
  }
  steps.support = Segments(std::move(offsets), support.counts().device());
  return steps;
}

}  // namespace

HistoryEncoderImpl::HistoryEncoderImpl(const InputLayout& layout, const HistoryOptions& options,
                                       std::vector<std::string> default_inputs,
                                       torch::TensorOptions tensor)
    : attends_(options.pooling != "mean"),
      dim_(options.dim),
      inputs_(layout, options.inputs.empty() ? default_inputs : options.inputs) {
  const auto labels = static_cast<std::int64_t>(layout.labels.size());
  if (options.pooling == "transformer") {
    step_ = register_module("step", Dense(inputs_.width() + labels, dim_, tensor));
    candidate_ = register_module("candidate", Dense(inputs_.width(), dim_, tensor));
    transformer_ = register_module("transformer", HistoryTransformer(options, tensor));
    return;
  }
  mlp_ = register_module("mlp", Mlp(inputs_.width() + labels, options.hidden, "relu", 0.0, tensor));
  out_ = register_module("out", Dense(mlp_->out(), dim_, tensor));
  if (attends_) {
    key_ = register_module("key", Dense(inputs_.width(), dim_, tensor));
    query_ = register_module("query", Dense(inputs_.width(), dim_, tensor));
    empty_score_ = register_parameter("empty_score", torch::zeros({1}, tensor));
  } else {
    log_shrinkage_ = register_parameter("log_shrinkage", torch::full({1}, std::log(5.0), tensor));
  }
}

Tensor HistoryEncoderImpl::encode(const Tensor& inputs, const Tensor& signal) {
  const Tensor row = torch::cat({inputs_.select(inputs), signal}, 1);
  return transformer_ ? step_(row) : out_(mlp_(row));
}

Tensor HistoryEncoderImpl::pool(const Tensor& sums, const Tensor& evidence) {
  return sums / (evidence + log_shrinkage_.exp());
}

Tensor HistoryEncoderImpl::attend(const Tensor& candidates, const Segments& rows,
                                  const Slots& slots, bool own_rows) {
  const Segments& support = slots.support;
  if (transformer_) {
    const Tensor own = candidate_(inputs_.select(candidates));
    const Steps steps = steps_of(support, slots.weights);
    const Tensor kept =
        steps.rows.size() == static_cast<std::size_t>(support.rows())
            ? slots.encoded
            : slots.encoded.index_select(
                  0, torch::tensor(steps.rows, torch::kLong).to(slots.encoded.device()));
    return transformer_(kept, steps.support, own, rows,
                        own_rows ? steps.step_of_row : std::vector<std::int64_t>{});
  }
  const std::int64_t tasks = support.tasks();
  const std::int64_t length = longest(support), width = longest(rows);
  if (rows.rows() == 0 || length == 0) {
    return torch::zeros({rows.rows(), dim_}, slots.encoded.options());
  }
  const Tensor support_places = padded_places(support, length);
  const Tensor row_places = padded_places(rows, width);
  const Tensor keys = pad(key_(inputs_.select(slots.inputs)), support_places, tasks, length);
  const Tensor values = pad(slots.encoded, support_places, tasks, length);
  const Tensor queries = pad(query_(inputs_.select(candidates)), row_places, tasks, width);
  Tensor scores = torch::bmm(queries, keys.transpose(1, 2)) / std::sqrt(static_cast<double>(dim_));
  if (slots.weights.defined()) {
    // A row of weight w takes the share of w like it: exp(score + log w) = w exp(score).
    scores = scores + pad(slots.weights.log(), support_places, tasks, length).transpose(1, 2);
  }
  const Tensor slot = torch::arange(length, support.counts().options());
  Tensor closed = (slot.unsqueeze(0) >= support.counts().unsqueeze(1)).unsqueeze(1);
  if (own_rows) closed = closed | torch::eye(length, closed.options()).unsqueeze(0);
  scores = scores.masked_fill(closed, -std::numeric_limits<double>::infinity());
  const Tensor empty = empty_score_.view({1, 1, 1}).expand({tasks, width, 1});
  const Tensor shares = torch::softmax(torch::cat({scores, empty}, 2), 2).narrow(2, 0, length);
  return torch::bmm(shares, values).view({tasks * width, dim_}).index_select(0, row_places);
}

}  // namespace limber
