#include "limber/training/evaluate/predictions.h"

#include "limber/core/base/error.h"

namespace limber {
namespace {

void check_length(const char* name, std::size_t length, std::size_t rows) {
  if (length != rows) throw Error("{}: {} values for {} rows", name, length, rows);
}

}  // namespace

void check_rows(std::span<const float> scores, std::span<const float> labels,
                std::span<const float> weights) {
  check_length("labels", labels.size(), scores.size());
  if (!weights.empty()) check_length("weights", weights.size(), scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!std::isfinite(scores[i])) {
      throw InputError(
          "scores: row {}: {} is not a finite number; the model has diverged, train it with a "
          "lower "
          "learning rate",
          i, scores[i]);
    }
    if (labels[i] != 0 && labels[i] != 1) {
      throw InputError("labels: row {}: {} is neither 0 nor 1", i, labels[i]);
    }
    if (!weights.empty() && !(weights[i] >= 0 && std::isfinite(weights[i]))) {
      throw InputError("weights: row {}: {} is not a finite number >= 0", i, weights[i]);
    }
  }
}

void check_predictions(const Predictions& predictions) {
  check_rows(predictions.logits, predictions.labels, predictions.weights);
  if (!predictions.groups.empty()) {
    check_length("groups", predictions.groups.size(), predictions.size());
  }
}

}  // namespace limber
