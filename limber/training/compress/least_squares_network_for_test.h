#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "limber/training/compress/network.h"

namespace limber {

/// One layer y = x W + b without activation, trained by plain gradient descent on rows that a known
/// sparse matrix has made: what pruning should find is known. The mean of squared errors is the
/// loss, and one minus it the metric.
class LeastSquaresNetwork : public CompressibleNetwork {
 public:
  /// `truth` [inputs, outputs]. The inputs are so correlated that small errors spread.
  LeastSquaresNetwork(torch::Tensor truth, std::int64_t rows, double noise, std::int64_t steps)
      : steps_(steps) {
    torch::manual_seed(7);
    const auto inputs = truth.size(0), outputs = truth.size(1);
    const torch::Tensor mixing = torch::eye(inputs) + 0.3 * torch::randn({inputs, inputs});
    inputs_ = torch::mm(torch::randn({rows, inputs}), mixing);
    outputs_ = torch::mm(inputs_, truth) + noise * torch::randn({rows, outputs});
    weight_ = torch::randn({inputs, outputs}).requires_grad_();
    bias_ = torch::zeros({outputs}).requires_grad_();
    momentum_ = {torch::zeros_like(weight_.detach()), torch::zeros_like(bias_.detach())};
  }

  std::vector<CompressibleWeight> weights() override {
    CompressibleWeight weight;
    weight.name = "layer";
    weight.matrix = weight.parameter = weight_;
    weight.bias = weight.bias_parameter = bias_;
    weight.as_matrix = [](const torch::Tensor& gradient) { return gradient; };
    weight.removable = weight.hidden = true;
    return {weight};
  }
  std::int64_t steps_per_epoch() const override { return steps_; }

  double train_epoch(const std::string&, std::int64_t epoch, double learning_rate,
                     const Hooks& hooks) override {
    if (epoch == 0) {
      for (torch::Tensor& momentum : momentum_) momentum.zero_();
    }
    if (passes_until_killed == 0) throw Killed();
    --passes_until_killed;
    double sum = 0;
    for (std::int64_t step = 0; step < steps_ && hooks.keep_going(); ++step) {
      weight_.mutable_grad() = torch::Tensor();
      bias_.mutable_grad() = torch::Tensor();
      const torch::Tensor loss = mean_loss();
      loss.backward();
      sum += loss.item<double>();
      hooks.before_step(step);
      const torch::NoGradGuard no_grad;
      std::vector<torch::Tensor> parameters = {weight_, bias_};
      for (std::size_t p = 0; p < parameters.size(); ++p) {
        momentum_[p].mul_(0.9).add_(parameters[p].grad());
        parameters[p].sub_(momentum_[p], learning_rate);
      }
      hooks.after_step(step);
    }
    return sum / static_cast<double>(steps_);
  }
  Quality validate() override {
    const torch::NoGradGuard no_grad;
    const double loss = mean_loss().item<double>();
    return {loss, 1 - loss};
  }
  Quality test() override { return validate(); }
  std::string metric_name() const override { return "fit"; }
  std::vector<std::pair<std::string, torch::Tensor>> state() override {
    return {{"weight", weight_},
            {"bias", bias_},
            {"momentum.0", momentum_[0]},
            {"momentum.1", momentum_[1]}};
  }

  torch::Tensor weight() const { return weight_.detach(); }
  torch::Tensor mean_loss() const {
    return (torch::mm(inputs_, weight_) + bias_ - outputs_).square().mean();
  }

  struct Killed {};
  /// The pass after so many is cut off by a Killed.
  std::int64_t passes_until_killed = 1'000'000;

 private:
  std::int64_t steps_;
  torch::Tensor inputs_, outputs_, weight_, bias_;
  std::vector<torch::Tensor> momentum_;
};

}  // namespace limber
