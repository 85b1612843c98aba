#pragma once

#include <torch/torch.h>

#include "limber/core/config/options.h"
#include "limber/training/layers/dense.h"
#include "limber/training/layers/segments.h"
#include "limber/training/model/column_selection.h"
#include "limber/training/model/history_transformer.h"

namespace limber {

/// Encodes a task's support rows with what is known of their labels into one vector, without inner
/// gradients. Limber's baseline against meta-learning, and a companion of it.
class HistoryEncoderImpl : public torch::nn::Module {
 public:
  HistoryEncoderImpl(const InputLayout& layout, const HistoryOptions& options,
                     std::vector<std::string> default_inputs, torch::TensorOptions tensor);

  /// What each support row says: inputs [support rows, all columns], signal [support rows, labels]
  /// -> [support rows, dim].
  torch::Tensor encode(const torch::Tensor& inputs, const torch::Tensor& signal);

  /// Mean pooling, shrunken towards zero: sum / (n + kappa), kappa learned. sums [rows, dim] of
  /// encoded support rows, evidence [rows, 1]: how many those are, by weight -> [rows, dim].
  torch::Tensor pool(const torch::Tensor& sums, const torch::Tensor& evidence);

  /// The support rows that candidates attend to.
  struct Slots {
    torch::Tensor encoded;  ///< [support rows, dim]
    torch::Tensor inputs;   ///< [support rows, all columns]
    torch::Tensor weights;  ///< [support rows, 1]; undefined: each counts once
    const Segments& support;
  };
  /// Pooling by candidate: candidates [rows, all columns] of the tasks `rows` attend to their
  /// task's support rows and to an empty slot, or are read with the latest of these as a sequence
  /// (of those that weigh anything; none can stand in it twice) -> [rows, dim]. `own_rows`: the
  /// candidates are the support rows themselves, and none attends to itself.
  torch::Tensor attend(const torch::Tensor& candidates, const Segments& rows, const Slots& slots,
                       bool own_rows);

  bool attends() const { return attends_; }
  std::int64_t dim() const { return dim_; }

 private:
  bool attends_;  ///< pools by candidate
  std::int64_t dim_;
  ColumnSelection inputs_;
  Mlp mlp_{nullptr};
  Dense out_{nullptr}, key_{nullptr}, query_{nullptr};
  Dense step_{nullptr}, candidate_{nullptr};
  HistoryTransformer transformer_{nullptr};
  torch::Tensor log_shrinkage_, empty_score_;
};
TORCH_MODULE(HistoryEncoder);

}  // namespace limber
