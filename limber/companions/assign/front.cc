#include "limber/companions/assign/front.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "limber/core/base/error.h"

namespace limber::assign {

bool Front::add(FrontPoint point) {
  if (covers_score(point.score)) return false;
  std::erase_if(points_, [&](const FrontPoint& other) { return covers(point.score, other.score); });
  const auto at = std::lower_bound(
      points_.begin(), points_.end(), point.score.fitness,
      [](const FrontPoint& other, double fitness) { return other.score.fitness < fitness; });
  points_.insert(at, std::move(point));
  return true;
}

bool Front::offer(const AssignmentState& state) {
  const Score score = state.score();
  return !covers_score(score) && add({score, state.assignment()});
}

bool Front::covers_score(const Score& score, double rounding) const {
  return std::any_of(points_.begin(), points_.end(), [&](const FrontPoint& point) {
    return covers({point.score.fitness + rounding, point.score.diversity + rounding}, score);
  });
}

const FrontPoint& Front::best(const Objective& objective) const {
  if (points_.empty()) throw Error("front: it is empty");
  const FrontPoint* best = &points_.front();
  for (const FrontPoint& point : points_) {
    if (objective.better(point.score, best->score)) best = &point;
  }
  return *best;
}

std::vector<double> Front::gaps(double fitness_unit, double diversity_unit) const {
  std::vector<std::pair<double, double>> by_area;
  for (std::size_t i = 0; i + 1 < points_.size(); ++i) {
    const Score &left = points_[i].score, &right = points_[i + 1].score;
    const double width = (right.fitness - left.fitness) / fitness_unit;
    const double height = (left.diversity - right.diversity) / diversity_unit;
    // Equal rewards: (1 - w) * width = w * height.
    if (width > 0 && height > 0) by_area.emplace_back(-width * height, width / (width + height));
  }
  std::sort(by_area.begin(), by_area.end());
  std::vector<double> trade_offs;
  for (const auto& [area, trade_off] : by_area) trade_offs.push_back(trade_off);
  return trade_offs;
}

double Front::hypervolume(const Score& worst, double fitness_unit, double diversity_unit) const {
  double area = 0, left = worst.fitness;
  for (const FrontPoint& point : points_) {
    const double width = point.score.fitness - left;
    const double height = point.score.diversity - worst.diversity;
    if (width <= 0 || height <= 0) continue;
    area += width / fitness_unit * height / diversity_unit;
    left = point.score.fitness;
  }
  return area;
}

}  // namespace limber::assign
