#include "limber/training/train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace limber {

double learning_rate_factor(const std::string& schedule, double warm_up, std::int64_t step,
                            std::int64_t all_steps) {
  const double rise = warm_up * static_cast<double>(all_steps);
  const auto at = static_cast<double>(step);
  if (at + 1 < rise) return (at + 1) / rise;
  const double rest = std::max(static_cast<double>(all_steps) - rise, 1.0);
  const double done = std::clamp((at - rise) / rest, 0.0, 1.0);
  if (schedule == "linear") return 1 - done;
  if (schedule == "cosine") return 0.5 * (1 + std::cos(std::numbers::pi * done));
  return 1;
}

}  // namespace limber
