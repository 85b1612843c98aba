#pragma once

#include <memory>
#include <span>

#include "limber/serving/runtime/runtime_model.h"
#include "limber/serving/runtime/support_rows.h"
#include "limber/serving/runtime/workspace.h"

namespace limber {

/// Scores a member's candidates through the global block, without LibTorch. What the candidates of
/// a request have in common, the member's vector and the shared features, is multiplied once. One
/// object per thread; after the first requests of a size it allocates nothing.
class Scorer {
 public:
  explicit Scorer(std::shared_ptr<const RuntimeModel> model) : model_(std::move(model)) {}

  /// logits [candidates, labels] of one member. Shared features are read from the first candidate.
  /// Throws Error when `member` or `logits` does not have the model's size.
  /// `last_layers`, if given, stand in place of the trained ones.
  void score(const MemberVector& member, const RowSet& candidates, std::span<float> logits,
             const LastLayerView* last_layers = nullptr);
  /// The same of the main model alone, without popularity.
  void score_main(const MemberVector& member, const RowSet& candidates, std::span<float> logits,
                  const LastLayerView* last_layers = nullptr);

  const RuntimeModel& model() const { return *model_; }

 private:
  struct Request;
  void score_block(const Request& request, std::int64_t first, std::int64_t last, float* logits);

  std::shared_ptr<const RuntimeModel> model_;
  Workspace workspace_, block_workspace_;
};

}  // namespace limber
