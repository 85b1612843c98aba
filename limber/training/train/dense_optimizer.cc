#include "limber/training/train/dense_optimizer.h"

#include <cmath>

namespace limber {
namespace {

constexpr double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

}  // namespace

DenseOptimizer::DenseOptimizer(std::vector<torch::Tensor> parameters, const TrainOptions& options)
    : parameters_(std::move(parameters)),
      adam_(options.optimizer == "adam"),
      weight_decay_(options.weight_decay) {
  if (!adam_) return;
  for (int moment = 0; moment < 2; ++moment) {
    for (const torch::Tensor& parameter : parameters_) {
      moments_.push_back(torch::zeros_like(parameter.detach()));
    }
  }
}

double DenseOptimizer::clip(double clip_norm) {
  const torch::NoGradGuard no_grad;
  double squares = 0;
  for (const torch::Tensor& parameter : parameters_) {
    if (parameter.grad().defined()) squares += parameter.grad().square().sum().item<double>();
  }
  const double norm = std::sqrt(squares);
  if (clip_norm > 0 && norm > clip_norm) {
    for (torch::Tensor& parameter : parameters_) {
      if (parameter.grad().defined()) parameter.mutable_grad().mul_(clip_norm / norm);
    }
  }
  return norm;
}

void DenseOptimizer::step(double learning_rate) {
  const torch::NoGradGuard no_grad;
  ++steps_;
  const std::size_t count = parameters_.size();
  const double correction1 = 1 - std::pow(beta1, static_cast<double>(steps_));
  const double correction2 = 1 - std::pow(beta2, static_cast<double>(steps_));
  for (std::size_t i = 0; i < count; ++i) {
    torch::Tensor& parameter = parameters_[i];
    const torch::Tensor& gradient = parameter.grad();
    if (!gradient.defined()) continue;
    // Weights decay, biases and learned rates do not: they set levels, not complexity.
    if (weight_decay_ > 0 && parameter.dim() > 1) {
      parameter.mul_(1 - learning_rate * weight_decay_);
    }
    if (!adam_) {
      parameter.add_(gradient, -learning_rate);
      continue;
    }
    torch::Tensor& first = moments_[i];
    torch::Tensor& second = moments_[count + i];
    first.mul_(beta1).add_(gradient, 1 - beta1);
    second.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
    const torch::Tensor denominator = (second / correction2).sqrt_().add_(epsilon);
    parameter.addcdiv_(first, denominator, -learning_rate / correction1);
  }
}

}  // namespace limber
