#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "limber/core/base/random.h"
#include "limber/core/explore/last_layer_rows.h"
#include "limber/core/explore/precision_factor.h"

namespace limber {

struct LastLayerOptions {
  LastLayerLabel label = LastLayerLabel::kBinary;
  double prior_precision = 1;  ///< of each weight before any row: 1 / variance
  double noise_variance = 1;   ///< s2, of labels that are numbers; binary ones have none
};

/// All that a posterior is, as arrays that an artifact can hold. The precision is kept by its
/// factor: L L' is positive definite whatever L's elements are rounded to.
struct LastLayerState {
  std::vector<double> prior_mean;  ///< [dim]
  std::vector<double> mean;        ///< [dim]
  std::vector<double> factor;      ///< L's lower triangle row by row [dim (dim + 1) / 2]
  double prior_precision = 1;
};

/// What is known of one label's last layer: w ~ N(mu, A^-1), where z is that layer's input and the
/// label depends on w.z. This is the neural-linear model of LiRank (arXiv 2402.06859, explore and
/// exploit): the network's own last layer, updated after each training, for Thompson sampling.
///
/// With prior N(m, I / p), m the trained weights, numbers as labels give the exact posterior
///
///     A = p I + S,  S = (1/s2) sum weight z z'
///     mu = m + A^-1 b,  b = (1/s2) sum weight z (y - offset - m.z)
///
/// which is A mu = c, c <- c + (1/s2) sum z y, written as the distance from m: without a row the
/// model is as it was, bit for bit, and to forget is to make S and b smaller. Binary labels give
/// Laplace's approximation: what is known so far is the prior of a batch, mu moves to the mode, and
/// S grows by sum weight p (1 - p) z z' there.
///
/// The factor of A is made anew when it is next needed, so nothing drifts, and several updates in a
/// row cost one factorisation. Reading makes it too: an object belongs to one thread.
class BayesianLastLayer {
 public:
  /// `prior_mean`: m [dim], the trained network's weights, and its bias where z has a constant 1.
  BayesianLastLayer(std::span<const double> prior_mean, const LastLayerOptions& options);
  /// Goes on from a stored state; of the options, the prior's precision is the state's.
  BayesianLastLayer(const LastLayerState& state, const LastLayerOptions& options);

  std::size_t dim() const { return static_cast<std::size_t>(prior_mean_.size()); }
  const LastLayerOptions& options() const { return options_; }

  /// Learns from a batch. A batch that is refused (InputError) leaves the posterior as it was.
  void update(const LastLayerRows& rows);
  /// Learns from one row.
  void update(std::span<const double> z, double label, double weight = 1);
  /// Learns how well weights are known without moving them: S += `learned` [dim, dim], of which the
  /// lower triangle is read. For a network that was trained on the rows, whose weights already are
  /// where the rows want them; `learned` is the curvature of their loss there.
  void add_precision(const Eigen::MatrixXd& learned);
  /// Forgets towards the prior: A <- f A + (1 - f) p I, c <- f c + (1 - f) p m, 0 <= f <= 1. After
  /// a training has moved z, what was learned in the old z is worth less.
  void decay(double factor);

  /// mu [dim].
  const Eigen::VectorXd& mean() const;
  /// z' A^-1 z: the variance of w.z.
  double variance(std::span<const double> z) const;
  /// A [dim, dim].
  Eigen::MatrixXd precision() const;
  /// A draw from N(mu, nu^2 A^-1): mu + nu L^-T eps.
  Eigen::VectorXd sample(Random& random, double nu = 1) const;
  /// A = L L'.
  const PrecisionFactor& factor() const;

  LastLayerState state() const;

 private:
  /// The triangles above the diagonal of S and A are not used.
  Eigen::MatrixXd lower_precision() const;
  void update_numbers(const LastLayerRows& rows);
  void update_binary(const LastLayerRows& rows);
  void forget_factor();

  LastLayerOptions options_;
  Eigen::VectorXd prior_mean_;
  Eigen::MatrixXd learned_precision_;  ///< S, its lower triangle
  Eigen::VectorXd evidence_;           ///< b
  mutable std::optional<PrecisionFactor> factor_;
  mutable std::optional<Eigen::VectorXd> mean_;
};

}  // namespace limber
