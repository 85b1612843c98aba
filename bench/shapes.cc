#include "bench/shapes.h"

#include <cmath>

#include "limber/training/train/publish.h"

namespace limber {

Workload films(bool personalised) {
  Workload workload;
  workload.data = std::make_unique<SyntheticData>(1);
  SyntheticData& data = *workload.data;
  constexpr std::int64_t members = 2048, rows_each = 220;
  data.add_source("", members * rows_each);
  data.add_source("items", 3700);
  data.add_id("item", 3701, 16);
  data.add_ids("genres", 19, 8, 4);
  data.add_number("year");
  data.add_source("members", 6040);
  data.add_id("gender", 3, 4);
  data.add_id("age", 8, 4);
  data.add_id("occupation", 22, 4);
  workload.dataset = &data.finish(members);
  Config& config = workload.config;
  config.model.meta_block.enabled = personalised;
  config.meta.support_sizes = "log_uniform";
  config.meta.query = 100;
  config.train.tensorboard = false;
  config.train.device = "cpu";
  return workload;
}

namespace {

/// 13 numbers and 26 ids with vocabularies from 1e3 to 10^most.
Workload numbers_and_ids(double most) {
  Workload workload;
  workload.data = std::make_unique<SyntheticData>(2);
  SyntheticData& data = *workload.data;
  constexpr int numbers = 13, ids = 26;
  constexpr std::int64_t members = 64, rows_each = 4096;
  data.add_source("", members * rows_each);
  for (int i = 0; i < numbers; ++i) data.add_number("number" + std::to_string(i));
  for (int i = 0; i < ids; ++i) {
    const double vocabulary = std::pow(10.0, 3 + (most - 3) * i / (ids - 1));
    data.add_id("id" + std::to_string(i), static_cast<std::int64_t>(vocabulary), 16);
  }
  workload.dataset = &data.finish(members);
  Config& config = workload.config;
  config.model.meta_block.enabled = false;
  config.model.global_block.hidden = {400, 400, 400};
  config.train.batch = 4096;
  config.train.tensorboard = false;
  config.train.device = "cpu";
  return workload;
}

}  // namespace

Workload advertisements() {
  return numbers_and_ids(6);
}

Workload ranked_advertisements() {
  Workload workload = numbers_and_ids(5);
  workload.config.model.global_block.cross.kind = "low_rank";
  return workload;
}

Workload adapted_members() {
  Workload workload;
  workload.data = std::make_unique<SyntheticData>(4);
  SyntheticData& data = *workload.data;
  constexpr std::int64_t members = 1024, rows_each = 256;
  data.add_source("", members * rows_each);
  for (int i = 0; i < 22; ++i) data.add_number("number" + std::to_string(i));
  for (int i = 0; i < 6; ++i) data.add_id("id" + std::to_string(i), 10000, 16);
  workload.dataset = &data.finish(members);
  Config& config = workload.config;
  config.model.global_block.cross.kind = "none";
  config.model.global_block.hidden = {256, 128};
  config.train.device = "cpu";
  return workload;
}

std::filesystem::path publish_workload(const Workload& workload, RankingModel& model,
                                       const std::filesystem::path& models_folder) {
  Config config = workload.config;
  config.name = "bench";
  config.data.interactions = {"none.csv"};
  config.data.task = "member";
  config.data.labels = {{"label", "label"}};
  for (const FeatureEncoder& encoder : workload.dataset->encoders) {
    FeatureOptions feature;
    feature.name = encoder.name;
    feature.kind = encoder.kind == FeatureKind::number ? "number" : "id";
    feature.transform = "none";
    feature.vocabulary = "hash";
    feature.dim = std::max<std::int64_t>(encoder.dim, 1);
    config.features.push_back(feature);
  }
  return publish_model(models_folder, config, *workload.dataset, model, nlohmann::json::object(),
                       "");
}

}  // namespace limber
