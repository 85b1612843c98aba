#include "limber/training/compress/levels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace limber {
namespace {

using torch::Tensor;

/// Elements times codes up to which all scales are looked at.
constexpr std::int64_t kMostEvents = std::int64_t{1} << 20;
/// Elements that say which scale to begin with.
constexpr std::int64_t kSample = std::int64_t{1} << 15;
/// First scales, each so many times the one before, from the one that reaches the largest weight
/// on: few bits do better by cutting off the tail.
constexpr double kStep = 0.98;
constexpr int kSteps = 180;
/// Then scales around the best of these, as far as its neighbours: with many bits the error is a
/// narrow valley, and turns end on its slopes.
constexpr double kFineStep = 0.998;
constexpr int kFineSteps = 20;
constexpr int kMostTurns = 100;

Tensor codes_of(const Tensor& values, double scale, double highest) {
  return torch::round(values / scale).clamp_(-highest, highest);
}

/// As the scale falls from infinity, element w gets its code k at |w| / (k - 1/2).
double best_scale(const Tensor& values, std::int64_t highest) {
  struct Event {
    double scale, size;
    std::int64_t code;
  };
  std::vector<Event> events;
  const double* elements = values.const_data_ptr<double>();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    const double size = std::abs(elements[i]);
    for (std::int64_t code = 1; code <= highest; ++code) {
      events.push_back({size / (static_cast<double>(code) - 0.5), size, code});
    }
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& a, const Event& b) { return a.scale > b.scale; });
  double product = 0, squares = 0, best = 0, scale = 0;
  for (const Event& event : events) {
    product += event.size;
    squares += static_cast<double>(2 * event.code - 1);
    if (const double gain = product * product / squares; gain > best) {
      best = gain;
      scale = product / squares;
    }
  }
  return scale;
}

double error_of(const Tensor& values, double scale, double highest) {
  return (values - codes_of(values, scale, highest) * scale).square().sum().item<double>();
}

/// Elements from all over, the same ones each time.
Tensor sample_of(const Tensor& values) {
  if (values.numel() <= kSample) return values;
  // A multiplier that has no factor in common with the usual sizes.
  const Tensor places =
      (torch::arange(kSample, torch::kLong) * 2654435761).remainder(values.numel());
  return values.index_select(0, places);
}

/// The best of many first scales, then codes and scale in turn.
double good_scale(const Tensor& values, double highest) {
  const Tensor sample = sample_of(values);
  double first = values.abs().max().item<double>() / highest, best = first;
  double least = std::numeric_limits<double>::infinity();
  for (int step = 0; step < kSteps; ++step, first *= kStep) {
    const double error = error_of(sample, first, highest);
    if (error >= least) continue;
    least = error;
    best = first;
  }
  first = best / kStep;
  for (int step = 0; step < kFineSteps; ++step, first *= kFineStep) {
    const double error = error_of(sample, first, highest);
    if (error >= least) continue;
    least = error;
    best = first;
  }
  Tensor codes = codes_of(values, best, highest);
  for (int turn = 0; turn < kMostTurns; ++turn) {
    const double squares = codes.square().sum().item<double>();
    if (squares == 0) break;
    best = (values * codes).sum().item<double>() / squares;
    Tensor next = codes_of(values, best, highest);
    if (torch::equal(next, codes)) break;
    codes = std::move(next);
  }
  return best;
}

}  // namespace

std::int64_t highest_code(std::int64_t bits) {
  return (std::int64_t{1} << (bits - 1)) - 1;
}

Tensor nearest_codes(const Tensor& matrix, float scale, std::int64_t bits) {
  return codes_of(matrix.detach().to(torch::kCPU, torch::kDouble), scale,
                  static_cast<double>(highest_code(bits)))
      .to(torch::kChar);
}

Levels fit_levels(const Tensor& matrix, std::int64_t bits, const Tensor& mask) {
  Tensor all = matrix.detach().to(torch::kCPU, torch::kDouble).contiguous();
  if (mask.defined()) all = all * mask.to(torch::kCPU, torch::kDouble);
  const std::int64_t highest = highest_code(bits);
  const Tensor values = all.masked_select(all != 0);
  if (values.numel() == 0) return {torch::zeros(all.sizes(), torch::kChar), 1.0F};
  Levels levels;
  levels.scale = static_cast<float>(values.numel() * highest <= kMostEvents
                                        ? best_scale(values, highest)
                                        : good_scale(values, static_cast<double>(highest)));
  // A scale too small for a float: all weights are as good as 0.
  if (!(levels.scale > 0)) return {torch::zeros(all.sizes(), torch::kChar), 1.0F};
  levels.codes = codes_of(all, levels.scale, static_cast<double>(highest)).to(torch::kChar);
  return levels;
}

}  // namespace limber
