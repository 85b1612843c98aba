#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "limber/serving/plan/capacity.h"

namespace limber {

/// What `limber plan` prints: what was measured, what follows, and how.
struct PlanReport {
  UnitCosts costs;
  Demand demand;
  Machine machine;
  std::string sample;  ///< in words: members, interactions, files
  double sample_members = 0;
};

std::string plan_as_text(const PlanReport& report);
nlohmann::json plan_as_json(const PlanReport& report);

}  // namespace limber
