#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "limber/companions/screen/screen_model.h"

namespace limber::screen {

/// One self-contained HTML page about a model, no network, no script, light and dark: the fitted
/// mixture over the histogram of z, the `top` features of those kept, how tuning went, and the
/// cross-validated error where `validation` (see check_validation) is not null.
std::string render_screen_report(const ScreenModel& model, const nlohmann::json& validation,
                                 int top);

/// The features kept, in rank order, as CSV: rank, feature, center, scale, and effect, probability,
/// z, weight (once a class for more than two).
std::string kept_features_csv(const ScreenModel& model);

}  // namespace limber::screen
