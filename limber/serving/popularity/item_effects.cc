#include "limber/serving/popularity/item_effects.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace limber {
namespace {

double sigmoid(double logit) {
  return 1 / (1 + std::exp(-logit));
}

/// log(1 + exp(logit)), without overflow.
double softplus(double logit) {
  return std::fmax(logit, 0.0) + std::log1p(std::exp(-std::abs(logit)));
}

}  // namespace

ItemEffects::ItemEffects(std::int64_t items, const std::vector<EffectRow>& rows)
    : begin_(static_cast<std::size_t>(items) + 1, 0) {
  const auto counts = [](const EffectRow& row) { return row.weight > 0; };
  for (const EffectRow& row : rows) {
    if (counts(row)) ++begin_[static_cast<std::size_t>(row.item) + 1];
  }
  for (std::size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
  rows_.resize(begin_.back());
  std::vector<std::size_t> next = begin_;
  for (const EffectRow& row : rows) {
    if (!counts(row)) continue;
    rows_[next[static_cast<std::size_t>(row.item)]++] = {row.logit, row.label, row.weight};
  }
}

ItemEffects::Fit ItemEffects::fit_item(std::size_t item, double deviation) const {
  Fit fit;
  const std::span rows(rows_.begin() + static_cast<std::ptrdiff_t>(begin_[item]),
                       begin_[item + 1] - begin_[item]);
  if (rows.empty()) return fit;
  const double precision = 1 / (deviation * deviation);
  // Where the derivative is 0, b = variance * sum of weight (label - p), and p lies between 0 and
  // 1: so b lies between these.
  double low = 0, high = 0;
  for (const Row& row : rows) {
    high += row.weight * row.label / precision;
    low -= row.weight * (1 - row.label) / precision;
  }
  double& b = fit.effect;
  constexpr int kMostSteps = 200;
  for (int step = 0; step < kMostSteps; ++step) {
    double gradient = precision * b;
    fit.curvature = 0;
    for (const Row& row : rows) {
      const double p = sigmoid(row.logit + b);
      gradient += row.weight * (p - row.label);
      fit.curvature += row.weight * p * (1 - p);
    }
    const double newton = gradient / (fit.curvature + precision);
    if (std::abs(newton) <= 1e-12 * (1 + std::abs(b))) break;
    (gradient > 0 ? high : low) = b;
    // Newton's step, or the middle of what is left where it leads out of it.
    const bool inside = b - newton > low && b - newton < high;
    b = inside ? b - newton : 0.5 * (low + high);
  }
  fit.gain = -0.5 * precision * b * b;
  for (const Row& row : rows) {
    fit.gain += row.weight * (row.label * b - softplus(row.logit + b) + softplus(row.logit));
  }
  return fit;
}

std::vector<double> ItemEffects::fit(double deviation) const {
  std::vector<double> effects(begin_.size() - 1);
  for (std::size_t i = 0; i < effects.size(); ++i) effects[i] = fit_item(i, deviation).effect;
  return effects;
}

double ItemEffects::log_evidence(double deviation) const {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < begin_.size(); ++i) {
    const Fit fit = fit_item(i, deviation);
    sum += fit.gain - 0.5 * std::log1p(deviation * deviation * fit.curvature);
  }
  return sum;
}

double ItemEffects::likeliest_deviation() const {
  // A coarse look over all orders of magnitude, then golden sections around the best of them.
  constexpr int kCoarse = 16;
  const double first = std::log(kLeast), step = (std::log(kMost) - first) / kCoarse;
  const auto evidence = [&](double logarithm) { return log_evidence(std::exp(logarithm)); };
  int best = 0;
  double most = evidence(first);
  for (int k = 1; k <= kCoarse; ++k) {
    const double here = evidence(first + k * step);
    if (here > most) {
      most = here;
      best = k;
    }
  }
  double low = first + std::max(best - 1, 0) * step;
  double high = first + std::min(best + 1, kCoarse) * step;
  const double golden = 0.5 * (std::sqrt(5.0) - 1);
  double left = high - golden * (high - low), right = low + golden * (high - low);
  double at_left = evidence(left), at_right = evidence(right);
  while (high - low > 1e-3) {
    if (at_left > at_right) {
      high = right;
      right = left;
      at_right = at_left;
      left = high - golden * (high - low);
      at_left = evidence(left);
    } else {
      low = left;
      left = right;
      at_left = at_right;
      right = low + golden * (high - low);
      at_right = evidence(right);
    }
  }
  return std::exp(0.5 * (low + high));
}

}  // namespace limber
