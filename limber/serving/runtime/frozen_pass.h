#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "limber/serving/runtime/cross_pass.h"
#include "limber/serving/runtime/global_block.h"
#include "limber/serving/runtime/workspace.h"

namespace limber {

/// A member's support rows on their way through the frozen global block and back to the meta
/// embedding, once per inner step. The embedding is the same in all rows and all else stays, so the
/// first layer's product with all else is made once, and a step adds one vector to it; on the way
/// back the rows' gradients are summed before they are multiplied by the first layer's weights.
class FrozenPass {
 public:
  /// `x` [rows, block.width], rows padded(width) apart: all inputs, where the first `dim` columns
  /// are what each row adds to the embedding (zeros, or the history's start). The pass writes over
  /// these columns. `workspace` must not restart while this object is in use.
  FrozenPass(const FrozenGlobalBlock& block, std::int64_t dim, float* x, std::int64_t rows,
             bool row_starts, const LogitParts& parts, Workspace& workspace);

  /// logits [rows, labels] under `embedding` [dim].
  const float* forward(const float* embedding);
  /// Gradient to the embedding [dim], from the gradients of the logits [rows, labels] of the last
  /// forward().
  void backward(const float* seed, float* gradient);

 private:
  float* backward_mlp(const float* seed);

  /// What passed one fully connected layer.
  struct Kept {
    float* hidden;            ///< its output, [rows, out]
    float* scores = nullptr;  ///< its gate's, [rows, out]; written over on the way back
    float* gated;             ///< what the next layer gets
  };

  const FrozenGlobalBlock& block_;
  std::int64_t dim_, rows_;
  float* x_;
  const float* starts_ = nullptr;  ///< [rows, dim]: copies of x's first columns
  LogitParts parts_;
  std::optional<CrossPass> crosses_, parallel_;
  std::optional<ExpertPass> experts_;
  float* joined_ = nullptr;  ///< [rows, width]: the output of both
  float* fixed_ = nullptr;   ///< [rows, first layer's width]: the product that never changes
  float* shift_ = nullptr;   ///< [first layer's width]: the embedding's share
  std::vector<Kept> kept_;
  float* logits_;
  float* slopes_;  ///< [rows, labels]: of the calibration at the logits
  float* gate_scratch_ = nullptr;
  float* left_;   ///< scratch of the way back, [rows, widest]
  float* right_;  ///< the same
  float* sums_;   ///< [widest]
};

}  // namespace limber
