#include "limber/training/train/dense_optimizer.h"

#include <cmath>

namespace limber {
namespace {

constexpr double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

}  // namespace

DenseOptimizer::DenseOptimizer(std::vector<torch::Tensor> parameters, const TrainOptions& options)
    : parameters_(std::move(parameters)),
      kind_(options.optimizer),
      weight_decay_(options.weight_decay) {
  const int moments = kind_ == "adam" ? 2 : kind_ == "adagrad" ? 1 : 0;
  for (int moment = 0; moment < moments; ++moment) {
    for (const torch::Tensor& parameter : parameters_) {
      moments_.push_back(torch::zeros_like(parameter.detach()));
    }
  }
}

double DenseOptimizer::clip(double clip_norm, ProcessGroup* ranks) {
  const torch::NoGradGuard no_grad;
  double squares = 0;
  for (const torch::Tensor& parameter : parameters_) {
    if (parameter.grad().defined()) squares += parameter.grad().square().sum().item<double>();
  }
  const double norm = ranks == nullptr ? std::sqrt(squares) : ranks->broadcast(std::sqrt(squares));
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
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    torch::Tensor& parameter = parameters_[i];
    const torch::Tensor& gradient = parameter.grad();
    if (!gradient.defined()) continue;
    // Weights decay, biases and learned rates do not: they set levels, not complexity.
    if (weight_decay_ > 0 && parameter.dim() > 1) {
      parameter.mul_(1 - learning_rate * weight_decay_);
    }
    if (kind_ == "adam") {
      step_adam(i, gradient, learning_rate);
    } else if (kind_ == "adagrad") {
      step_adagrad(i, gradient, learning_rate);
    } else {
      parameter.add_(gradient, -learning_rate);
    }
  }
}

void DenseOptimizer::step_adam(std::size_t i, const torch::Tensor& gradient, double learning_rate) {
  const double correction1 = 1 - std::pow(beta1, static_cast<double>(steps_));
  const double correction2 = 1 - std::pow(beta2, static_cast<double>(steps_));
  torch::Tensor& first = moments_[i];
  torch::Tensor& second = moments_[parameters_.size() + i];
  first.mul_(beta1).add_(gradient, 1 - beta1);
  second.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
  const torch::Tensor denominator = (second / correction2).sqrt_().add_(epsilon);
  parameters_[i].addcdiv_(first, denominator, -learning_rate / correction1);
}

void DenseOptimizer::step_adagrad(std::size_t i, const torch::Tensor& gradient,
                                  double learning_rate) {
  torch::Tensor& sum = moments_[i];
  sum.addcmul_(gradient, gradient);
  parameters_[i].addcdiv_(gradient, sum.sqrt().add_(epsilon), -learning_rate);
}

}  // namespace limber
