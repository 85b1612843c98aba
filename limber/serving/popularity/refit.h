#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "limber/core/data/dataset.h"
#include "limber/serving/runtime/runtime_model.h"

namespace limber {

struct PopularityOptions {
  std::string by = {};         ///< id feature whose values are the items
  double prior_deviation = 0;  ///< of the effects; 0: the likeliest, for each label
  double half_life_days = 0;   ///< age at which a row counts half; 0: all count alike
  double days = 0;             ///< rows older than the latest by more are adapted to alone; 0: none
  std::size_t threads = 1;
};

/// What a fit found for one label.
struct LabelEffects {
  std::string label;
  double deviation = 0;    ///< of the prior
  std::int64_t rows = 0;   ///< that have the label
  std::int64_t items = 0;  ///< that have such rows
  double least = 0, most = 0;
  double before = 0, after = 0;  ///< mean log loss of those rows, as they weigh, in nats
};

/// Effects of all items on all labels.
struct PopularityFit {
  PopularityOptions options;
  std::vector<float> values;  ///< [rows of the feature's embedding table, labels]
  std::vector<LabelEffects> labels;
  std::int64_t rows = 0;         ///< fitted on
  std::int64_t seen_before = 0;  ///< of them in the time that the model was trained on
  std::int64_t first_time = 0, last_time = 0;  ///< of them; 0 without times
};

/// Fits the effects on a data set that was encoded for the model, beside the main model's logits
/// (row_logits). Throws InputError that names the option: no such feature, no times where days or
/// a half-life ask for them, no row to fit on.
PopularityFit fit_popularity(const std::shared_ptr<const RuntimeModel>& model,
                             const Dataset& dataset, const PopularityOptions& options);

/// The folder models/NAME that the version lies in, where its next one will stand. Throws
/// InputError where it lies elsewhere.
std::filesystem::path model_folder_of(const Artifact& artifact);

/// Publishes the model once more, as its next version, with these effects in place of those that it
/// has. Every other file is as it was. Returns the version's folder.
std::filesystem::path publish_popularity(const Artifact& artifact, const PopularityFit& fit);

}  // namespace limber
