#pragma once

#include <torch/torch.h>

#include "limber/core/config/options.h"
#include "limber/training/layers/residual_cross.h"

namespace limber {

/// One cross layer of DCNv2 (Wang et al. 2021, arXiv 2008.13535, section 3.1; LiRank, arXiv
/// 2402.06859, section 3.2), full rank or, with `rank` > 0, low rank:
///
///     x_{l+1} = x_0 o (W x_l + b) + x_l
///     x_{l+1} = x_0 o (U (V^T x_l) + b) + x_l
class CrossLayerImpl : public torch::nn::Module {
 public:
  CrossLayerImpl(std::int64_t width, std::int64_t rank, torch::TensorOptions options);
  /// x_0, x_l: [rows, width] -> x_{l+1} [rows, width]. Both may be padded with columns of zeros;
  /// these stay zero.
  torch::Tensor forward(const torch::Tensor& x0, const torch::Tensor& x);

  torch::Tensor weight;    ///< full rank: [width, width]
  torch::Tensor down, up;  ///< low rank: V [width, rank], U^T [rank, width]
  torch::Tensor bias;      ///< [width]
};
TORCH_MODULE(CrossLayer);

/// The cross layers of a block; x [rows, width] -> [rows, width], where padded, as padded. Of kind
/// residual with a plain network in parallel, what both have added to x is added:
///
///     x + (A(x) - x) + (P(x) - x)
///
/// (How the paper joins the two is not said; a sum keeps the next layer as wide as it was.)
class CrossNetworkImpl : public torch::nn::Module {
 public:
  CrossNetworkImpl(std::int64_t width, const CrossOptions& options, torch::TensorOptions tensor);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  std::vector<CrossLayer> layers_;  ///< of kind residual: those in parallel
  std::vector<ResidualCrossLayer> residual_;
};
TORCH_MODULE(CrossNetwork);

}  // namespace limber
