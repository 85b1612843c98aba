#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "limber/training/evaluate/bootstrap.h"
#include "limber/training/evaluate/ranking_metrics.h"

namespace limber {

/// The metrics of the rows whose quantity (support size, activity) lies in [from, to].
struct Slice {
  std::string label;  ///< "0", "5–9", "100+"
  std::int64_t from = 0;
  std::int64_t to = 0;
  RankingMetrics metrics;
  MetricIntervals intervals;
};

/// By how many interactions the member's embedding was adapted on: 0, 1, 2–4, 5–9, 10–19, 20–49,
/// 50–99, 100+. `support`: one size >= 0 for each row (a member may appear with several). Buckets
/// without rows are left out. Throws InputError for a negative size, and as check_predictions.
std::vector<Slice> slice_by_support(const Predictions& predictions,
                                    std::span<const std::int64_t> support,
                                    const MetricOptions& metric_options = {},
                                    const BootstrapOptions& bootstrap = {});

/// By the member's activity, cut into `quantiles` buckets of as equal a number of members as ties
/// allow. `activity`: one value >= 0 for each row, the same for all rows of a member (for instance
/// its interactions in training); empty: the member's rows among these predictions. Throws Error
/// without groups, InputError where a member has two activities, and as check_predictions.
std::vector<Slice> slice_by_activity(const Predictions& predictions,
                                     std::span<const std::int64_t> activity = {},
                                     std::size_t quantiles = 5,
                                     const MetricOptions& metric_options = {},
                                     const BootstrapOptions& bootstrap = {});

}  // namespace limber
