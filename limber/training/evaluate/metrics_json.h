#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "limber/training/evaluate/bootstrap.h"
#include "limber/training/evaluate/calibration.h"
#include "limber/training/evaluate/ranking_metrics.h"
#include "limber/training/evaluate/slices.h"

namespace limber {

/// {"auc": {"value": 0.79, "low": 0.78, "high": 0.80}, ..., "rows": n, "groups": n,
/// "skipped_groups": n, "ndcg_cutoff": k, "base_rate": x}. What is not defined is null; "low" and
/// "high" are there only when `intervals` is given.
nlohmann::json metrics_to_json(const RankingMetrics& metrics,
                               const MetricIntervals* intervals = nullptr);

/// {"auc": {"value": 0.003, "low": 0.001, "high": 0.005}, ...}
nlohmann::json difference_to_json(const MetricDifference& difference);

/// [{"label": "2–4", "from": 2, "to": 4 or null, "metrics": {...}}, ...]
nlohmann::json slices_to_json(std::span<const Slice> slices);

/// [{"predicted": 0.31, "observed": 0.30, "rows": n}, ...]
nlohmann::json reliability_to_json(std::span<const ReliabilityBin> curve);

}  // namespace limber
