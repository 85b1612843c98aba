#include "limber/training/layers/residual_cross.h"

#include <cmath>

#include "limber/training/layers/dense.h"
#include "limber/training/layers/padding.h"

namespace limber {

torch::Tensor token_attention(const torch::Tensor& low, std::int64_t tokens, double scale,
                              bool skip) {
  const std::int64_t rows = low.size(0), rank = low.size(1) / 3;
  // [rows, 3, tokens, c] without a copy.
  const auto parts = low.view({rows, 3, tokens, rank / tokens}).unbind(1);
  const torch::Tensor &value = parts[0], &query = parts[1], &key = parts[2];
  const torch::Tensor shares =
      torch::softmax(torch::matmul(query, key.transpose(1, 2)) * scale, /*dim=*/2);
  torch::Tensor attended = torch::matmul(shares, value);
  if (skip) attended = attended + value;
  return attended.reshape({rows, rank});
}

ResidualCrossLayerImpl::ResidualCrossLayerImpl(std::int64_t width, const CrossOptions& options,
                                               torch::TensorOptions tensor)
    : down(register_parameter("down", initial_weight(width, 3 * options.rank, width, tensor))),
      up(register_parameter("up", initial_weight(options.rank, width, options.rank, tensor))),
      bias(register_parameter("bias", torch::zeros({width}, tensor))),
      tokens_(options.tokens),
      scale_(1 / (options.temperature * std::sqrt(static_cast<double>(options.rank) /
                                                  static_cast<double>(options.tokens)))),
      skip_(options.skip) {}

torch::Tensor ResidualCrossLayerImpl::forward(const torch::Tensor& x0, const torch::Tensor& x) {
  const std::int64_t width = x.size(1);
  const torch::Tensor low = torch::mm(x, pad_rows(down, width));
  const torch::Tensor attended = token_attention(low, tokens_, scale_, skip_);
  return torch::addcmul(x, x0,
                        torch::addmm(pad_columns(bias, width), attended, pad_columns(up, width)));
}

}  // namespace limber
