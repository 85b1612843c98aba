#include "limber/companions/screen/tuning.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "limber/core/base/error.h"
#include "limber/core/base/main.h"
#include "limber/core/base/random.h"

namespace limber::screen {

std::vector<int> stratified_folds(std::span<const int> of_sample, int folds, std::uint64_t seed) {
  Random random(seed);
  std::vector<int> order(of_sample.size());
  std::iota(order.begin(), order.end(), 0);
  random.shuffle(std::span(order));
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return of_sample[static_cast<std::size_t>(a)] < of_sample[static_cast<std::size_t>(b)];
  });
  std::vector<int> result(of_sample.size());
  // Dealt on from class to class, so that the folds' sizes differ by one at most.
  for (std::size_t i = 0; i < order.size(); ++i) {
    result[static_cast<std::size_t>(order[i])] = static_cast<int>(i) % folds;
  }
  return result;
}

std::vector<std::size_t> chosen_candidates(std::span<const std::int64_t> wrong, bool single) {
  const auto fewest = static_cast<double>(*std::min_element(wrong.begin(), wrong.end()));
  const double most = single ? fewest : fewest + std::sqrt(fewest);
  std::vector<std::size_t> result;
  for (std::size_t c = 0; c < wrong.size(); ++c) {
    if (static_cast<double>(wrong[c]) <= most) result.push_back(c);
  }
  if (single) result = {result[(result.size() - 1) / 2]};
  return result;
}

Tuning untuned(const Candidate& candidate) {
  Tuning tuning;
  tuning.candidates = {candidate};
  tuning.divisors = {1.0};
  return tuning;
}

double fit_sharpness(RuleKind kind, std::span<const double> scores, std::span<const int> truth,
                     int classes) {
  const std::size_t directions = scores.size() / truth.size();
  const double trusted =
      (static_cast<double>(truth.size()) + 1) / (static_cast<double>(truth.size()) + classes);
  std::vector<double> probability(static_cast<std::size_t>(classes));
  const auto loss = [&](double log_sharpness) {
    double sum = 0;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      probabilities(kind, scores.subspan(i * directions, directions), std::exp(log_sharpness),
                    probability);
      for (int k = 0; k < classes; ++k) {
        const double target = k == truth[i] ? trusted : (1 - trusted) / (classes - 1);
        sum -= target * std::log(std::max(probability[static_cast<std::size_t>(k)], 1e-300));
      }
    }
    return sum;
  };
  // Golden-section search: in one variable, and sure.
  constexpr double kGolden = 0.61803398874989484820;
  double low = -14;
  double high = 8;
  double inner_low = high - kGolden * (high - low);
  double inner_high = low + kGolden * (high - low);
  double loss_low = loss(inner_low);
  double loss_high = loss(inner_high);
  while (high - low > 1e-6) {
    if (loss_low < loss_high) {
      high = inner_high;
      inner_high = inner_low;
      loss_high = loss_low;
      inner_low = high - kGolden * (high - low);
      loss_low = loss(inner_low);
    } else {
      low = inner_low;
      inner_low = inner_high;
      loss_low = loss_high;
      inner_high = low + kGolden * (high - low);
      loss_high = loss(inner_high);
    }
  }
  return std::exp((low + high) / 2);
}

Tuning tune(const SampleMatrix& matrix, const Classes& classes, std::span<const int> training,
            const FitOptions& options, int folds, std::uint64_t seed) {
  Tuning tuning;
  tuning.tried = options.candidates();
  tuning.samples = static_cast<std::int64_t>(training.size());
  std::vector<int> truth;
  std::vector<std::int64_t> counts(classes.names.size(), 0);
  for (const int i : training) {
    truth.push_back(classes.of_sample[static_cast<std::size_t>(i)]);
    ++counts[static_cast<std::size_t>(truth.back())];
  }
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] < 2) {
      throw InputError(
          "class '{}' has {} sample{} to learn from; tuning by cross-validation needs "
          "two or more (--tune 0 does without)",
          classes.names[k], counts[k], counts[k] == 1 ? "" : "s");
    }
  }
  const std::vector<int> fold_of = stratified_folds(truth, folds, seed);

  // [candidates][training, directions], all held out.
  std::vector<std::vector<double>> scores(tuning.tried.size());
  RuleKind kind = rule_kind(options, classes);
  std::size_t directions = 1;
  for (int fold = 0; fold < folds; ++fold) {
    if (stop_requested()) throw Error("stopped by a signal; nothing was written");
    std::vector<int> inside;
    std::vector<int> outside;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < training.size(); ++i) {
      if (fold_of[i] != fold) {
        inside.push_back(training[i]);
      } else {
        outside.push_back(training[i]);
        places.push_back(i);
      }
    }
    if (outside.empty()) continue;
    const FoldFit fit(matrix, classes, inside, options);
    directions = fit.directions();
    const auto held_out = fit.scores(tuning.tried, outside);
    for (std::size_t c = 0; c < scores.size(); ++c) {
      scores[c].resize(training.size() * directions);
      for (std::size_t i = 0; i < places.size(); ++i) {
        std::copy_n(held_out[c].begin() + static_cast<std::ptrdiff_t>(i * directions), directions,
                    scores[c].begin() + static_cast<std::ptrdiff_t>(places[i] * directions));
      }
    }
  }

  const auto wrong = [&](std::span<const double> all) {
    std::int64_t count = 0;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      count += decide(kind, all.subspan(i * directions, directions)) != truth[i] ? 1 : 0;
    }
    return count;
  };
  for (const auto& candidate : scores) tuning.wrong.push_back(wrong(candidate));
  std::vector<double> mean(training.size() * directions, 0.0);
  for (const std::size_t c : chosen_candidates(tuning.wrong, options.single)) {
    double squares = 0;
    for (const double score : scores[c]) squares += score * score;
    const double size = std::sqrt(squares / static_cast<double>(scores[c].size()));
    tuning.candidates.push_back(tuning.tried[c]);
    tuning.divisors.push_back(size > 0 ? size : 1);
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += scores[c][i] / tuning.divisors.back();
  }
  for (double& score : mean) score /= static_cast<double>(tuning.candidates.size());
  tuning.error = static_cast<double>(wrong(mean)) / static_cast<double>(truth.size());
  tuning.sharpness = fit_sharpness(kind, mean, truth, classes.count());
  return tuning;
}

}  // namespace limber::screen
