#pragma once

#include <span>
#include <string>
#include <vector>

#include "limber/companions/screen/class_statistics.h"
#include "limber/companions/screen/estimate.h"

namespace limber::screen {

/// How shrunken differences become class scores. With u = (x - center) / scale, Gamma the
/// within-class correlation of the features used (the identity in the independence rule),
///
///     score_k(x) = (u - offset_k)' Gamma^-1 difference_k + intercept_k.
enum class RuleKind {
  kTwoClasses,     ///< one score, the log odds of class 1; center is the midpoint of the means
  kJoint,          ///< log posterior of each class around its shrunken centroid
  kOneVersusRest,  ///< log odds of each class against all others
};

/// The rule's vectors at one feature, one entry a direction.
struct RuleTerms {
  double center = 0;
  std::vector<double> differences, offsets;
};

/// `record` is the usable feature's, `score` its score.
void rule_terms(RuleKind kind, const Record& record, const FeatureScore& score, RuleTerms& terms);

/// Class shares that the intercepts stand for.
struct Priors {
  enum class Kind { kEmpirical, kEqual, kGiven };
  Kind kind = Kind::kEmpirical;
  std::vector<std::pair<std::string, double>> given;

  /// [classes], summing to one. Throws InputError when kGiven does not name each class once with a
  /// share above 0.
  std::vector<double> shares(std::span<const std::string> classes,
                             std::span<const std::int64_t> samples) const;
};

/// "empirical", "equal", or "NAME=SHARE,NAME=SHARE". Throws InputError.
Priors parse_priors(const std::string& text);

/// [directions]
std::vector<double> intercepts(RuleKind kind, std::span<const double> shares);

/// The class that scores say, by index; `scores` has one entry a direction.
int decide(RuleKind kind, std::span<const double> scores);

/// [classes] probabilities of scores multiplied by `sharpness`, which calibration chooses.
void probabilities(RuleKind kind, std::span<const double> scores, double sharpness,
                   std::span<double> result);

}  // namespace limber::screen
