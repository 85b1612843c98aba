#include "limber/companions/assign/fitness_scale.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace limber::assign {

std::optional<Outlier> farthest_outlier(const Instance& instance) {
  constexpr double kRounding = 1e-12;
  std::vector<double> losses;
  Outlier result;
  double farthest = 0;
  for (Position p = 0; p < instance.position_count(); ++p) {
    const std::span<const Pair> row = instance.pairs_of(p);
    if (row.empty()) continue;
    const double fittest =
        std::max_element(row.begin(), row.end(), [](const Pair& a, const Pair& b) {
          return a.fitness < b.fitness;
        })->fitness;
    for (const Pair& pair : row) {
      const double loss = fittest - pair.fitness;
      if (loss <= kRounding * std::abs(fittest)) continue;
      losses.push_back(loss);
      if (loss <= farthest) continue;
      farthest = loss;
      result.pair = {p, pair.candidate, pair.fitness};
    }
  }
  if (losses.empty()) return std::nullopt;
  const auto tenth = losses.begin() + static_cast<std::ptrdiff_t>(losses.size() / 10);
  std::nth_element(losses.begin(), tenth, losses.end());
  result.ratio = farthest / *tenth;
  return result;
}

}  // namespace limber::assign
