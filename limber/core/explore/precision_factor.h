#pragma once

#include <Eigen/Core>

namespace limber {

/// The Cholesky factor of a precision matrix: A = L L', L lower triangular, and what is made of it.
///
/// Rows and columns are brought to a diagonal of ones before A is factored, so features of very
/// different sizes are no difficulty. Features that rounding can no longer tell from sums of others
/// are: there the diagonal is lifted by as little as makes A definite, to a power of ten. That is
/// to say that the prior holds such a direction, of which the data say nothing that double
/// precision could hold.
class PrecisionFactor {
 public:
  /// Reads the lower triangle of `precision` [dim, dim]. Throws Error where it is not finite or its
  /// diagonal not positive.
  explicit PrecisionFactor(const Eigen::MatrixXd& precision);

  /// L [dim, dim]; zero above the diagonal.
  const Eigen::MatrixXd& lower() const { return lower_; }
  /// What was added to the scaled diagonal; 0 unless rounding made it necessary.
  double lift() const { return lift_; }

  /// A^-1 b.
  Eigen::VectorXd solve(const Eigen::VectorXd& b) const;
  /// z' A^-1 z = |L^-1 z|^2.
  double variance(const Eigen::Ref<const Eigen::VectorXd>& z) const;
  /// L^-T eps, whose covariance is A^-1 where eps is standard normal.
  Eigen::VectorXd spread(const Eigen::VectorXd& eps) const;

 private:
  Eigen::MatrixXd lower_;
  double lift_ = 0;
};

}  // namespace limber
