#include "limber/companions/screen/estimate.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <cmath>

#include "limber/companions/screen/parallel.h"
#include "limber/core/base/error.h"

namespace limber::screen {
namespace {

/// Calls `work(record, thread)` for every record, `threads` parts at once.
template <class Work>
void each_record(const RecordTable& table, int threads, Work&& work) {
  for (const std::span<const double> part : table.parts) {
    const auto features = static_cast<std::int64_t>(part.size() / table.width);
    parallel_parts(features, threads, [&](std::int64_t begin, std::int64_t end, int thread) {
      for (std::int64_t j = begin; j < end; ++j) {
        work(Record{part.subspan(static_cast<std::size_t>(j) * table.width, table.width)},
             static_cast<std::size_t>(thread));
      }
    });
  }
}

/// Once a program: a cross-validation fits hundreds of mixtures.
void warn_unless_converged(const Mixture& mixture) {
  static std::atomic_flag warned;
  if (mixture.converged || warned.test_and_set()) return;
  spdlog::warn(
      "the mixture still rose at its last pass, the {}th: effects and probabilities may be off; "
      "fewer --atoms converge sooner (further such fits are not reported)",
      mixture.passes);
}

struct Counted {
  VarianceMoments moments;
  std::int64_t constant = 0, too_few = 0;
};

}  // namespace

std::int64_t RecordTable::features() const {
  std::size_t values = 0;
  for (const auto& part : parts) values += part.size();
  return static_cast<std::int64_t>(values / width);
}

double ZScorer::scale(const Record& record) const {
  return std::sqrt(prior_.moderated(record.variance(), record.degrees()));
}

double ZScorer::z(const Record& record, const Difference& difference) {
  const auto degrees = static_cast<std::size_t>(record.degrees());
  while (known_.size() <= degrees) {
    known_.emplace_back(std::max<double>(static_cast<double>(known_.size()), 1) + prior_.degrees);
  }
  return known_[degrees](difference.scale * (difference.first - difference.second) / scale(record));
}

Estimate estimate(const RecordTable& table, const EstimateOptions& options,
                  const std::string& origin) {
  const auto threads = static_cast<std::size_t>(std::max(1, options.threads));
  const int directions = table.classes() == 2 ? 1 : table.classes();
  Estimate result;
  result.features = table.features();

  std::vector<Counted> counted(threads);
  each_record(table, options.threads, [&](const Record& record, std::size_t thread) {
    Counted& here = counted[thread];
    if (record.too_few()) {
      ++here.too_few;
    } else if (record.constant()) {
      ++here.constant;
    } else {
      here.moments.add(record);
    }
  });
  for (std::size_t i = 1; i < threads; ++i) counted[0].moments.add(counted[i].moments);
  for (const Counted& part : counted) {
    result.constant += part.constant;
    result.too_few += part.too_few;
  }
  if (result.usable() == 0) {
    throw InputError("{}: no feature can be used: {} constant, {} with too few values in a class",
                     origin, result.constant, result.too_few);
  }
  result.prior = counted[0].moments.prior(origin);

  std::vector<std::int64_t> without_scale(threads, 0);
  std::vector<ZScorer> scorers(threads, ZScorer(result.prior));
  std::vector<std::vector<ZHistogram>> histograms(
      threads, std::vector<ZHistogram>(static_cast<std::size_t>(directions)));
  each_record(table, options.threads, [&](const Record& record, std::size_t thread) {
    if (!record.usable()) return;
    if (!result.prior.usable(record)) {
      ++without_scale[thread];
      return;
    }
    for (int k = 0; k < directions; ++k) {
      histograms[thread][static_cast<std::size_t>(k)].add(
          scorers[thread].z(record, difference(record, k)));
    }
  });
  for (std::size_t i = 1; i < threads; ++i) {
    for (std::size_t k = 0; k < histograms[0].size(); ++k) {
      histograms[0][k].add(histograms[i][k]);
    }
  }
  for (const std::int64_t features : without_scale) result.constant += features;
  result.histograms = std::move(histograms[0]);
  for (const ZHistogram& histogram : result.histograms) {
    MixtureOptions mixture = options.mixture;
    if (options.empirical_null) mixture.null_sd = empirical_null_sd(histogram);
    result.mixtures.push_back(fit_mixture(histogram, mixture));
    warn_unless_converged(result.mixtures.back());
  }
  return result;
}

double FeatureScore::largest_effect() const {
  double largest = 0;
  for (const auto& direction : directions) {
    largest = std::max(largest, std::abs(direction.posterior.effect));
  }
  return largest;
}

double FeatureScore::zero() const {
  double smallest = 1;
  for (const auto& direction : directions) smallest = std::min(smallest, direction.posterior.zero);
  return smallest;
}

void FeatureScorer::score(const Record& record, FeatureScore& score) {
  score.directions.resize(estimate_.mixtures.size());
  score.usable = estimate_.prior.usable(record);
  if (!score.usable) {
    std::fill(score.directions.begin(), score.directions.end(), DirectionScore{});
    return;
  }
  score.scale = z_scorer_.scale(record);
  for (std::size_t k = 0; k < score.directions.size(); ++k) {
    DirectionScore& direction = score.directions[k];
    direction.difference = difference(record, static_cast<int>(k));
    direction.z = z_scorer_.z(record, direction.difference);
    direction.posterior = estimate_.mixtures[k].posterior(direction.z);
  }
}

}  // namespace limber::screen
