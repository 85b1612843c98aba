#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "limber/companions/screen/feature_source.h"
#include "limber/companions/screen/screen_model.h"

namespace limber::screen {

struct Predictions {
  std::vector<std::string> samples;
  std::vector<std::string> labels;    ///< [samples], "" where unknown; empty where none are
  std::vector<int> predicted;         ///< [samples], class
  std::vector<double> probabilities;  ///< [samples, classes]
};

/// Reads the model's features from `source`, by name and in any order; others are passed over. A
/// missing value speaks for no class. Throws InputError for a feature of the model that is not
/// there or is there twice, and, for a model that standardises samples, for another set of features
/// than it was fitted on.
Predictions predict(FeatureSource& source, const ScreenModel& model);

/// CSV or Parquet by the name of `path`: sample, label (if any are known), predicted,
/// probability_NAME a class.
void write_predictions(const Predictions& predictions, const ScreenModel& model,
                       const std::filesystem::path& path);

}  // namespace limber::screen
