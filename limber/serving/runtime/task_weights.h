#pragma once

#include <cstdint>
#include <vector>

#include "limber/serving/runtime/runtime_model.h"
#include "limber/serving/runtime/workspace.h"

namespace limber {

/// One member's own copy of the meta block during adaptation: its output over the member's rows,
/// pooled, and its gradient steps.
///
/// Only what is needed is computed. The last layer is linear, so it sees the pooled rows alone, and
/// its gradient is an outer product. The first layer's input X never changes; where rows are fewer
/// than inputs, its step W -= a X' D is never made: the layer's product moves by -a (X X') D, and
/// X X' is computed once.
class TaskWeights {
 public:
  /// `x` [rows, block inputs], rows padded apart; `weights` [rows] or null. The pooled output is
  /// sum_i w_i M(x_i) * share. `steps` helps to choose how the first layer steps.
  TaskWeights(const FrozenMetaBlock& block, const float* x, std::int64_t rows, const float* weights,
              float share, std::int64_t steps, Workspace& workspace);

  /// The block's pooled output [dim].
  void forward(float* pooled);
  /// One step against `gradient` [dim], that of the pooled output, as of the last forward(): each
  /// tensor moves by its rate times `step_share`.
  void step(const float* gradient, float step_share);

 private:
  struct Layer {
    const float* weight;  ///< [in, out]: the shared one, then this member's own
    const float* bias;    ///< [out]
    float* own_weight = nullptr;
    float* own_bias = nullptr;
    float* turned = nullptr;  ///< [out, in]: room for the own weight's transpose
    bool moved = false;
    float* output = nullptr;  ///< [rows, out], after the activation; hidden layers
  };
  Product forward_product(std::size_t l, const float* input) const;
  void step_first(const float* gradient, float step_share);
  void activate(std::size_t l);

  const FrozenMetaBlock& block_;
  const float* x_;
  std::int64_t rows_;
  const float* weights_;  ///< [rows]: w_i, or null
  float share_, total_;   ///< total_ = share * sum_i w_i
  std::vector<Layer> layers_;
  bool by_rows_ = false;    ///< the first layer steps by X X'
  float* gram_ = nullptr;   ///< [rows, rows]: rate_w X X' + rate_b
  float* first_ = nullptr;  ///< [rows, out]: the first layer before its activation
  bool first_ready_ = false;
  float* pooled_inputs_;  ///< [last in]
  float* row_shares_;     ///< [rows]: w_i * share
  float *left_, *right_;  ///< [rows, widest]: scratch of the way back
  float* sums_;           ///< [widest]
};

}  // namespace limber
