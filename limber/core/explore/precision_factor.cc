#include "limber/core/explore/precision_factor.h"

#include <Eigen/Cholesky>

#include "limber/core/base/error.h"

namespace limber {

PrecisionFactor::PrecisionFactor(const Eigen::MatrixXd& precision) {
  const Eigen::VectorXd diagonal = precision.diagonal();
  if (!diagonal.allFinite() || !(diagonal.array() > 0).all()) {
    throw Error("last layer: the precision's diagonal is not finite and positive");
  }
  const Eigen::VectorXd scale = diagonal.cwiseSqrt();
  const Eigen::VectorXd inverse_scale = scale.cwiseInverse();
  const Eigen::MatrixXd scaled =
      inverse_scale.asDiagonal() * precision * inverse_scale.asDiagonal();

  // A pivot is the share of a feature's precision that the features before it leave unexplained.
  // Below this it consists of rounding.
  const double least_pivot = static_cast<double>(precision.rows()) * 1e-14;
  for (double lift = 0; lift < 1; lift = lift == 0 ? least_pivot : lift * 10) {
    Eigen::MatrixXd lifted = scaled;
    lifted.diagonal().setConstant(1 + lift);
    const Eigen::LLT<Eigen::MatrixXd> cholesky(lifted);
    if (cholesky.info() != Eigen::Success) continue;
    lower_ = cholesky.matrixL();
    if (!(lower_.diagonal().array().square() >= least_pivot / 2).all()) continue;
    lower_ = scale.asDiagonal() * lower_;
    lift_ = lift;
    return;
  }
  throw Error("last layer: the precision is not positive definite");
}

Eigen::VectorXd PrecisionFactor::solve(const Eigen::VectorXd& b) const {
  const auto lower = lower_.triangularView<Eigen::Lower>();
  Eigen::VectorXd x = lower.solve(b);
  lower.transpose().solveInPlace(x);
  return x;
}

double PrecisionFactor::variance(const Eigen::Ref<const Eigen::VectorXd>& z) const {
  return lower_.triangularView<Eigen::Lower>().solve(z).squaredNorm();
}

Eigen::VectorXd PrecisionFactor::spread(const Eigen::VectorXd& eps) const {
  return lower_.triangularView<Eigen::Lower>().transpose().solve(eps);
}

}  // namespace limber
