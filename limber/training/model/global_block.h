#pragma once

#include <torch/torch.h>

#include <vector>

#include "limber/core/config/options.h"
#include "limber/training/layers/cross.h"
#include "limber/training/layers/dense.h"
#include "limber/training/layers/experts.h"
#include "limber/training/layers/isotonic.h"
#include "limber/training/model/column_selection.h"

namespace limber {

/// The global block G([e ; x]; phi), shared by all tasks and the only part that runs online:
/// cross layers, then fully connected layers, then one logit per label, through experts or towers
/// and calibrated where asked for.
class GlobalBlockImpl : public torch::nn::Module {
 public:
  /// `member_width`: columns of what is known of the member (meta embedding, statistics, history).
  GlobalBlockImpl(std::int64_t member_width, const InputLayout& layout,
                  const GlobalBlockOptions& options, torch::TensorOptions tensor);

  /// member [rows, member_width], inputs [rows, all input columns] -> logits [rows, labels].
  torch::Tensor forward(const torch::Tensor& member, const torch::Tensor& inputs);

 private:
  ColumnSelection inputs_, wide_inputs_, calibration_inputs_;
  CrossNetwork cross_{nullptr};
  Mlp mlp_{nullptr};
  Dense head_{nullptr};
  Experts experts_{nullptr};
  Dense wide_{nullptr};
  IsotonicCalibration calibration_{nullptr};
};
TORCH_MODULE(GlobalBlock);

}  // namespace limber
