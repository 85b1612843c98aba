#include "limber/core/config/constraint_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

namespace limber {

std::string constraint_text(const Constraint& constraint) {
  if (!constraint.choices.empty()) {
    return fmt::format("one of {}", fmt::join(constraint.choices, ", "));
  }
  const bool has_minimum = std::isfinite(constraint.minimum);
  const bool has_maximum = std::isfinite(constraint.maximum);
  if (has_minimum && has_maximum && !constraint.minimum_is_open) {
    return fmt::format("between {} and {}", constraint.minimum, constraint.maximum);
  }
  std::string text;
  if (has_minimum) {
    text = fmt::format("{} {}", constraint.minimum_is_open ? "greater than" : "at least",
                       constraint.minimum);
  }
  if (has_maximum) {
    text += fmt::format("{}at most {}", text.empty() ? "" : " and ", constraint.maximum);
  }
  return text;
}

bool in_range(const Constraint& constraint, double value) {
  const bool above =
      constraint.minimum_is_open ? value > constraint.minimum : value >= constraint.minimum;
  return above && value <= constraint.maximum;
}

}  // namespace limber
