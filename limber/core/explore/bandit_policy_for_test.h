#pragma once

#include <Eigen/Core>
#include <cmath>
#include <cstddef>

#include "limber/core/base/random.h"
#include "limber/core/explore/bayesian_last_layer.h"

namespace limber {

/// How one of several candidates is chosen by the same posterior.
enum class BanditPolicyKind {
  kGreedy,         ///< the highest mean
  kEpsilonGreedy,  ///< any with probability epsilon, else the highest mean
  kLinUcb,         ///< the highest mean + alpha deviations (Li et al. 2010)
  kThompson,       ///< the highest under one draw from N(mu, nu^2 A^-1) a request
};

struct BanditPolicy {
  BanditPolicyKind kind = BanditPolicyKind::kGreedy;
  double parameter = 0;  ///< epsilon, alpha or nu

  /// The row of `candidates` [K, dim] to show.
  Eigen::Index choose(const BayesianLastLayer& posterior,
                      const Eigen::Ref<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic,
                                                           Eigen::RowMajor>>& candidates,
                      Random& random) const {
    Eigen::Index best = 0;
    if (kind == BanditPolicyKind::kEpsilonGreedy && random.uniform() < parameter) {
      return static_cast<Eigen::Index>(random.below(static_cast<std::uint64_t>(candidates.rows())));
    }
    if (kind == BanditPolicyKind::kThompson) {
      (candidates * posterior.sample(random, parameter)).maxCoeff(&best);
      return best;
    }
    Eigen::VectorXd scores = candidates * posterior.mean();
    if (kind == BanditPolicyKind::kLinUcb) {
      const Eigen::MatrixXd whitened =
          posterior.factor().lower().triangularView<Eigen::Lower>().solve(candidates.transpose());
      scores += parameter * whitened.colwise().norm().transpose();
    }
    scores.maxCoeff(&best);
    return best;
  }
};

}  // namespace limber
