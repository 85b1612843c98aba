#include "limber/companions/screen/cross_validation.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <optional>

#include "limber/companions/screen/parallel.h"
#include "limber/core/base/error.h"
#include "limber/core/base/main.h"
#include "limber/core/base/progress.h"

namespace limber::screen {
namespace {

struct Task {
  std::size_t repeat;
  int fold;
};

}  // namespace

std::vector<int> leave_one_out(std::size_t samples) {
  std::vector<int> folds(samples);
  std::iota(folds.begin(), folds.end(), 0);
  return folds;
}

std::pair<double, double> wilson_interval(double wrong, double samples) {
  constexpr double kZ = 1.959963984540054;
  const double share = wrong / samples;
  const double scale = 1 + kZ * kZ / samples;
  const double middle = (share + kZ * kZ / (2 * samples)) / scale;
  const double half =
      kZ / scale * std::sqrt(share * (1 - share) / samples + kZ * kZ / (4 * samples * samples));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

namespace {

/// Every fold must leave something to learn from; said before the first is fitted.
void check_folds(const Folds& folds, const Classes& classes, int tune_folds,
                 const std::string& origin) {
  const std::int64_t needed = tune_folds > 0 ? 2 : 1;
  for (std::size_t repeat = 0; repeat < folds.size(); ++repeat) {
    const int last = *std::max_element(folds[repeat].begin(), folds[repeat].end());
    std::vector<std::vector<std::int64_t>> held_out(
        static_cast<std::size_t>(last) + 1, std::vector<std::int64_t>(classes.names.size(), 0));
    for (std::size_t i = 0; i < folds[repeat].size(); ++i) {
      ++held_out[static_cast<std::size_t>(folds[repeat][i])]
                [static_cast<std::size_t>(classes.of_sample[i])];
    }
    for (std::size_t fold = 0; fold < held_out.size(); ++fold) {
      for (std::size_t k = 0; k < classes.names.size(); ++k) {
        const std::int64_t left = classes.samples[k] - held_out[fold][k];
        if (left >= needed) continue;
        throw InputError(
            "{}: class '{}' has {} samples, and fold {} of repeat {} leaves {} of them to learn "
            "from, fewer than {}; give it more samples, other folds{}",
            origin, classes.names[k], classes.samples[k], fold, repeat, left, needed,
            needed == 2 ? " or --tune 0" : "");
      }
    }
  }
}

}  // namespace

Validation cross_validate(FeatureSource& source, const Classes& classes, const Folds& folds,
                          const ValidationOptions& options) {
  const std::size_t n = classes.of_sample.size();
  const std::size_t k_count = classes.names.size();
  check_folds(folds, classes, options.tune_folds, source.origin());
  const SampleMatrix raw(source, {}, {});
  std::vector<Task> tasks;
  for (std::size_t repeat = 0; repeat < folds.size(); ++repeat) {
    const int last = *std::max_element(folds[repeat].begin(), folds[repeat].end());
    for (int fold = 0; fold <= last; ++fold) tasks.push_back({repeat, fold});
  }
  Validation result;
  result.predicted.assign(folds.size(), std::vector<int>(n, -1));
  result.probability.assign(folds.size(), std::vector<double>(n * k_count, 0.0));

  FitOptions fit_options = options.fit;
  fit_options.estimate.threads = 1;
  Progress progress("cross-validating", tasks.size(), "folds");
  std::mutex guard;
  const auto run = [&](const Task& task) {
    if (stop_requested()) throw Error("stopped by a signal; nothing was written");
    std::vector<int> training;
    std::vector<int> held_out;
    for (std::size_t i = 0; i < n; ++i) {
      (folds[task.repeat][i] == task.fold ? held_out : training).push_back(static_cast<int>(i));
    }
    if (held_out.empty()) return;
    const auto raw_source = raw.source();
    const Transform transform = fit_transform(*raw_source, options.transform, training);
    std::optional<SampleMatrix> transformed;
    if (transform.kind != Transform::Kind::kNone || transform.standardize_samples) {
      transformed.emplace(*raw_source, transform, sample_scales(*raw_source, transform));
    }
    const SampleMatrix& matrix = transformed ? *transformed : raw;
    const Tuning tuning = options.tune_folds > 0 ? tune(matrix, classes, training, fit_options,
                                                        options.tune_folds, options.seed)
                                                 : untuned(options.candidate);
    const FoldFit fit(matrix, classes, training, fit_options);
    const auto scores = fit.scores(tuning.candidates, held_out);
    const std::size_t directions = fit.directions();
    std::vector<double> mean(directions);
    for (std::size_t i = 0; i < held_out.size(); ++i) {
      std::fill(mean.begin(), mean.end(), 0.0);
      for (std::size_t c = 0; c < scores.size(); ++c) {
        for (std::size_t k = 0; k < directions; ++k) {
          mean[k] += scores[c][i * directions + k] / tuning.divisors[c];
        }
      }
      for (double& score : mean) score /= static_cast<double>(scores.size());
      const auto sample = static_cast<std::size_t>(held_out[i]);
      result.predicted[task.repeat][sample] = decide(fit.kind(), mean);
      probabilities(fit.kind(), mean, tuning.sharpness,
                    std::span(result.probability[task.repeat]).subspan(sample * k_count, k_count));
    }
    const std::lock_guard lock(guard);
    progress.add(1);
  };
  parallel_parts(static_cast<std::int64_t>(tasks.size()), options.threads,
                 [&](std::int64_t begin, std::int64_t end, int) {
                   for (std::int64_t i = begin; i < end; ++i) {
                     run(tasks[static_cast<std::size_t>(i)]);
                   }
                 });
  progress.finish();

  result.confusion.assign(k_count, std::vector<std::int64_t>(k_count, 0));
  std::vector<double> wrong(n, 0.0);
  const double repeats = static_cast<double>(folds.size());
  for (std::size_t repeat = 0; repeat < folds.size(); ++repeat) {
    for (std::size_t i = 0; i < n; ++i) {
      const auto truth = static_cast<std::size_t>(classes.of_sample[i]);
      const auto predicted = static_cast<std::size_t>(result.predicted[repeat][i]);
      ++result.confusion[truth][predicted];
      wrong[i] += truth != predicted ? 1 / repeats : 0;
      result.log_loss -=
          std::log(std::max(result.probability[repeat][i * k_count + truth], 1e-15)) /
          (repeats * static_cast<double>(n));
    }
  }
  result.error = std::accumulate(wrong.begin(), wrong.end(), 0.0) / static_cast<double>(n);
  // Repeats share their samples: there are no more than n independent ones.
  std::tie(result.low, result.high) =
      wilson_interval(result.error * static_cast<double>(n), static_cast<double>(n));
  return result;
}

}  // namespace limber::screen
