#include "bench/shapes.h"

#include <cmath>

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

Workload advertisements() {
  Workload workload;
  workload.data = std::make_unique<SyntheticData>(2);
  SyntheticData& data = *workload.data;
  constexpr int numbers = 13, ids = 26;
  constexpr std::int64_t members = 64, rows_each = 4096;
  data.add_source("", members * rows_each);
  for (int i = 0; i < numbers; ++i) data.add_number("number" + std::to_string(i));
  for (int i = 0; i < ids; ++i) {
    const double vocabulary = std::pow(10.0, 3 + 3.0 * i / (ids - 1));
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

}  // namespace limber
