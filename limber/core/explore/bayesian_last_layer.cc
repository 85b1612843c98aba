#include "limber/core/explore/bayesian_last_layer.h"

#include <cmath>
#include <string_view>

#include "limber/core/base/error.h"
#include "limber/core/explore/logistic_mode.h"

namespace limber {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

void check_positive(std::string_view what, double value) {
  if (!(value >= 1 / kLargestLastLayerValue && value <= kLargestLastLayerValue)) {
    throw InputError("last layer: {} is {}, which is not a positive number", what, value);
  }
}

void check_vector(std::string_view what, std::span<const double> values, std::size_t size) {
  if (values.size() != size) {
    throw InputError("last layer: {} has {} elements, not {}", what, values.size(), size);
  }
  for (std::size_t i = 0; i < size; ++i) {
    if (!(std::abs(values[i]) <= kLargestLastLayerValue)) {
      throw InputError("last layer: element {} of {} is {}", i, what, values[i]);
    }
  }
}

Eigen::Map<const Eigen::VectorXd> as_vector(std::span<const double> values) {
  return {values.data(), static_cast<Eigen::Index>(values.size())};
}

}  // namespace

BayesianLastLayer::BayesianLastLayer(std::span<const double> prior_mean,
                                     const LastLayerOptions& options)
    : options_(options) {
  if (prior_mean.empty()) throw InputError("last layer: it has no weights");
  check_vector("the prior mean", prior_mean, prior_mean.size());
  check_positive("the prior precision", options.prior_precision);
  check_positive("the noise variance", options.noise_variance);
  prior_mean_ = as_vector(prior_mean);
  learned_precision_.setZero(prior_mean_.size(), prior_mean_.size());
  evidence_.setZero(prior_mean_.size());
}

BayesianLastLayer::BayesianLastLayer(const LastLayerState& state, const LastLayerOptions& options)
    : BayesianLastLayer(state.prior_mean, [&] {
        LastLayerOptions stored = options;
        stored.prior_precision = state.prior_precision;
        return stored;
      }()) {
  check_vector("the mean", state.mean, dim());
  check_vector("the factor", state.factor, dim() * (dim() + 1) / 2);
  Eigen::MatrixXd lower = Eigen::MatrixXd::Zero(prior_mean_.size(), prior_mean_.size());
  std::size_t next = 0;
  for (Eigen::Index row = 0; row < lower.rows(); ++row) {
    for (Eigen::Index column = 0; column <= row; ++column)
      lower(row, column) = state.factor[next++];
    if (!(lower(row, row) > 0)) {
      throw InputError("last layer: element {} of the factor's diagonal is {}, not positive", row,
                       lower(row, row));
    }
  }
  learned_precision_.selfadjointView<Eigen::Lower>().rankUpdate(lower);
  evidence_ =
      learned_precision_.selfadjointView<Eigen::Lower>() * (as_vector(state.mean) - prior_mean_);
  // S may come out with tiny negative eigenvalues where the factor was rounded; A = p I + S may
  // not.
  learned_precision_.diagonal().array() -= options_.prior_precision;
}

void BayesianLastLayer::update(const LastLayerRows& rows) {
  check_last_layer_rows(rows, dim(), options_.label);
  if (rows.count() == 0) return;
  if (options_.label == LastLayerLabel::kNumber) {
    update_numbers(rows);
  } else {
    update_binary(rows);
  }
}

void BayesianLastLayer::update(std::span<const double> z, double label, double weight) {
  update({.inputs = z, .labels = {&label, 1}, .weights = {&weight, 1}, .offsets = {}});
}

void BayesianLastLayer::update_numbers(const LastLayerRows& rows) {
  const auto count = static_cast<Eigen::Index>(rows.count());
  const Eigen::Map<const RowMajor> inputs(rows.inputs.data(), count, prior_mean_.size());
  Eigen::VectorXd residuals = as_vector(rows.labels) - inputs * prior_mean_;
  Eigen::VectorXd precisions(count);
  for (Eigen::Index row = 0; row < count; ++row) {
    residuals[row] -= rows.offset(static_cast<std::size_t>(row));
    precisions[row] = rows.weight(static_cast<std::size_t>(row)) / options_.noise_variance;
  }
  const RowMajor scaled = precisions.cwiseSqrt().asDiagonal() * inputs;
  learned_precision_.selfadjointView<Eigen::Lower>().rankUpdate(scaled.transpose());
  evidence_.noalias() += inputs.transpose() * precisions.cwiseProduct(residuals);
  forget_factor();
}

void BayesianLastLayer::update_binary(const LastLayerRows& rows) {
  const LogisticMode mode = find_logistic_mode(mean(), lower_precision(), rows);
  learned_precision_ += mode.curvature;
  evidence_ = lower_precision().selfadjointView<Eigen::Lower>() * (mode.weights - prior_mean_);
  forget_factor();
}

void BayesianLastLayer::add_precision(const Eigen::MatrixXd& learned) {
  if (learned.rows() != prior_mean_.size() || learned.cols() != prior_mean_.size()) {
    throw InputError("last layer: a precision of {} x {} was added to one of {} x {}",
                     learned.rows(), learned.cols(), dim(), dim());
  }
  const Eigen::VectorXd moved = mean() - prior_mean_;
  Eigen::MatrixXd sum = learned_precision_;
  sum.triangularView<Eigen::Lower>() += learned;
  for (Eigen::Index i = 0; i < sum.rows(); ++i) {
    if (!(learned(i, i) >= 0 && learned(i, i) <= kLargestLastLayerValue)) {
      throw InputError("last layer: the precision added to weight {} is {}", i, learned(i, i));
    }
  }
  learned_precision_ = std::move(sum);
  evidence_ = lower_precision().selfadjointView<Eigen::Lower>() * moved;
  forget_factor();
}

void BayesianLastLayer::decay(double factor) {
  if (!(factor >= 0 && factor <= 1)) {
    throw InputError("last layer: the decay factor is {}; it must lie in [0, 1]", factor);
  }
  learned_precision_ *= factor;
  evidence_ *= factor;
  forget_factor();
}

void BayesianLastLayer::forget_factor() {
  factor_.reset();
  mean_.reset();
}

Eigen::MatrixXd BayesianLastLayer::lower_precision() const {
  Eigen::MatrixXd precision = learned_precision_;
  precision.diagonal().array() += options_.prior_precision;
  return precision;
}

Eigen::MatrixXd BayesianLastLayer::precision() const {
  return lower_precision().selfadjointView<Eigen::Lower>();
}

const PrecisionFactor& BayesianLastLayer::factor() const {
  if (!factor_) factor_.emplace(lower_precision());
  return *factor_;
}

const Eigen::VectorXd& BayesianLastLayer::mean() const {
  if (!mean_) mean_ = prior_mean_ + factor().solve(evidence_);
  return *mean_;
}

double BayesianLastLayer::variance(std::span<const double> z) const {
  check_vector("the input", z, dim());
  return factor().variance(as_vector(z));
}

Eigen::VectorXd BayesianLastLayer::sample(Random& random, double nu) const {
  if (!(nu >= 0 && nu <= kLargestLastLayerValue)) {
    throw InputError("last layer: nu is {}; it must be a number from 0 on", nu);
  }
  Eigen::VectorXd noise(prior_mean_.size());
  for (double& value : noise) value = random.normal();
  return mean() + nu * factor().spread(noise);
}

LastLayerState BayesianLastLayer::state() const {
  LastLayerState state{.prior_mean = {prior_mean_.begin(), prior_mean_.end()},
                       .mean = {mean().begin(), mean().end()},
                       .factor = {},
                       .prior_precision = options_.prior_precision};
  const Eigen::MatrixXd& lower = factor().lower();
  state.factor.reserve(dim() * (dim() + 1) / 2);
  for (Eigen::Index row = 0; row < lower.rows(); ++row) {
    for (Eigen::Index column = 0; column <= row; ++column) {
      state.factor.push_back(lower(row, column));
    }
  }
  return state;
}

}  // namespace limber
