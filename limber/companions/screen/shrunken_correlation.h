#pragma once

#include <span>
#include <vector>

namespace limber::screen {

/// Scores of a linear rule whose correlation matrix is shrunken towards the identity,
///
///     Gamma = share I + (1 - share) R'R / degrees,
///
/// R [training samples, features] being the standardised within-class residuals. It never holds a
/// features x features matrix: by Woodbury's identity
///
///     Gamma^-1 d = (d - R' (share degrees / (1 - share) I + R R')^-1 R d) / share,
///
/// and everything a score needs are sums over features of products between samples. Features are
/// added one by one, so that the rules of the best 20, 50, ... features cost one pass. share = 1 is
/// the independence rule. (Ridge-shrunken linear discriminant analysis with the empirical-Bayes
/// differences plugged in: the Bayes rule of arXiv 1702.05056 with this Gamma; Limber's choice.)
class CrossProducts {
 public:
  /// `training` = 0 for independence rules alone, which ask nothing of the residuals.
  CrossProducts(std::size_t training, std::size_t others, std::size_t directions);
  std::size_t training() const { return training_; }

  /// `residuals` [training], `values` [others] (u of samples to score), `differences` and `offsets`
  /// [directions], all of one feature. A missing value (NaN) counts as the offset of each
  /// direction, so that it speaks for no class.
  void add(std::span<const double> residuals, std::span<const double> values,
           std::span<const double> differences, std::span<const double> offsets);

  /// (u_i - offset_k)' Gamma^-1 difference_k, [others, directions].
  std::vector<double> scores(double share, double degrees) const;

  /// (share degrees / (1 - share) I + R R')^-1 R d, [training, directions]: with it a feature's
  /// weight is (difference - residuals . this) / share. All zero for share = 1.
  std::vector<double> dual(double share, double degrees) const;

  /// -offset_k' Gamma^-1 difference_k, [directions]: what the offsets add to the intercepts.
  std::vector<double> offset_terms(double share, std::span<const double> dual) const;

 private:
  void add_missing(std::size_t other, std::span<const double> residuals,
                   std::span<const double> offsets);

  std::size_t training_, others_, directions_;
  std::vector<double> gram_;                ///< [training, training], lower triangle
  std::vector<double> cross_;               ///< [others, training]
  std::vector<double> missing_cross_;       ///< [others, training, directions]; empty without any
  std::vector<double> residual_sums_;       ///< R d, [training, directions]
  std::vector<double> value_sums_;          ///< U d, [others, directions]
  std::vector<double> offset_sums_;         ///< R o, [training, directions]
  std::vector<double> offset_differences_;  ///< o'd, [directions]
};

}  // namespace limber::screen
