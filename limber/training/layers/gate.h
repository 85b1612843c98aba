#pragma once

#include <torch/torch.h>

#include <string>

namespace limber {

/// Gate of a hidden layer (LiRank, arXiv 2402.06859, section 3.3, after GateNet, arXiv 2007.03519):
///
///     h' = sigmoid(h W_g + b_g) o h
///
/// with W_g full, of low rank, or diagonal; the paper calls its cost negligible, which a full one's
/// is not. Gates start all but open, so that a gated network starts as the plain one.
class GateImpl : public torch::nn::Module {
 public:
  /// `kind`: full, low_rank (through `rank` numbers) or diagonal.
  GateImpl(std::int64_t width, const std::string& kind, std::int64_t rank,
           torch::TensorOptions options);
  /// h [rows, width] -> h' [rows, width].
  torch::Tensor forward(const torch::Tensor& h);

  torch::Tensor weight;    ///< full: [width, width]; diagonal: [width]
  torch::Tensor down, up;  ///< low rank: [width, rank], [rank, width]
  torch::Tensor bias;      ///< [width]
};
TORCH_MODULE(Gate);

}  // namespace limber
