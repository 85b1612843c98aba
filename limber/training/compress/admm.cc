#include "limber/training/compress/admm.h"

#include <algorithm>
#include <cmath>

#include "limber/core/base/error.h"
#include "limber/training/compress/levels.h"

namespace limber {
namespace {

using torch::Tensor;

Tensor gradient_of(Tensor& parameter) {
  if (!parameter.grad().defined()) {
    parameter.mutable_grad() = torch::zeros_like(parameter.detach());
  }
  return parameter.grad();
}

Tensor nearest_pruned(const CompressionTarget& target, const Tensor& at) {
  return at * target.groups->project(at, target.share).to(at.options());
}

Tensor nearest_rounded(const CompressionTarget& target, const Tensor& at) {
  return fit_levels(at, target.bits).values().to(at.options());
}

double squares_of(const Tensor& tensor) {
  return tensor.to(torch::kDouble).square().sum().item<double>();
}

}  // namespace

Tensor CompressionTarget::pruned() const {
  const Tensor matrix = weight.matrix.detach();
  if (!with_bias()) return matrix.clone();
  return torch::cat({matrix, weight.bias.detach().unsqueeze(0)});
}

std::vector<CompressionTarget> compression_targets(const std::vector<CompressibleWeight>& weights,
                                                   const Budget& budget,
                                                   const CompressOptions& options, double share) {
  const std::vector<double> shares = budget.shares(share);
  std::vector<CompressionTarget> targets;
  for (const std::size_t w : budget.selected()) {
    CompressionTarget& target = targets.emplace_back();
    target.weight = weights[w];
    // Only a unit takes its bias along.
    if (options.structure != "units") target.weight.bias = target.weight.bias_parameter = Tensor();
    target.bits = options.bits;
    target.share = shares[w];
    if (shares[w] < 1) target.groups = &budget.groups(w);
  }
  return targets;
}

Tensor matrix_gradient(CompressibleWeight& weight) {
  const Tensor gradient = gradient_of(weight.parameter);
  Tensor matrix = weight.as_matrix(gradient);
  if (!matrix.is_alias_of(gradient)) {
    throw Error("{}: its gradient cannot be seen as a matrix in place", weight.name);
  }
  return matrix;
}

Tensor bias_gradient(CompressibleWeight& weight) {
  return gradient_of(weight.bias_parameter);
}

Admm::Admm(std::vector<CompressionTarget>& targets, const AdmmOptions& options)
    : targets_(targets),
      rho_(options.rho),
      growth_(options.rho_growth),
      most_rho_(kMostGrowth * options.rho) {
  const torch::NoGradGuard no_grad;
  for (const CompressionTarget& target : targets_) {
    Copy& pruned = pruned_.emplace_back();
    Copy& rounded = rounded_.emplace_back();
    if (target.groups != nullptr) {
      pruned.value = nearest_pruned(target, target.pruned());
      pruned.dual = torch::zeros_like(pruned.value);
    }
    if (target.bits > 0) {
      rounded.value = nearest_rounded(target, target.weight.matrix.detach().contiguous());
      rounded.dual = torch::zeros_like(rounded.value);
    }
  }
}

void Admm::add_penalty(CompressionTarget& target, const Tensor& pull, bool with_bias, double rho) {
  matrix_gradient(target.weight).add_(pull.narrow(0, 0, target.weight.matrix.size(0)), rho);
  if (with_bias) bias_gradient(target.weight).add_(pull[pull.size(0) - 1], rho);
}

void Admm::add_gradients() {
  const torch::NoGradGuard no_grad;
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    CompressionTarget& target = targets_[t];
    if (const Copy& copy = pruned_[t]; copy.value.defined()) {
      add_penalty(target, target.pruned() - copy.value + copy.dual, target.with_bias(), rho_);
    }
    if (const Copy& copy = rounded_[t]; copy.value.defined()) {
      add_penalty(target, target.weight.matrix.detach() - copy.value + copy.dual, false, rho_);
    }
  }
}

Admm::Residuals Admm::update() {
  const torch::NoGradGuard no_grad;
  double primal = 0, dual = 0, weights = 0;
  const double growth = std::min(growth_, std::max(most_rho_ / rho_, 1.0));
  const auto update_copy = [&](Copy& copy, const Tensor& weight, const auto& nearest) {
    const Tensor before = copy.value;
    copy.value = nearest(weight + copy.dual);
    copy.dual.add_(weight - copy.value);
    primal += squares_of(weight - copy.value);
    dual += squares_of(copy.value - before);
    copy.dual.div_(growth);
  };
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    const CompressionTarget& target = targets_[t];
    const Tensor weight = target.pruned();
    weights += squares_of(weight);
    if (pruned_[t].value.defined()) {
      update_copy(pruned_[t], weight, [&](const Tensor& at) { return nearest_pruned(target, at); });
    }
    if (rounded_[t].value.defined()) {
      update_copy(rounded_[t], target.weight.matrix.detach().contiguous(),
                  [&](const Tensor& at) { return nearest_rounded(target, at); });
    }
  }
  const Residuals residuals{std::sqrt(primal), rho_ * std::sqrt(dual), std::sqrt(weights)};
  rho_ *= growth;
  return residuals;
}

std::vector<std::pair<std::string, Tensor>> Admm::state() {
  std::vector<std::pair<std::string, Tensor>> state;
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    const std::string& name = targets_[t].weight.name;
    const auto add = [&](const char* kind, const Copy& copy) {
      if (!copy.value.defined()) return;
      state.emplace_back(std::string(kind) + "." + name, copy.value);
      state.emplace_back(std::string(kind) + "_dual." + name, copy.dual);
    };
    add("pruned", pruned_[t]);
    add("rounded", rounded_[t]);
  }
  return state;
}

}  // namespace limber
