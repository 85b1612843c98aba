#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace limber {

/// Sum of predicted probabilities over sum of labels (both weighted): 1 is calibrated, above 1 the
/// model predicts too much. NaN without a positive row. Throws as check_rows.
double calibration_ratio(std::span<const float> logits, std::span<const float> labels,
                         std::span<const float> weights = {});

enum class Binning {
  equal_count,  ///< as many rows in each bin as ties allow: equal predictions never part
  equal_width,  ///< [0, 1/bins), [1/bins, 2/bins), ...
};

/// Where to cut predicted probabilities into bins.
class ProbabilityBins {
 public:
  /// Edges for these rows. Equal-count bins may be fewer than `bins` where predictions are tied.
  /// Throws Error unless 1 <= bins <= 10000.
  ProbabilityBins(std::span<const float> logits, std::size_t bins, Binning binning);

  std::size_t size() const { return edges_.size() + 1; }
  /// The bin of a probability; one that equals an edge belongs above it.
  std::size_t bin_of(double probability) const;

 private:
  std::vector<double> edges_;  // ascending, without 0 and 1
};

/// One point of the reliability curve.
struct ReliabilityBin {
  double predicted = 0;  ///< weighted mean probability
  double observed = 0;   ///< weighted share of positives
  double weight = 0;     ///< sum of the rows' weights
  std::size_t rows = 0;
};

/// The bins that hold rows of positive weight, by ascending probability. Throws as check_rows.
std::vector<ReliabilityBin> reliability_curve(std::span<const float> logits,
                                              std::span<const float> labels,
                                              std::span<const float> weights = {},
                                              std::size_t bins = 15,
                                              Binning binning = Binning::equal_count);

/// Expected calibration error (Naeini et al. 2015): mean over bins of |predicted - observed|, each
/// bin weighted by its rows. It is biased upwards where bins hold few rows, so compare it between
/// models on the same rows, not between slices of different size. NaN without rows.
double calibration_error(std::span<const ReliabilityBin> curve);

}  // namespace limber
