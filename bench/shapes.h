#pragma once

#include <filesystem>
#include <memory>

#include "bench/synthetic_data.h"
#include "limber/core/config/options.h"
#include "limber/training/model/ranking_model.h"

namespace limber {

/// A model and data to measure it on.
struct Workload {
  Config config;
  std::unique_ptr<SyntheticData> data;
  const Dataset* dataset = nullptr;
};

/// The shapes of a film recommender: an item id, genres, a year, three small ids of the member;
/// 37 input columns. Meta block 64-64-16, two full cross layers, hidden layers 128-64.
Workload films(bool personalised);

/// The shapes of an advertising ranker: 13 numbers and 26 ids with vocabularies of 1e3 to 1e6,
/// embedded in 16; 429 input columns. Two full cross layers, hidden layers 400-400-400.
Workload advertisements();

/// The same with vocabularies of 1e3 to 1e5 and low-rank crosses: what a server scores.
Workload ranked_advertisements();

/// A member's interactions as the server adapts to them: 118 columns of six ids and 22 numbers,
/// meta block 64-64-16, no crosses, hidden layers 256-128; 134 columns reach the global block.
Workload adapted_members();

/// Publishes a model of the workload with random weights into `models_folder`.
std::filesystem::path publish_workload(const Workload& workload, RankingModel& model,
                                       const std::filesystem::path& models_folder);

}  // namespace limber
