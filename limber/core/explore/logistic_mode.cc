#include "limber/core/explore/logistic_mode.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "limber/core/base/error.h"
#include "limber/core/explore/precision_factor.h"

namespace limber {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

double softplus(double logit) {
  return std::max(logit, 0.0) + std::log1p(std::exp(-std::abs(logit)));
}

double sigmoid(double logit) {
  const double small = std::exp(-std::abs(logit));
  return (logit >= 0 ? 1 : small) / (1 + small);
}

/// sqrt(p (1 - p)), without forming 1 - p, whose digits are lost where p is close to 1.
double bernoulli_deviation(double logit) {
  return std::exp(-std::abs(logit) / 2) / (1 + std::exp(-std::abs(logit)));
}

/// The sum to be minimised, and its derivatives.
class Objective {
 public:
  Objective(const Eigen::VectorXd& mean, const Eigen::MatrixXd& precision,
            const LastLayerRows& rows)
      : mean_(mean),
        precision_(precision),
        inputs_(rows.inputs.data(), static_cast<Eigen::Index>(rows.count()), mean.size()),
        labels_(rows.labels.data(), inputs_.rows()),
        weights_(inputs_.rows()),
        offsets_(inputs_.rows()) {
    for (Eigen::Index row = 0; row < inputs_.rows(); ++row) {
      weights_[row] = rows.weight(static_cast<std::size_t>(row));
      offsets_[row] = rows.offset(static_cast<std::size_t>(row));
    }
  }

  double value(const Eigen::VectorXd& w) const {
    const Eigen::VectorXd moved = w - mean_;
    const Eigen::VectorXd logits = inputs_ * w + offsets_;
    const double losses = weights_.dot(logits.unaryExpr(&softplus) - labels_.cwiseProduct(logits));
    return moved.dot(prior_times(moved)) / 2 + losses;
  }

  void differentiate(const Eigen::VectorXd& w, Eigen::VectorXd& gradient,
                     Eigen::MatrixXd& curvature) const {
    const Eigen::VectorXd logits = inputs_ * w + offsets_;
    const Eigen::VectorXd p = logits.unaryExpr(&sigmoid);
    gradient = prior_times(w - mean_);
    gradient.noalias() += inputs_.transpose() * weights_.cwiseProduct(p - labels_);
    const Eigen::VectorXd roots =
        weights_.cwiseSqrt().cwiseProduct(logits.unaryExpr(&bernoulli_deviation));
    const RowMajor scaled = roots.asDiagonal() * inputs_;
    curvature.setZero(w.size(), w.size());
    curvature.selfadjointView<Eigen::Lower>().rankUpdate(scaled.transpose());
  }

 private:
  Eigen::VectorXd prior_times(const Eigen::VectorXd& moved) const {
    return precision_.selfadjointView<Eigen::Lower>() * moved;
  }

  const Eigen::VectorXd& mean_;
  const Eigen::MatrixXd& precision_;
  Eigen::Map<const RowMajor> inputs_;
  Eigen::Map<const Eigen::VectorXd> labels_;
  Eigen::VectorXd weights_, offsets_;
};

/// The longest of w - direction, w - direction / 2, ... at which the sum falls as it should.
Eigen::VectorXd take_step(const Objective& objective, const Eigen::VectorXd& w,
                          const Eigen::VectorXd& direction, double decrement) {
  const double here = objective.value(w);
  // Close to the minimum what is gained is less than what the sum is rounded by.
  const double rounding = 1e-13 * (1 + std::abs(here));
  double length = 1;
  Eigen::VectorXd there = w - direction;
  while (!(objective.value(there) <= here - 1e-4 * length * decrement + rounding)) {
    length /= 2;
    if (length < 1e-100) throw Error("last layer: no Newton step lowers the loss");
    there = w - length * direction;
  }
  return there;
}

}  // namespace

LogisticMode find_logistic_mode(const Eigen::VectorXd& mean, const Eigen::MatrixXd& precision,
                                const LastLayerRows& rows) {
  constexpr int kMostSteps = 1000;
  // Squared step lengths in posterior standard deviations: done; and done where rounding keeps them
  // from falling further.
  constexpr double kDone = 1e-24;
  constexpr double kSmall = 1e-6;
  const Objective objective(mean, precision, rows);
  LogisticMode mode{mean, {}};
  Eigen::VectorXd gradient;
  double last = std::numeric_limits<double>::infinity();
  for (int step = 0; step < kMostSteps; ++step) {
    objective.differentiate(mode.weights, gradient, mode.curvature);
    const PrecisionFactor factor(precision + mode.curvature);
    const Eigen::VectorXd direction = factor.solve(gradient);
    const double decrement = gradient.dot(direction);
    if (decrement <= kDone || (last < kSmall && decrement > last / 4)) return mode;
    last = decrement;
    mode.weights = take_step(objective, mode.weights, direction, decrement);
  }
  throw Error("last layer: no mode after {} Newton steps", kMostSteps);
}

}  // namespace limber
