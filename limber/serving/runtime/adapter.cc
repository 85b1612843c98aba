#include "limber/serving/runtime/adapter.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "limber/core/base/error.h"
#include "limber/core/config/inner_clip.h"
#include "limber/serving/runtime/frozen_pass.h"
#include "limber/serving/runtime/row_kernels.h"
#include "limber/serving/runtime/support_description.h"
#include "limber/serving/runtime/task_weights.h"

namespace limber {
namespace {

/// d loss / d logit = probability - label, by weight; 0 where the label is absent.
void seed_of(const float* logits, const SupportRows& support, std::int64_t rows,
             std::int64_t labels, float* seed) {
  for (std::int64_t i = 0; i < rows; ++i) {
    const float weight = support.weights == nullptr ? 1.0F : support.weights[i];
    for (std::int64_t l = 0; l < labels; ++l) {
      const std::int64_t at = i * labels + l;
      const float label = support.labels[at];
      seed[at] =
          std::isnan(label) ? 0.0F : weight * (1.0F / (1.0F + std::exp(-logits[at])) - label);
    }
  }
}

/// Cuts the gradient of a summed loss whose mean, `share` of it, is longer than kInnerClip.
void clip(float* gradient, std::int64_t dim, float share) {
  float squares = 0;
  for (std::int64_t c = 0; c < dim; ++c) squares += share * gradient[c] * (share * gradient[c]);
  const float length = std::sqrt(squares);
  if (length <= kInnerClip) return;
  for (std::int64_t c = 0; c < dim; ++c) gradient[c] *= kInnerClip / length;
}

/// The inner loop of one member; leaves the adapted embedding [dim] in `embedding`.
void run_inner_loop(const RuntimeModel& model, const SupportRows& support, std::int64_t steps,
                    const SupportDescription& description, Workspace& workspace, float* embedding) {
  const std::int64_t rows = description.rows, dim = model.embedding_width();
  const bool by_weights = model.config.model.meta_block.adapt == "weights";
  if (rows == 0) steps = 0;

  // At member level the block sees one row, which counts once.
  const bool member_level = model.member_level();
  const RowSet* seen = support.rows;
  if (member_level && rows == 0) seen = support.member;
  if (member_level && (seen == nullptr || seen->rows == 0)) {
    throw InputError("the model needs the member's own features, and none were given");
  }
  const std::int64_t block_rows = member_level ? 1 : rows;
  float* x = workspace.zeros(std::max<std::int64_t>(block_rows, 1), model.meta_inputs.width());
  model.meta_inputs.fill(*seen, 0, block_rows, x, padded(model.meta_inputs.width()));
  const float share = member_level ? 1.0F : 1.0F / (description.evidence + model.pooling_shrinkage);
  TaskWeights weights(*model.meta_block, x, block_rows, member_level ? nullptr : support.weights,
                      share, by_weights ? steps : 0, workspace);
  const auto embed = [&] {
    weights.forward(embedding);
    add_scaled(model.default_embedding.data(), 1.0F, embedding, dim);
  };
  embed();
  if (steps == 0) return;

  FrozenPass pass(model.global_block, dim, description.x, rows, description.start != nullptr,
                  description.parts, workspace);
  const float step_share = 1.0F / (description.evidence + model.shrinkage);
  float* seed = workspace.take(rows * model.labels());
  float* gradient = workspace.take(dim);
  for (std::int64_t k = 0; k < steps; ++k) {
    seed_of(pass.forward(embedding), support, rows, model.labels(), seed);
    pass.backward(seed, gradient);
    clip(gradient, dim, step_share);
    if (by_weights) {
      weights.step(gradient, step_share);
      embed();
    } else {
      add_scaled(gradient, -model.meta_block->embedding_rate * step_share, embedding, dim);
    }
  }
}

}  // namespace

void Adapter::adapt(const SupportRows& support, std::int64_t steps, MemberVector& result) {
  const RuntimeModel& model = *model_;
  workspace_.restart();
  result.slots.clear();
  result.known.assign(static_cast<std::size_t>(model.known_width()), 0.0F);
  if (!model.uses_support()) return;
  const SupportDescription description = describe_support(model, support, workspace_, result);
  const std::int64_t dim = model.embedding_width();
  float* known = result.known.data();
  if (model.meta_block) {
    float* embedding = workspace_.take(dim);
    run_inner_loop(model, support, steps, description, workspace_, embedding);
    std::copy_n(embedding, dim, known);
    if (description.start != nullptr) add_scaled(description.start, 1.0F, known, dim);
  }
  if (description.statistics != nullptr) {
    std::copy_n(description.statistics, model.statistics_width(), known + dim);
  }
  if (description.history != nullptr) {
    std::copy_n(description.history, model.history->dim(), known + dim + model.statistics_width());
  }
}

}  // namespace limber
