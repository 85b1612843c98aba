#include "limber/training/layers/dense.h"

#include <cmath>

#include "limber/training/layers/dense_relu.h"

namespace limber {

torch::Tensor initial_weight(std::int64_t rows, std::int64_t columns, std::int64_t fan_in,
                             torch::TensorOptions options) {
  const double bound = 1.0 / std::sqrt(static_cast<double>(std::max<std::int64_t>(fan_in, 1)));
  // Drawn on the CPU so that a seed gives the same model on every device.
  return (torch::rand({rows, columns}, torch::dtype(torch::kDouble)) * (2 * bound) - bound)
      .to(options);
}

torch::Tensor activate(const torch::Tensor& x, const std::string& activation) {
  return activation == "tanh" ? torch::tanh(x) : torch::relu(x);
}

DenseImpl::DenseImpl(std::int64_t in, std::int64_t out, torch::TensorOptions options)
    : weight(register_parameter("weight", initial_weight(in, out, in, options))),
      bias(register_parameter("bias", torch::zeros({out}, options))) {}

MlpImpl::MlpImpl(std::int64_t in, const std::vector<std::int64_t>& widths, std::string activation,
                 double dropout, torch::TensorOptions options, const GateChoice& gate)
    : activation_(std::move(activation)), dropout_(dropout), out_(in) {
  for (const std::int64_t width : widths) {
    const std::string number = std::to_string(layers_.size());
    layers_.push_back(register_module("layer" + number, Dense(out_, width, options)));
    if (gate.kind != "none") {
      gates_.push_back(
          register_module("gate" + number, Gate(width, gate.kind, gate.rank, options)));
    }
    out_ = width;
  }
}

torch::Tensor MlpImpl::forward(torch::Tensor x) {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    Dense& layer = layers_[l];
    x = activation_ == "relu" ? dense_relu(x, pad_rows(layer->weight, x.size(1)), layer->bias)
                              : activate(layer(x), activation_);
    if (!gates_.empty()) x = gates_[l](x);
    if (dropout_ > 0 && is_training()) x = torch::dropout(x, dropout_, true);
  }
  return x;
}

}  // namespace limber
