#pragma once

#include <torch/torch.h>

#include "limber/training/layers/dense.h"

namespace limber {

/// Mean and variance normalisation of each row (Ba et al. 2016): [.., width] -> [.., width].
class RowNormImpl : public torch::nn::Module {
 public:
  RowNormImpl(std::int64_t width, torch::TensorOptions tensor);
  torch::Tensor forward(const torch::Tensor& x);

  static constexpr double kEpsilon = 1e-5;
  torch::Tensor gain, bias;  ///< [width]
};
TORCH_MODULE(RowNorm);

/// One layer of a transformer encoder (Vaswani et al. 2017), normalised before each half, which
/// trains without a warm-up:
///
///     x <- x + O concat over heads of softmax(q k^T / sqrt(width / heads)) v,   q, k, v of norm(x)
///     x <- x + F_2 relu(F_1 norm(x))
///
/// F_1 is half as wide as x, which LiRank (arXiv 2402.06859, section 3.7) found to be nearly all
/// that a wider one gives.
///
/// Differentiable once, as LibTorch's fused attention is: an inner loop's gradients, which are
/// differentiated again, do not run through the history.
class TransformerLayerImpl : public torch::nn::Module {
 public:
  TransformerLayerImpl(std::int64_t width, std::int64_t heads, torch::TensorOptions tensor);
  /// x [sequences, steps, width]; closed [sequences, steps], true where nothing may be looked at.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& closed);

 private:
  std::int64_t heads_;
  RowNorm norm_attention_{nullptr}, norm_feed_{nullptr};
  Dense queries_keys_values_{nullptr}, out_{nullptr}, feed_{nullptr}, back_{nullptr};
};
TORCH_MODULE(TransformerLayer);

}  // namespace limber
