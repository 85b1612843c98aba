#include "limber/training/evaluate/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "limber/core/base/error.h"
#include "limber/training/evaluate/predictions.h"

namespace limber {

double calibration_ratio(std::span<const float> logits, std::span<const float> labels,
                         std::span<const float> weights) {
  check_rows(logits, labels, weights);
  double predicted = 0;
  double observed = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    predicted += weight_of(weights, i) * sigmoid(logits[i]);
    observed += weight_of(weights, i) * labels[i];
  }
  return observed > 0 ? predicted / observed : std::numeric_limits<double>::quiet_NaN();
}

ProbabilityBins::ProbabilityBins(std::span<const float> logits, std::size_t bins, Binning binning) {
  if (bins < 1 || bins > 10000) throw Error("calibration: {} bins, expected 1 to 10000", bins);
  if (binning == Binning::equal_width) {
    for (std::size_t i = 1; i < bins; ++i) {
      edges_.push_back(static_cast<double>(i) / static_cast<double>(bins));
    }
    return;
  }
  std::vector<float> sorted(logits.begin(), logits.end());
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 1; i < bins; ++i) {
    const std::size_t cut = i * sorted.size() / bins;
    // A cut inside the lowest tie would leave an empty bin below it.
    if (cut == 0 || sorted[cut] == sorted.front()) continue;
    const double edge = sigmoid(sorted[cut]);
    if (edges_.empty() || edge > edges_.back()) edges_.push_back(edge);
  }
}

std::size_t ProbabilityBins::bin_of(double probability) const {
  return static_cast<std::size_t>(std::upper_bound(edges_.begin(), edges_.end(), probability) -
                                  edges_.begin());
}

std::vector<ReliabilityBin> reliability_curve(std::span<const float> logits,
                                              std::span<const float> labels,
                                              std::span<const float> weights, std::size_t bins,
                                              Binning binning) {
  check_rows(logits, labels, weights);
  const ProbabilityBins edges(logits, bins, binning);
  std::vector<ReliabilityBin> curve(edges.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double weight = weight_of(weights, i);
    const double probability = sigmoid(logits[i]);
    ReliabilityBin& bin = curve[edges.bin_of(probability)];
    bin.predicted += weight * probability;
    bin.observed += weight * labels[i];
    bin.weight += weight;
    ++bin.rows;
  }
  std::erase_if(curve, [](const ReliabilityBin& bin) { return !(bin.weight > 0); });
  for (ReliabilityBin& bin : curve) {
    bin.predicted /= bin.weight;
    bin.observed /= bin.weight;
  }
  return curve;
}

double calibration_error(std::span<const ReliabilityBin> curve) {
  double sum = 0;
  double total = 0;
  for (const ReliabilityBin& bin : curve) {
    sum += bin.weight * std::abs(bin.predicted - bin.observed);
    total += bin.weight;
  }
  return total > 0 ? sum / total : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace limber
