#pragma once

#include <torch/torch.h>

#include <string>

#include "limber/training/layers/gate.h"
#include "limber/training/layers/padding.h"

namespace limber {

/// Uniform in +-1/sqrt(fan_in), the usual start of a fully connected layer.
torch::Tensor initial_weight(std::int64_t rows, std::int64_t columns, std::int64_t fan_in,
                             torch::TensorOptions options);

/// Applies the activation named in the config: relu or tanh.
torch::Tensor activate(const torch::Tensor& x, const std::string& activation);

/// Fully connected layer with its weight as [in, out], so that batched and per-task weights have
/// one layout: x [rows, in] -> x W + b [rows, out]. x may be padded with columns of zeros.
class DenseImpl : public torch::nn::Module {
 public:
  DenseImpl(std::int64_t in, std::int64_t out, torch::TensorOptions options);
  torch::Tensor forward(const torch::Tensor& x) {
    return torch::addmm(bias, x, pad_rows(weight, x.size(1)));
  }

  torch::Tensor weight, bias;
};
TORCH_MODULE(Dense);

/// How the layers of an Mlp are gated; kind none means not at all.
struct GateChoice {
  std::string kind = "none";
  std::int64_t rank = 16;
};

/// Fully connected layers, each followed by the activation, by its gate if any and, in training, by
/// dropout. x [rows, in] -> [rows, last width], or x itself without layers. x may be padded with
/// zeros.
class MlpImpl : public torch::nn::Module {
 public:
  MlpImpl(std::int64_t in, const std::vector<std::int64_t>& widths, std::string activation,
          double dropout, torch::TensorOptions options, const GateChoice& gate = {});
  torch::Tensor forward(torch::Tensor x);
  std::int64_t out() const { return out_; }

 private:
  std::vector<Dense> layers_;
  std::vector<Gate> gates_;
  std::string activation_;
  double dropout_;
  std::int64_t out_;
};
TORCH_MODULE(Mlp);

}  // namespace limber
