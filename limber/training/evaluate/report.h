#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace limber {

/// Renders one evaluation as one self-contained HTML page: no network, light and dark, readable on
/// a phone. A section appears only where its data is present. All of `report`:
///
///     {
///       "title": "LiMAML on MovieLens-1M",          required, the only key that is
///       "lead": "One paragraph.",
///       "summary": [{"label": "Model", "value": "likes, version 7"}, ...],
///       "intervals": "95% intervals: 200 resamples of members",     said beside every table
///       "protocols": [{
///         "name": "Cold members",                    required
///         "description": "Test members unseen in training; their support is given.",
///         "models": [{                               required; rows of the comparison, in order
///           "name": "LiMAML",                        required, unique within the protocol
///           "note": "3 seeds",
///           "highlight": true,                       the model that the report is about
///           "metrics": METRICS,                      from metrics_to_json
///           "support": [SLICE, ...],                 from slices_to_json(slice_by_support(...))
///           "activity": [SLICE, ...],                from slices_to_json(slice_by_activity(...))
///           "reliability": [{"predicted": 0.3, "observed": 0.31, "rows": 100}, ...]
///         }, ...],
///         "differences": {                           paired, each model minus the baseline
///           "baseline": "No personalisation",
///           "models": [{"name": "LiMAML", "metrics": METRICS}, ...]     from difference_to_json
///         }
///       }, ...],
///       "training": [{                               one chart each
///         "title": "Training loss",                  required
///         "x_label": "step", "y_label": "log loss (nats)",
///         "series": [{"name": "seed 1", "points": [[0, 0.69], [100, 0.61], ...]}, ...]   required
///       }, ...],
///       "notes": ["Plain text.", ...]
///     }
///
/// A model keeps its colour throughout the page: it is given by its place among all names. Numbers
/// may be null: the table shows a dash, the curve a gap. Text is plain text; markup in it is shown,
/// not obeyed.
/// Throws Error naming the place where `report` departs from this, unknown keys included: a
/// misspelt section would otherwise vanish without a word.
std::string render_report(const nlohmann::json& report);

/// JSON as it may stand inside a <script> element: no "<", ">", "&", U+2028 or U+2029 in it. Text
/// that is not UTF-8 has its bad bytes replaced by U+FFFD.
std::string json_for_script(const nlohmann::json& json);

}  // namespace limber
