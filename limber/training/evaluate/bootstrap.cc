#include "limber/training/evaluate/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "limber/core/base/error.h"
#include "limber/core/base/random.h"
#include "limber/training/evaluate/resampled_metrics.h"

namespace limber {
namespace {

double quantile(std::span<const double> sorted, double share) {
  const double position = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], position - static_cast<double>(below));
}

void check_same_rows(const Predictions& first, const Predictions& second) {
  const auto check = [](const char* name, auto a, auto b) {
    if (!std::equal(a.begin(), a.end(), b.begin(), b.end())) {
      throw Error("paired difference: the two models' {} differ; score the same rows", name);
    }
  };
  check("labels", first.labels, second.labels);
  check("weights", first.weights, second.weights);
  check("groups", first.groups, second.groups);
}

}  // namespace

std::vector<MetricValues> bootstrap_samples(const Predictions& predictions,
                                            const MetricOptions& metric_options,
                                            const BootstrapOptions& options) {
  const ResampledMetrics metrics(predictions, metric_options);
  std::vector<MetricValues> samples(options.resamples);
  Random random(options.seed);
  std::vector<float> multiplicity(metrics.groups());
  for (MetricValues& sample : samples) {
    std::fill(multiplicity.begin(), multiplicity.end(), 0.0F);
    for (std::size_t i = 0; i < metrics.groups(); ++i) {
      ++multiplicity[random.below(metrics.groups())];
    }
    sample = metrics.evaluate(multiplicity);
  }
  return samples;
}

MetricIntervals percentile_intervals(std::span<const MetricValues> samples, double confidence) {
  if (!(confidence > 0 && confidence < 1)) {
    throw Error("confidence: {} is not between 0 and 1", confidence);
  }
  MetricIntervals intervals;
  std::vector<double> defined;
  for (const MetricDescription& metric : metric_descriptions) {
    defined.clear();
    for (const MetricValues& sample : samples) {
      if (!std::isnan(sample.*metric.value)) defined.push_back(sample.*metric.value);
    }
    if (defined.empty() || 2 * defined.size() < samples.size()) continue;
    std::sort(defined.begin(), defined.end());
    intervals.low.*metric.value = quantile(defined, (1 - confidence) / 2);
    intervals.high.*metric.value = quantile(defined, (1 + confidence) / 2);
  }
  return intervals;
}

MetricIntervals bootstrap_intervals(const Predictions& predictions,
                                    const MetricOptions& metric_options,
                                    const BootstrapOptions& options) {
  MetricIntervals intervals = percentile_intervals(
      bootstrap_samples(predictions, metric_options, options), options.confidence);
  intervals.low.calibration_error = intervals.high.calibration_error =
      std::numeric_limits<double>::quiet_NaN();
  return intervals;
}

MetricDifference bootstrap_difference(const Predictions& first, const Predictions& second,
                                      const MetricOptions& metric_options,
                                      const BootstrapOptions& options) {
  check_same_rows(first, second);
  MetricDifference difference;
  difference.value = subtract(evaluate_predictions(second, metric_options),
                              evaluate_predictions(first, metric_options));
  const std::vector<MetricValues> of_first = bootstrap_samples(first, metric_options, options);
  std::vector<MetricValues> samples = bootstrap_samples(second, metric_options, options);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = subtract(samples[i], of_first[i]);
  difference.interval = percentile_intervals(samples, options.confidence);
  return difference;
}

MetricValues subtract(const MetricValues& a, const MetricValues& b) {
  MetricValues difference;
  for (const MetricDescription& metric : metric_descriptions) {
    difference.*metric.value = a.*metric.value - b.*metric.value;
  }
  return difference;
}

MetricValues mean_values(std::span<const MetricValues> values) {
  MetricValues result;
  if (values.empty()) return result;
  for (const MetricDescription& metric : metric_descriptions) {
    double sum = 0;
    for (const MetricValues& one : values) sum += one.*metric.value;
    result.*metric.value = sum / static_cast<double>(values.size());
  }
  return result;
}

}  // namespace limber
