#include "limber/serving/runtime/support_description.h"

#include "limber/serving/runtime/row_kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace limber {
namespace {

float sigmoid(float logit) {
  return 1.0F / (1.0F + std::exp(-logit));
}

/// 0 where the label is absent.
float known(float value) {
  return std::isnan(value) ? 0.0F : value;
}

/// The labels minus what the model says without any knowledge of the member, [rows, labels]. Writes
/// over x's member columns.
const float* residuals(const RuntimeModel& model, const SupportRows& support, float* x,
                       const LogitParts& parts, Workspace& workspace) {
  const FrozenGlobalBlock& block = model.global_block;
  const std::int64_t rows = support.rows->rows, row = padded(block.width);
  const std::int64_t labels = model.labels(), dim = model.embedding_width();
  for (std::int64_t i = 0; i < rows; ++i) {
    std::fill_n(x + i * row, block.member_width, 0.0F);
    std::copy_n(model.default_embedding.data(), dim, x + i * row);
    if (model.attends())
      std::fill_n(x + i * row + block.constant_width, model.history->dim(), 0.0F);
  }
  float* result = workspace.take(rows * labels);
  block.forward(x, rows, parts, workspace, result);
  for (std::int64_t i = 0; i < rows * labels; ++i) {
    result[i] = known(support.labels[i] - sigmoid(result[i]));
  }
  return result;
}

/// log(1 + n) / 4 and the shrunken means; `sums` [2 labels].
void write_statistics(float evidence, const float* sums, std::int64_t count, float shrinkage,
                      float* to) {
  to[0] = std::log1p(evidence) / 4;
  for (std::int64_t l = 0; l < count; ++l) to[1 + l] = sums[l] / (evidence + shrinkage);
}

/// What a row's fellows weigh; sums of weights round, but never below nothing.
float others(float evidence, float own) {
  return std::max(evidence - own, 0.0F);
}

struct Encoded {
  float* inputs;   ///< [rows, history inputs], padded
  float* encoded;  ///< [rows, dim], padded
};

Encoded encode(const RuntimeModel& model, const RowSet& rows, const float* signal,
               Workspace& workspace) {
  const FrozenHistoryEncoder& history = *model.history;
  const std::int64_t count = rows.rows, labels = model.labels();
  const bool sequence = history.transformer.has_value();
  const std::int64_t width = model.history_inputs.width();
  // The inputs, with the signal beside them.
  float* inputs = workspace.take(count, width + labels);
  model.history_inputs.fill(rows, 0, count, inputs, padded(width + labels));
  for (std::int64_t i = 0; i < count; ++i) {
    std::copy_n(signal + i * labels, labels, inputs + i * padded(width + labels) + width);
  }
  const float* h = inputs;
  std::int64_t h_width = width + labels;
  for (const DenseLayer& layer : history.mlp.layers) {
    float* next = workspace.take(count, layer.out);
    apply(layer, history.mlp.tanh, h, padded(h_width), count, next);
    h = next;
    h_width = layer.out;
  }
  float* encoded = workspace.take(count, history.dim());
  apply_linear(sequence ? history.step : history.out, h, padded(h_width), count, encoded);
  return {inputs, encoded};
}

}  // namespace

void attend(const FrozenHistoryEncoder& history, const std::vector<float>& slots,
            const float* candidates, std::int64_t candidates_row, std::int64_t rows, bool own_rows,
            Workspace& workspace, float* to, std::int64_t to_row) {
  const std::int64_t dim = history.dim(), slot = history.slot();
  const std::int64_t count = static_cast<std::int64_t>(slots.size()) / slot;
  if (history.transformer) {
    float* own = workspace.take(rows, dim);
    apply_linear(history.candidate, candidates, candidates_row, rows, own);
    history.transformer->forward(slots.data(), count, own, rows, nullptr, workspace, to, to_row);
    return;
  }
  if (count == 0) {
    for (std::int64_t i = 0; i < rows; ++i) std::fill_n(to + i * to_row, dim, 0.0F);
    return;
  }
  float* queries = workspace.take(rows, dim);
  apply_linear(history.query, candidates, candidates_row, rows, queries);
  float* scores = workspace.take(count);
  const float scale = 1.0F / std::sqrt(static_cast<float>(dim));
  for (std::int64_t i = 0; i < rows; ++i) {
    const float* query = queries + i * padded(dim);
    float most = history.empty_score;
    for (std::int64_t s = 0; s < count; ++s) {
      const float* key = slots.data() + s * slot;
      float score = 0;
      for (std::int64_t c = 0; c < dim; ++c) score += query[c] * key[c];
      scores[s] = own_rows && s == i ? -std::numeric_limits<float>::infinity()
                                     : score * scale + key[2 * dim];
      most = std::max(most, scores[s]);
    }
    float total = std::exp(history.empty_score - most);
    for (std::int64_t s = 0; s < count; ++s) total += scores[s] = std::exp(scores[s] - most);
    float* pooled = to + i * to_row;
    std::fill_n(pooled, dim, 0.0F);
    for (std::int64_t s = 0; s < count; ++s) {
      add_scaled(slots.data() + s * slot + dim, scores[s] / total, pooled, dim);
    }
  }
}

SupportDescription describe_support(const RuntimeModel& model, const SupportRows& support,
                                    Workspace& workspace, MemberVector& result) {
  const FrozenGlobalBlock& block = model.global_block;
  const std::int64_t rows = support.rows->rows, labels = model.labels();
  const std::int64_t row = padded(block.width), dim = model.embedding_width();
  const bool statistics = model.config.model.statistics.enabled;
  SupportDescription description;
  description.rows = rows;
  for (std::int64_t i = 0; i < rows; ++i) {
    description.evidence += support.weights == nullptr ? 1.0F : support.weights[i];
  }
  const float evidence = description.evidence;
  const auto weight = [&](std::int64_t i) {
    return support.weights == nullptr ? 1.0F : support.weights[i];
  };

  float* x = workspace.zeros(rows, block.width);
  description.x = x;
  const std::int64_t attended = model.attends() ? model.history->dim() : 0;
  model.shared_inputs.fill(*support.rows, 0, rows, x + block.member_width, row);
  model.candidate_inputs.fill(*support.rows, 0, rows, x + block.constant_width + attended, row);
  description.parts = model.logit_parts(*support.rows, 0, rows, workspace);

  const bool by_residual = model.history && model.config.model.history.signal == "residual";
  const float* residual = nullptr;
  if (statistics || by_residual) {
    residual = residuals(model, support, x, description.parts, workspace);
    for (std::int64_t i = 0; i < rows; ++i) std::fill_n(x + i * row, dim, 0.0F);
  }
  float* deviation = workspace.take(rows * labels);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t l = 0; l < labels; ++l) {
      deviation[i * labels + l] =
          known(support.labels[i * labels + l] - model.base_rates[static_cast<std::size_t>(l)]);
    }
  }

  std::int64_t column = dim;
  if (statistics) {
    float* sums = workspace.take(2 * labels);
    float* rest = workspace.take(2 * labels);
    std::fill_n(sums, 2 * labels, 0.0F);
    const auto value = [&](std::int64_t i, std::int64_t l) {
      return weight(i) *
             (l < labels ? deviation[i * labels + l] : residual[i * labels + l - labels]);
    };
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t l = 0; l < 2 * labels; ++l) sums[l] += value(i, l);
    }
    float* all = workspace.take(model.statistics_width());
    write_statistics(evidence, sums, 2 * labels, model.statistics_shrinkage, all);
    description.statistics = all;
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t l = 0; l < 2 * labels; ++l) rest[l] = sums[l] - value(i, l);
      write_statistics(others(evidence, weight(i)), rest, 2 * labels, model.statistics_shrinkage,
                       x + i * row + column);
    }
    column += model.statistics_width();
  }

  if (!model.history) return description;
  const FrozenHistoryEncoder& history = *model.history;
  const std::int64_t width = history.dim();
  const auto [inputs, encoded] =
      encode(model, *support.rows, by_residual ? residual : deviation, workspace);
  const std::int64_t inputs_row = padded(model.history_inputs.width() + labels);
  if (history.transformer) {
    // Only what weighs anything is a step of the sequence.
    static thread_local std::vector<std::int64_t> step_of_row;
    step_of_row.assign(static_cast<std::size_t>(rows), -1);
    result.slots.resize(static_cast<std::size_t>(rows * width));
    std::int64_t steps = 0;
    for (std::int64_t i = 0; i < rows; ++i) {
      if (weight(i) <= 0) continue;
      std::copy_n(encoded + i * padded(width), width, result.slots.data() + steps * width);
      step_of_row[static_cast<std::size_t>(i)] = steps++;
    }
    result.slots.resize(static_cast<std::size_t>(steps * width));
    float* own = workspace.take(rows, width);
    apply_linear(history.candidate, inputs, inputs_row, rows, own);
    history.transformer->forward(result.slots.data(), steps, own, rows, step_of_row.data(),
                                 workspace, x + block.constant_width, row);
    const std::int64_t unseen = std::max<std::int64_t>(steps - history.transformer->length(), 0);
    result.slots.erase(result.slots.begin(), result.slots.begin() + unseen * width);
    return description;
  }
  if (history.attends) {
    float* keys = workspace.take(rows, width);
    apply_linear(history.key, inputs, inputs_row, rows, keys);
    result.slots.resize(static_cast<std::size_t>(rows * (2 * width + 1)));
    for (std::int64_t i = 0; i < rows; ++i) {
      float* slot = result.slots.data() + i * (2 * width + 1);
      std::copy_n(keys + i * padded(width), width, slot);
      std::copy_n(encoded + i * padded(width), width, slot + width);
      // A row of weight w takes the share of w like it: exp(score + log w) = w exp(score).
      slot[2 * width] = std::log(weight(i));
    }
    attend(history, result.slots, inputs, inputs_row, rows, /*own_rows=*/true, workspace,
           x + block.constant_width, row);
    return description;
  }
  float* sums = workspace.take(width);
  std::fill_n(sums, width, 0.0F);
  for (std::int64_t i = 0; i < rows; ++i)
    add_scaled(encoded + i * padded(width), weight(i), sums, width);
  float* pooled = workspace.take(width);
  for (std::int64_t c = 0; c < width; ++c) pooled[c] = sums[c] / (evidence + history.shrinkage);
  description.history = pooled;
  for (std::int64_t i = 0; i < rows; ++i) {
    float* to = x + i * row + column;
    const float share = others(evidence, weight(i)) + history.shrinkage;
    for (std::int64_t c = 0; c < width; ++c) {
      to[c] = (sums[c] - weight(i) * encoded[i * padded(width) + c]) / share;
    }
  }
  if (model.history_start.size() > 0) {
    const auto start_of = [&](const float* from, float* to) {
      std::fill_n(to, dim, 0.0F);
      for (std::int64_t c = 0; c < width; ++c) {
        add_scaled(model.history_start.data() + c * padded(dim), from[c], to, dim);
      }
    };
    float* start = workspace.take(dim);
    start_of(pooled, start);
    description.start = start;
    for (std::int64_t i = 0; i < rows; ++i) start_of(x + i * row + column, x + i * row);
  }
  return description;
}

}  // namespace limber
