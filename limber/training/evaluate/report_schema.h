#pragma once

#include <nlohmann/json.hpp>

namespace limber {

/// Throws Error naming the place ("report.protocols[0].models[2].name: missing") where `report`
/// departs from the shape that report.h documents.
void check_report(const nlohmann::json& report);

}  // namespace limber
