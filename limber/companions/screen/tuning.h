#pragma once

#include <cstdint>
#include <vector>

#include "limber/companions/screen/fold_fit.h"

namespace limber::screen {

/// What an inner cross-validation chose.
struct Tuning {
  std::vector<Candidate> candidates;  ///< the mean of these is the rule
  std::vector<double> divisors;       ///< of their scores: each one's root mean square held out
  double sharpness = 1;  ///< factor that makes held-out scores into calibrated log odds
  double error = 0;      ///< share of held-out samples that the rule chosen gets wrong; optimistic
  std::vector<Candidate> tried;
  std::vector<std::int64_t> wrong;  ///< [tried]
  std::int64_t samples = 0;         ///< held out in turn
};

/// Stratified folds: [samples] fold numbers in [0, folds), every class spread as evenly as can be,
/// in a seeded random order. `of_sample` are classes.
std::vector<int> stratified_folds(std::span<const int> of_sample, int folds, std::uint64_t seed);

/// Cross-validates all candidates of `options` within `training`. Chosen are all whose number of
/// errors is within one standard error (its square root) of the smallest: with few samples the
/// smallest is mostly luck, and the mean of equals is steadier than any of them. `options.single`
/// keeps one: the middle one, in the order tried, of those with the fewest. Throws InputError when
/// a class has fewer than two samples.
Tuning tune(const SampleMatrix& matrix, const Classes& classes, std::span<const int> training,
            const FitOptions& options, int folds, std::uint64_t seed);

/// Places, ascending, of the candidates that are kept given the errors of each; see `tune`. `wrong`
/// must not be empty.
std::vector<std::size_t> chosen_candidates(std::span<const std::int64_t> wrong, bool single);

/// The rule without tuning: one candidate, uncalibrated.
Tuning untuned(const Candidate& candidate);

/// The factor > 0 that makes softmax (or, for two classes, logistic) probabilities of `scores`
/// [samples, directions] fit `truth` best by log loss, each label trusted to (n + 1) / (n +
/// classes) (Platt's smoothing).
double fit_sharpness(RuleKind kind, std::span<const double> scores, std::span<const int> truth,
                     int classes);

}  // namespace limber::screen
