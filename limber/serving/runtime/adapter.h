#pragma once

#include <memory>

#include "limber/serving/runtime/runtime_model.h"
#include "limber/serving/runtime/support_rows.h"
#include "limber/serving/runtime/workspace.h"

namespace limber {

/// Adapts members to their recent interactions: LiMAML's inner loop (arXiv 2403.00803) without
/// LibTorch, on the frozen global block; training's twin is training/meta/episode.h, whose formulas
/// hold. One object per thread: it keeps scratch memory, and after the first members of a size
/// nothing is allocated but the result.
class Adapter {
 public:
  explicit Adapter(std::shared_ptr<const RuntimeModel> model) : model_(std::move(model)) {}

  /// Takes `steps` gradient steps (meta.adaptation_steps is the model's own number). Without rows
  /// the result is what the model knows of a member it has never seen. Throws InputError when a
  /// meta block at member level is given neither rows nor the member's features.
  void adapt(const SupportRows& support, std::int64_t steps, MemberVector& result);
  MemberVector adapt(const SupportRows& support, std::int64_t steps) {
    MemberVector result;
    adapt(support, steps, result);
    return result;
  }
  MemberVector adapt(const SupportRows& support) {
    return adapt(support, model_->config.meta.adaptation_steps);
  }

  const RuntimeModel& model() const { return *model_; }

 private:
  std::shared_ptr<const RuntimeModel> model_;
  Workspace workspace_;
};

}  // namespace limber
