#include "limber/serving/runtime/scorer.h"

#include <algorithm>
#include <optional>

#include "limber/core/base/error.h"
#include "limber/serving/runtime/popularity_logits.h"
#include "limber/serving/runtime/shared_columns.h"
#include "limber/serving/runtime/support_description.h"

namespace limber {
namespace {

/// Candidates that pass through all layers together: few enough that what lies between two layers
/// stays in the second-level cache, enough that the weights are read seldom.
constexpr std::int64_t kBlock = 96;

}  // namespace

/// What all blocks of a request share.
struct Scorer::Request {
  const MemberVector& member;
  const RowSet& candidates;
  float* x;  ///< [block, width]; the constant columns are filled
  FirstShares shares;
  std::int64_t attended;
  const SharedColumns* shared;  ///< null where the plain way is less work
  Curves curves;                ///< where all candidates have the same
  const LastLayerView* last_layers;
};

void Scorer::score(const MemberVector& member, const RowSet& candidates, std::span<float> logits,
                   const LastLayerView* last_layers) {
  score_main(member, candidates, logits, last_layers);
  if (model_->popularity) add_popularity(*model_->popularity, model_->layout, candidates, logits);
}

void Scorer::score_main(const MemberVector& member, const RowSet& candidates,
                        std::span<float> logits, const LastLayerView* last_layers) {
  const RuntimeModel& model = *model_;
  const FrozenGlobalBlock& block = model.global_block;
  const std::int64_t rows = candidates.rows, labels = model.labels();
  if (static_cast<std::int64_t>(member.known.size()) != model.known_width()) {
    throw Error("the member's vector has {} numbers, the model {} wants {}", member.known.size(),
                model.name(), model.known_width());
  }
  if (static_cast<std::int64_t>(logits.size()) != rows * labels) {
    throw Error("room for {} logits was given, {} are wanted", logits.size(), rows * labels);
  }
  if (rows == 0) return;
  workspace_.restart();
  const std::int64_t height = std::min(rows, kBlock), row = padded(block.width);
  Request request{member,
                  candidates,
                  workspace_.take(height, block.width),
                  {},
                  model.attends() ? model.history->dim() : 0,
                  nullptr,
                  {},
                  last_layers};
  std::copy(member.known.begin(), member.known.end(), request.x);
  model.shared_inputs.fill(candidates, 0, 1, request.x + block.member_width, row);

  std::optional<SharedColumns> shared;
  if (SharedColumns::pays(block, rows)) {
    request.shared = &shared.emplace(block, request.x, workspace_);
  }
  if (!shared) request.shares = block.first_shares(request.x, workspace_);
  if (block.calibration && model.curves_are_shared) {
    request.curves = model.curves(candidates, 0, 1, workspace_);
    request.curves.row = 0;
  }
  // The layers below the first read whole rows.
  if (!shared && (!block.crosses.empty() || block.mlp.layers.empty())) {
    for (std::int64_t i = 1; i < height; ++i) {
      std::copy_n(request.x, block.constant_width, request.x + i * row);
    }
  }
  for (std::int64_t first = 0; first < rows; first += height) {
    const std::int64_t last = std::min(first + height, rows);
    score_block(request, first, last, logits.data() + first * labels);
  }
}

void Scorer::score_block(const Request& request, std::int64_t first, std::int64_t last,
                         float* logits) {
  const RuntimeModel& model = *model_;
  const FrozenGlobalBlock& block = model.global_block;
  const std::int64_t rows = last - first, row = padded(block.width);
  block_workspace_.restart();
  // The candidates' own columns: beside the constant ones, or alone.
  const std::int64_t own_row =
      request.shared == nullptr ? row : padded(block.width - block.constant_width);
  float* own = request.shared == nullptr ? request.x + block.constant_width
                                         : block_workspace_.take(rows * own_row);
  if (model.attends()) {
    const std::int64_t width = model.history_inputs.width();
    float* inputs = block_workspace_.take(rows, width);
    model.history_inputs.fill(request.candidates, first, last, inputs, padded(width));
    attend(*model.history, request.member.slots, inputs, padded(width), rows, /*own_rows=*/false,
           block_workspace_, own, own_row);
  }
  model.candidate_inputs.fill(request.candidates, first, last, own + request.attended, own_row);
  LogitParts parts =
      model.logit_parts(request.candidates, first, last, block_workspace_, request.curves);
  parts.last_layers = request.last_layers;
  if (request.shared != nullptr) {
    const float* h = request.shared->first_layer(own, rows, block_workspace_);
    block.finish(h, 1, rows, parts, block_workspace_, logits);
    return;
  }
  block.forward_from(request.x, request.shares, rows, parts, block_workspace_, logits);
}

}  // namespace limber
