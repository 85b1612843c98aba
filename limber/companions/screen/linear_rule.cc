#include "limber/companions/screen/linear_rule.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "limber/core/base/error.h"

namespace limber::screen {

void rule_terms(RuleKind kind, const Record& record, const FeatureScore& score, RuleTerms& terms) {
  const std::size_t directions = score.directions.size();
  terms.differences.resize(directions);
  terms.offsets.assign(directions, 0.0);
  if (kind == RuleKind::kTwoClasses) {
    terms.center = (record.mean(0) + record.mean(1)) / 2;
    terms.differences[0] = score.directions[0].shrunken();
    return;
  }
  double all = 0;
  double sum = 0;
  for (int k = 0; k < record.classes(); ++k) {
    all += record.count(k);
    sum += record.count(k) * record.mean(k);
  }
  terms.center = sum / all;
  for (std::size_t k = 0; k < directions; ++k) {
    const DirectionScore& direction = score.directions[k];
    if (kind == RuleKind::kJoint) {
      // mean_k - mean = (1 - n_k / n) (mean_k - mean of the rest)
      terms.differences[k] = (1 - record.count(static_cast<int>(k)) / all) * direction.shrunken();
      terms.offsets[k] = terms.differences[k] / 2;
    } else {
      const double midpoint = (direction.difference.first + direction.difference.second) / 2;
      terms.differences[k] = direction.shrunken();
      terms.offsets[k] = (midpoint - terms.center) / score.scale;
    }
  }
}

std::vector<double> Priors::shares(std::span<const std::string> classes,
                                   std::span<const std::int64_t> samples) const {
  std::vector<double> result(classes.size(), 1.0);
  if (kind == Kind::kEmpirical) {
    std::transform(samples.begin(), samples.end(), result.begin(),
                   [](std::int64_t count) { return static_cast<double>(count); });
  } else if (kind == Kind::kGiven) {
    for (std::size_t k = 0; k < classes.size(); ++k) {
      const auto named = std::count_if(given.begin(), given.end(),
                                       [&](const auto& pair) { return pair.first == classes[k]; });
      if (named != 1) {
        throw InputError("priors: class '{}' is given {} times; give every class once", classes[k],
                         named);
      }
      result[k] = std::find_if(given.begin(), given.end(), [&](const auto& pair) {
                    return pair.first == classes[k];
                  })->second;
    }
    if (given.size() != classes.size()) {
      throw InputError("priors: {} classes are given, the data have {}", given.size(),
                       classes.size());
    }
  }
  const double sum = std::accumulate(result.begin(), result.end(), 0.0);
  for (double& share : result) share /= sum;
  return result;
}

Priors parse_priors(const std::string& text) {
  if (text == "empirical") return {};
  if (text == "equal") return {.kind = Priors::Kind::kEqual, .given = {}};
  Priors priors{.kind = Priors::Kind::kGiven, .given = {}};
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    const std::size_t equals = part.rfind('=');
    double share = 0;
    const bool has_share = equals != std::string::npos && equals > 0;
    const char* const number = part.data() + (has_share ? equals + 1 : 0);
    const auto [stop, code] = std::from_chars(number, part.data() + part.size(), share);
    if (!has_share || code != std::errc() || stop != part.data() + part.size() || !(share > 0) ||
        std::isinf(share)) {
      throw InputError(
          "priors '{}': expected empirical, equal or NAME=SHARE,NAME=SHARE with "
          "shares above 0",
          text);
    }
    priors.given.emplace_back(part.substr(0, equals), share);
    begin = end + 1;
  }
  return priors;
}

std::vector<double> intercepts(RuleKind kind, std::span<const double> shares) {
  if (kind == RuleKind::kTwoClasses) return {std::log(shares[1] / shares[0])};
  std::vector<double> result;
  for (const double share : shares) {
    result.push_back(kind == RuleKind::kJoint ? std::log(share) : std::log(share / (1 - share)));
  }
  return result;
}

int decide(RuleKind kind, std::span<const double> scores) {
  if (kind == RuleKind::kTwoClasses) return scores[0] > 0 ? 1 : 0;
  return static_cast<int>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

void probabilities(RuleKind kind, std::span<const double> scores, double sharpness,
                   std::span<double> result) {
  if (kind == RuleKind::kTwoClasses) {
    const double odds = std::exp(-std::abs(sharpness * scores[0]));
    const double larger = 1 / (1 + odds);
    result[scores[0] > 0 ? 1 : 0] = larger;
    result[scores[0] > 0 ? 0 : 1] = odds / (1 + odds);
    return;
  }
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (std::size_t k = 0; k < scores.size(); ++k) {
    // Odds of one against the rest become shares; log posteriors are known up to a constant.
    result[k] = kind == RuleKind::kJoint ? std::exp(sharpness * (scores[k] - largest))
                                         : 1 / (1 + std::exp(-sharpness * scores[k]));
    sum += result[k];
  }
  for (double& probability : result) {
    probability = sum > 0 ? probability / sum : 1 / static_cast<double>(scores.size());
  }
}

}  // namespace limber::screen
