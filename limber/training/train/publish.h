#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "limber/core/artifact/artifact.h"
#include "limber/core/config/options.h"
#include "limber/core/data/dataset.h"
#include "limber/core/explore/bayesian_last_layer.h"
#include "limber/training/model/ranking_model.h"
#include "limber/training/train/fisher.h"

namespace limber {

/// Where an artifact keeps the Fisher information, and what its tensors' names begin with.
inline constexpr const char* kFisherFile = "fisher.safetensors";
inline constexpr const char* kFisherPrefix = "fisher.";

/// What is published beside a model: what it comes from, and how sure its weights are.
struct Lineage {
  std::string from = {};                         ///< NAME/VERSION of the model it was trained from
  std::string cold = {};                         ///< and of its line's first
  std::optional<Fisher> fisher = {};             ///< for the training that goes on from it
  std::vector<LastLayerState> last_layers = {};  ///< by label, for exploring; or none
};

/// Publishes a trained model as the next version of models/NAME: config, encoders, vocabularies,
/// dense tensors, embedding tables, metrics, the window of its training data and its lineage.
/// Returns the version's folder. For the first of several processes that hold the model, while the
/// others call send_tables.
std::filesystem::path publish_model(const std::filesystem::path& models_folder,
                                    const Config& config, const Dataset& dataset,
                                    const RankingModel& model, const nlohmann::json& metrics,
                                    const std::filesystem::path& training_log,
                                    const Lineage& lineage = {});

/// The others' part in publish_model; nothing where one process is alone.
void send_tables(const RankingModel& model);

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
