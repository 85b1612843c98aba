#pragma once

#include <torch/torch.h>

#include <vector>

#include "limber/training/meta/support_context.h"

namespace limber {

struct EpisodeOptions;

/// The inner loop of all tasks of a batch at once: K gradient steps on each task's own copy of the
/// meta block (or of the embedding alone) through the frozen global block.
class InnerLoop {
 public:
  InnerLoop(RankingModel& model, const SupportContext& context);

  /// The adapted embeddings [tasks, dim], without the history's start.
  torch::Tensor run(const EpisodeOptions& options, std::vector<double>& losses);

 private:
  /// Embedding of each task under the given weights.
  torch::Tensor embed(const std::vector<torch::Tensor>& weights) const;
  /// Logits of the support rows under the given embeddings.
  torch::Tensor support_logits(const torch::Tensor& embedding) const;

  RankingModel& model_;
  const SupportContext& context_;
  torch::Tensor block_inputs_;  ///< [support rows or tasks, block inputs]
  Segments block_segments_;
};

}  // namespace limber
