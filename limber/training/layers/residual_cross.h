#pragma once

#include <torch/torch.h>

#include "limber/core/config/options.h"

namespace limber {

/// One cross layer with attention in its bottleneck, the residual DCN of LiRank (arXiv 2402.06859,
/// section 3.2). The down-mapping exists three times; the paper leaves open how the bottleneck
/// becomes tokens, which here are `tokens` equal parts of width c = rank / tokens:
///
///     v = V_v^T x_l,  q = V_q^T x_l,  k = V_k^T x_l          each [tokens, c]
///     S = softmax over each row of q k^T / (temperature sqrt(c))
///     a = S v + v                                            (+ v: the skip, if any)
///     x_{l+1} = x_0 o (U a + b) + x_l
///
/// With S the identity and no skip that is the low-rank CrossLayer.
class ResidualCrossLayerImpl : public torch::nn::Module {
 public:
  ResidualCrossLayerImpl(std::int64_t width, const CrossOptions& options,
                         torch::TensorOptions tensor);
  /// x_0, x_l: [rows, width] -> x_{l+1} [rows, width]. Both may be padded with columns of zeros;
  /// these stay zero.
  torch::Tensor forward(const torch::Tensor& x0, const torch::Tensor& x);

  torch::Tensor down;  ///< V_v, V_q and V_k side by side: [width, 3 rank]
  torch::Tensor up;    ///< U^T [rank, width]
  torch::Tensor bias;  ///< [width]

 private:
  std::int64_t tokens_;
  double scale_;
  bool skip_;
};
TORCH_MODULE(ResidualCrossLayer);

/// Attention between the tokens of each row: low [rows, 3 rank] as value, query and key side by
/// side
/// -> [rows, rank]. `scale` multiplies the scores. Differentiable any number of times.
torch::Tensor token_attention(const torch::Tensor& low, std::int64_t tokens, double scale,
                              bool skip);

}  // namespace limber
