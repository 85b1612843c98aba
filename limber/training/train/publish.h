#pragma once

#include <filesystem>

#include "limber/core/artifact/artifact.h"
#include "limber/core/config/options.h"
#include "limber/core/data/dataset.h"
#include "limber/training/model/ranking_model.h"

namespace limber {

/// Publishes a trained model as the next version of models/NAME: config, encoders, vocabularies,
/// dense tensors, embedding tables, metrics and the window of its training data. Returns the
/// version's folder.
std::filesystem::path publish_model(const std::filesystem::path& models_folder,
                                    const Config& config, const Dataset& dataset,
                                    const RankingModel& model, const nlohmann::json& metrics,
                                    const std::filesystem::path& training_log);

/// A model read back from its artifact, with what is needed to encode rows for it.
struct LoadedModel {
  Config config;
  std::vector<FeatureEncoder> encoders;
  RankingModel model{nullptr};
  std::string name, version;
};

/// Throws InputError for a damaged artifact, or one whose tensors do not fit its config.
LoadedModel load_model(const Artifact& artifact, torch::Device device);

/// Builds the data set that `config.data` names with the loaded model's encoders, and checks that
/// it fits the model.
Dataset build_dataset_for(const LoadedModel& loaded, const Config& config,
                          const std::filesystem::path& folder);

}  // namespace limber
