#pragma once

#include <torch/torch.h>

#include <vector>

#include "limber/core/config/options.h"
#include "limber/training/layers/segments.h"
#include "limber/training/layers/transformer.h"

namespace limber {

/// Reads a member's latest support rows as a sequence, together with each candidate (LiRank, arXiv
/// 2402.06859, section 3.7, after TransAct): step s of candidate c is
///
///     s_s + c_c + p(steps until the latest)
///
/// where s_s encodes the row with its labels and c_c the candidate, which is one linear layer over
/// both side by side. What leaves the encoder is pooled by its maximum, and its last five steps are
/// kept as they are; one linear layer makes the history vector of these. Without a step it is zero.
class HistoryTransformerImpl : public torch::nn::Module {
 public:
  HistoryTransformerImpl(const HistoryOptions& options, torch::TensorOptions tensor);
  /// steps [support rows, dim], candidates [rows, dim] of the tasks `rows` -> [rows, dim].
  /// `own_steps` [rows]: the step that a candidate is itself and does not see, -1 for none; empty:
  /// the candidates are none of the steps.
  torch::Tensor forward(const torch::Tensor& steps, const Segments& support,
                        const torch::Tensor& candidates, const Segments& rows,
                        const std::vector<std::int64_t>& own_steps);

  static constexpr std::int64_t kLast = 5;

 private:
  /// steps [rows, width, dim] with their positions, candidates [rows, dim], closed [rows, width],
  /// true where there is no step -> [rows, dim].
  torch::Tensor read(const torch::Tensor& steps, const torch::Tensor& candidates,
                     const torch::Tensor& closed);

  std::int64_t length_;
  std::vector<TransformerLayer> layers_;
  RowNorm norm_{nullptr};
  Dense out_{nullptr};
  torch::Tensor positions_;  ///< [length, dim]; row p: p steps before the latest
};
TORCH_MODULE(HistoryTransformer);

}  // namespace limber
