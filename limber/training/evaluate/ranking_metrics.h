#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>

#include "limber/training/evaluate/calibration.h"
#include "limber/training/evaluate/predictions.h"

namespace limber {

struct MetricOptions {
  std::size_t ndcg_cutoff = 10;            ///< NDCG looks at each member's best rows only
  std::size_t calibration_bins = 15;       ///< bins of calibration error and reliability curve
  Binning binning = Binning::equal_count;  ///< how they are cut
};

/// Every quality number of one set of predictions. A metric that is not defined for the rows (one
/// class only, no groups, no rows) is NaN here and null in JSON; it is never replaced by 0 or 0.5.
struct MetricValues {
  static constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
  double auc = undefined;                 ///< needs both classes
  double gauc = undefined;                ///< needs a group with both classes
  double log_loss = undefined;            ///< needs a row
  double normalized_entropy = undefined;  ///< needs both classes
  double calibration_ratio = undefined;   ///< needs a positive row
  double calibration_error = undefined;   ///< needs a row
  double ndcg = undefined;                ///< needs a group with both classes
};

/// The values with the counts that they rest on.
struct RankingMetrics : MetricValues {
  std::size_t rows = 0;
  std::size_t groups = 0;          ///< members
  std::size_t skipped_groups = 0;  ///< members with one class, left out of GAUC and NDCG
  std::size_t ndcg_cutoff = 0;
  double base_rate = undefined;  ///< weighted share of positives
};

enum class Best { highest, lowest, nearest_one };

struct MetricDescription {
  std::string_view key;    ///< in JSON
  std::string_view title;  ///< in tables
  double MetricValues::*value;
  Best best;
  std::string_view meaning;
};

/// The one list of metrics: bootstrap, JSON and report go through it.
inline constexpr std::array<MetricDescription, 7> metric_descriptions{{
    {"auc", "AUC", &MetricValues::auc, Best::highest,
     "Chance that a random positive row scores above a random negative one, over all members' rows "
     "together. 0.5 is chance."},
    {"gauc", "GAUC", &MetricValues::gauc, Best::highest,
     "AUC within each member, averaged with the member's rows as weight. Members with one class "
     "have none and are left out."},
    {"log_loss", "Log loss", &MetricValues::log_loss, Best::lowest,
     "Mean cross-entropy of the predicted probability, in nats per row."},
    {"normalized_entropy", "NE", &MetricValues::normalized_entropy, Best::lowest,
     "Normalised entropy: log loss divided by the entropy of the base rate. 1 is what always "
     "predicting the base rate scores."},
    {"calibration_ratio", "Calibration", &MetricValues::calibration_ratio, Best::nearest_one,
     "Sum of predicted probabilities over number of positives. Above 1 the model promises too "
     "much."},
    {"calibration_error", "ECE", &MetricValues::calibration_error, Best::lowest,
     "Expected calibration error: mean distance between predicted and observed rate over bins of "
     "equal predictions."},
    {"ndcg", "NDCG", &MetricValues::ndcg, Best::highest,
     "Normalised discounted cumulative gain of each member's best rows, averaged over members."},
}};

/// All metrics of one set of predictions. Without groups GAUC and NDCG are undefined. Throws as
/// check_predictions.
RankingMetrics evaluate_predictions(const Predictions& predictions,
                                    const MetricOptions& options = {});

}  // namespace limber
