#include "limber/training/layers/transformer.h"

#include <algorithm>

namespace limber {
namespace {

// Finite, so that a sequence with nothing open gives numbers, which are masked later.
constexpr double kClosed = -1e9;

/// The layer on each step: [sequences, steps, in] -> [sequences, steps, out].
torch::Tensor each_step(Dense& layer, const torch::Tensor& x) {
  const torch::Tensor rows = layer(x.reshape({-1, x.size(2)}));
  return rows.view({x.size(0), x.size(1), rows.size(1)});
}

}  // namespace

RowNormImpl::RowNormImpl(std::int64_t width, torch::TensorOptions tensor)
    : gain(register_parameter("gain", torch::ones({width}, tensor))),
      bias(register_parameter("bias", torch::zeros({width}, tensor))) {}

torch::Tensor RowNormImpl::forward(const torch::Tensor& x) {
  return torch::layer_norm(x, {x.size(-1)}, gain, bias, kEpsilon);
}

TransformerLayerImpl::TransformerLayerImpl(std::int64_t width, std::int64_t heads,
                                           torch::TensorOptions tensor)
    : heads_(heads) {
  const std::int64_t half = std::max<std::int64_t>(width / 2, 1);
  norm_attention_ = register_module("norm_attention", RowNorm(width, tensor));
  queries_keys_values_ = register_module("queries_keys_values", Dense(width, 3 * width, tensor));
  out_ = register_module("out", Dense(width, width, tensor));
  norm_feed_ = register_module("norm_feed", RowNorm(width, tensor));
  feed_ = register_module("feed", Dense(width, half, tensor));
  back_ = register_module("back", Dense(half, width, tensor));
}

torch::Tensor TransformerLayerImpl::forward(const torch::Tensor& x, const torch::Tensor& closed) {
  const std::int64_t sequences = x.size(0), steps = x.size(1), width = x.size(2);
  // [3, sequences, heads, steps, width / heads]
  const auto parts = each_step(queries_keys_values_, norm_attention_(x))
                         .view({sequences, steps, 3, heads_, width / heads_})
                         .permute({2, 0, 3, 1, 4})
                         .unbind(0);
  // One fused operation: the scores of all steps never leave the cache.
  const torch::Tensor mask = torch::zeros({sequences, 1, 1, steps}, x.options())
                                 .masked_fill_(closed.view({sequences, 1, 1, steps}), kClosed)
                                 .expand({sequences, 1, steps, steps});
  const torch::Tensor mixed = at::scaled_dot_product_attention(parts[0], parts[1], parts[2], mask)
                                  .transpose(1, 2)
                                  .reshape({sequences, steps, width});
  const torch::Tensor attended = x + each_step(out_, mixed);
  return attended + each_step(back_, torch::relu(each_step(feed_, norm_feed_(attended))));
}

}  // namespace limber
