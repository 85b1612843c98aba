#pragma once

#include <string>

#include "limber/companions/crossbar/cost_model.h"
#include "limber/companions/crossbar/monte_carlo.h"

namespace limber::crossbar {

/// Two horizontal bars as SVG, before and after, divided into their parts, on one scale that begins
/// at zero; `sizes` are what stands beside them.
std::string parts_chart(const CostParts& before, const CostParts& after,
                        const std::pair<std::string, std::string>& sizes);

/// How many chips reached which quality, as SVG, with a dashed line at the exact weights' quality.
/// Needs at least one value; they need not differ.
std::string quality_histogram(const MonteCarloResult& chips, const std::string& metric_name);

}  // namespace limber::crossbar
