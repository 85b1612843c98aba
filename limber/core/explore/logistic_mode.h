#pragma once

#include <Eigen/Core>

#include "limber/core/explore/last_layer_rows.h"

namespace limber {

/// Where a logistic last layer's posterior is highest, and how curved the rows make it there: the
/// two numbers of its Laplace approximation.
struct LogisticMode {
  Eigen::VectorXd weights;    ///< w [dim]
  Eigen::MatrixXd curvature;  ///< sum weight p (1 - p) z z' at w [dim, dim]; lower triangle
};

/// Minimises over w, by Newton steps that are halved until the sum falls,
///
///     (w - mean)' A (w - mean) / 2 + sum weight (log(1 + exp(l)) - y l),   l = w.z + offset
///
/// `precision`: A [dim, dim], of which the lower triangle is read. The rows must have been checked.
LogisticMode find_logistic_mode(const Eigen::VectorXd& mean, const Eigen::MatrixXd& precision,
                                const LastLayerRows& rows);

}  // namespace limber
