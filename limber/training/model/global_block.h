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

/// What the last linear layer of each label gets, beside the logits of some rows.
struct LastLayers {
  std::vector<torch::Tensor> inputs;  ///< by label: z [rows, width], maybe padded with zeros
  /// [rows, labels]: how much a logit rises with the last layer's output; undefined: all are 1, for
  /// nothing is calibrated.
  torch::Tensor slopes;
};

/// The global block G([e ; x]; phi), shared by all tasks and the only part that runs online:
/// cross layers, then fully connected layers, then one logit per label, through experts or towers
/// and calibrated where asked for.
class GlobalBlockImpl : public torch::nn::Module {
 public:
  /// `member_width`: columns of what is known of the member (meta embedding, statistics, history).
  GlobalBlockImpl(std::int64_t member_width, const InputLayout& layout,
                  const GlobalBlockOptions& options, torch::TensorOptions tensor);

  /// member [rows, member_width], inputs [rows, all input columns] -> logits [rows, labels].
  /// `last`, if given, gets what the last layers read.
  torch::Tensor forward(const torch::Tensor& member, const torch::Tensor& inputs,
                        LastLayers* last = nullptr);
  /// The last layer of a label: its weights, then its bias [width + 1].
  torch::Tensor last_layer(std::int64_t label) const;

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
