#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "limber/companions/crossbar/cost_constants.h"
#include "limber/companions/crossbar/mapping.h"
#include "limber/core/base/random.h"

namespace limber::crossbar {

/// How the cells of a chip depart from what was written.
struct CellFaults {
  /// Deviation of a cell's conductance as a share of it; lognormal with mean 1, so that no
  /// conductance is negative.
  double variation = 0;
  double stuck_low = 0;   ///< share of cells at the lowest conductance, whatever was written
  double stuck_high = 0;  ///< share of cells at the highest
  double on_off_ratio = kOnOffRatio;  ///< highest conductance over lowest, above 1
};

/// What a pair of cells is read as, in steps of conductance: (G+ - G-) / step, where a cell at
/// level v of 0 ... highest has G = factor * (G_min + v * step) and step = (G_max - G_min) /
/// highest. Made so that factors of exactly 1 give exactly positive - negative, for then G_min
/// cancels.
double read_pair(double positive, double positive_factor, double negative, double negative_factor,
                 double highest, double on_off_ratio);

/// The weights of one chip drawn at random, [inputs, outputs] for each layer. Cells stand only
/// where a word line and a bit line in use cross; a weight without cells is exactly zero, while a
/// zero that has cells is zero only as far as they match. With no faults the weights are exactly
/// values_of(weight). Throws InputError where stuck_low and stuck_high add up to more than 1, Error
/// for an on/off ratio that is not above 1.
std::vector<std::vector<float>> draw_chip(const CrossbarMapping& mapping, const CellFaults& faults,
                                          Random& random);

struct MonteCarloResult {
  /// Quality with the weights exactly as quantised.
  double exact = 0;
  /// Quality of each chip, in the order in which they were drawn.
  std::vector<double> values;
  double mean = 0;
  double deviation = 0;  ///< of a sample: divided by n - 1; 0 for a single chip
  double minimum = 0;
  double maximum = 0;
  struct Quantile {
    double share = 0;
    double value = 0;
  };
  /// 5, 25, 50, 75 and 95 in a hundred, interpolated between neighbours.
  std::vector<Quantile> quantiles;
};

/// Mean, deviation, extremes and quantiles of result.values, written beside them.
void summarise(MonteCarloResult& result);

/// Draws mapping.options.samples chips with the options' variation and stuck cells, and measures
/// each: `quality` gets the weights of every layer, [inputs, outputs], in the mapping's order, and
/// returns an accuracy or an AUC. It is called once more, first, with the exact weights. Chip k is
/// the same however many are drawn. Without samples nothing is called and the result is empty.
MonteCarloResult run_monte_carlo(
    const CrossbarMapping& mapping, std::uint64_t seed,
    const std::function<double(const std::vector<std::vector<float>>& weights)>& quality);

}  // namespace limber::crossbar
