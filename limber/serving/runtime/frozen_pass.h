#pragma once

#include <cstdint>
#include <vector>

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
  /// these columns. `wide_logits` [rows, labels] or null.
  FrozenPass(const FrozenGlobalBlock& block, std::int64_t dim, float* x, std::int64_t rows,
             bool row_starts, const float* wide_logits, Workspace& workspace);

  /// logits [rows, labels] under `embedding` [dim].
  const float* forward(const float* embedding);
  /// Gradient to the embedding [dim], from the gradients of the logits [rows, labels] of the last
  /// forward().
  void backward(const float* seed, float* gradient);

 private:
  void forward_crosses(const float* shift);
  float* backward_mlp(const float* seed);
  void backward_crosses(float* gradient_x, float* gradient);

  const FrozenGlobalBlock& block_;
  std::int64_t dim_, rows_;
  float* x_;
  const float* starts_ = nullptr;  ///< [rows, dim]: copies of x's first columns
  const float* wide_logits_;
  float* fixed_ = nullptr;  ///< [rows, first layer's width]: the product that never changes
  float* shift_ = nullptr;  ///< [first layer's width]: the embedding's share
  std::int64_t first_width_ = 0;
  std::vector<float*> outers_;   ///< by cross layer: what is multiplied with x_0, [rows, width]
  std::vector<float*> crossed_;  ///< by cross layer: its output, [rows, width]
  std::vector<float*> lows_;     ///< by cross layer of low rank: [rows, rank]
  std::vector<float*> hidden_;   ///< by fully connected layer: its output
  float* logits_;
  float* left_;   ///< scratch of the way back, [rows, widest]
  float* right_;  ///< the same
  float* sums_;   ///< [widest]
};

}  // namespace limber
