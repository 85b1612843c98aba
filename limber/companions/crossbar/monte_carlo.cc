#include "limber/companions/crossbar/monte_carlo.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "limber/core/base/error.h"

namespace limber::crossbar {
namespace {

/// A cell as read: its level, and what its conductance is multiplied by.
struct Cell {
  double level;
  double factor;
};

class CellSource {
 public:
  CellSource(const CellFaults& faults, double highest, Random& random)
      : faults_(faults),
        highest_(highest),
        sigma_(std::sqrt(std::log1p(faults.variation * faults.variation))),
        random_(random) {}

  Cell draw(std::int32_t level) {
    if (faults_.stuck_low + faults_.stuck_high > 0) {
      const double place = random_.uniform();
      if (place < faults_.stuck_low) return {0, 1};
      if (place < faults_.stuck_low + faults_.stuck_high) return {highest_, 1};
    }
    if (sigma_ == 0) return {static_cast<double>(level), 1};
    // A lognormal number of mean 1 and variance exp(sigma^2) - 1 = variation^2.
    return {static_cast<double>(level), std::exp(sigma_ * (random_.normal() - sigma_ / 2))};
  }

 private:
  const CellFaults& faults_;
  double highest_;
  double sigma_;
  Random& random_;
};

void check_faults(const CellFaults& faults) {
  if (!(faults.variation >= 0) || !(faults.stuck_low >= 0) || !(faults.stuck_high >= 0) ||
      faults.stuck_low + faults.stuck_high > 1) {
    throw InputError(
        "compress.crossbar: variation {}, stuck_low {} and stuck_high {}; none may be negative, "
        "and "
        "the shares of stuck cells may add up to at most 1",
        faults.variation, faults.stuck_low, faults.stuck_high);
  }
  if (!(faults.on_off_ratio > 1)) {
    throw Error("on/off ratio {}: the highest conductance must be above the lowest",
                faults.on_off_ratio);
  }
}

}  // namespace

double read_pair(double positive, double positive_factor, double negative, double negative_factor,
                 double highest, double on_off_ratio) {
  // G_min in steps; G = (lowest + v) factor, and what a factor of 1 leaves is v+ - v- alone.
  const double lowest = highest / (on_off_ratio - 1);
  return positive - negative + (lowest + positive) * (positive_factor - 1) -
         (lowest + negative) * (negative_factor - 1);
}

std::vector<std::vector<float>> draw_chip(const CrossbarMapping& mapping, const CellFaults& faults,
                                          Random& random) {
  check_faults(faults);
  const std::int64_t cell_bits = mapping.options.cell_bits;
  const auto highest = static_cast<double>((1 << cell_bits) - 1);
  CellSource cells(faults, highest, random);
  std::vector<std::vector<float>> weights;
  for (const LayerMapping& layer : mapping.layers) {
    const CrossbarWeight& weight = layer.weight;
    const auto outputs = static_cast<std::size_t>(weight.outputs);
    std::vector<double> codes(weight.codes.size(), 0.0);
    for (const PlacedCrossbar& crossbar : layer.crossbars) {
      for (const std::int32_t input : crossbar.inputs) {
        for (const std::int32_t pair : crossbar.pairs) {
          const std::int64_t slice = pair % layer.slices;
          const std::size_t at = static_cast<std::size_t>(input) * outputs +
                                 static_cast<std::size_t>(pair / layer.slices);
          const std::int32_t digit = digit_of(weight.codes[at], slice, cell_bits);
          const Cell positive = cells.draw(std::max(digit, 0));
          const Cell negative = cells.draw(std::max(-digit, 0));
          const double read = read_pair(positive.level, positive.factor, negative.level,
                                        negative.factor, highest, faults.on_off_ratio);
          codes[at] += std::ldexp(read, static_cast<int>(slice * cell_bits));
        }
      }
    }
    std::vector<float> values;
    values.reserve(codes.size());
    for (const double code : codes) {
      values.push_back(static_cast<float>(code * static_cast<double>(weight.scale)));
    }
    weights.push_back(std::move(values));
  }
  return weights;
}

void summarise(MonteCarloResult& result) {
  if (result.values.empty()) return;
  std::vector<double> sorted = result.values;
  std::sort(sorted.begin(), sorted.end());
  const auto count = static_cast<double>(sorted.size());
  result.minimum = sorted.front();
  result.maximum = sorted.back();
  result.mean = std::accumulate(sorted.begin(), sorted.end(), 0.0) / count;
  double squares = 0;
  for (const double value : sorted) squares += (value - result.mean) * (value - result.mean);
  result.deviation = sorted.size() > 1 ? std::sqrt(squares / (count - 1)) : 0;
  result.quantiles.clear();
  for (const double share : {0.05, 0.25, 0.5, 0.75, 0.95}) {
    const double place = share * (count - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    const double value =
        sorted[below] + (place - std::floor(place)) * (sorted[above] - sorted[below]);
    result.quantiles.push_back({share, value});
  }
}

MonteCarloResult run_monte_carlo(
    const CrossbarMapping& mapping, std::uint64_t seed,
    const std::function<double(const std::vector<std::vector<float>>& weights)>& quality) {
  MonteCarloResult result;
  if (mapping.options.samples == 0) return result;
  CellFaults faults;
  faults.variation = mapping.options.variation;
  faults.stuck_low = mapping.options.stuck_low;
  faults.stuck_high = mapping.options.stuck_high;
  check_faults(faults);
  std::vector<std::vector<float>> exact;
  for (const LayerMapping& layer : mapping.layers) exact.push_back(values_of(layer.weight));
  result.exact = quality(exact);
  for (std::int64_t sample = 0; sample < mapping.options.samples; ++sample) {
    Random random(mix64(seed ^ mix64(static_cast<std::uint64_t>(sample))));
    result.values.push_back(quality(draw_chip(mapping, faults, random)));
  }
  summarise(result);
  return result;
}

}  // namespace limber::crossbar
