#pragma once

#include <string>
#include <vector>

#include "limber/training/train/generated_logs_for_test.h"

namespace limber {

/// Small models to train on generated logs.
class TrainingCase : public GeneratedLogs {
 protected:
  TrainingCase() : GeneratedLogs(1500, 60, 60) {}

  Config config(const std::vector<std::string>& settings = {}, const std::string& logs = "logs") {
    return parse(R"(
name: clicks
data:
  interactions: )" + logs +
                     R"(/interactions.parquet
  tables: {items: {path: )" +
                     logs + R"(/items.parquet, key: item_id}}
  task: member_id
  time: timestamp
  labels: {click: clicked}
features:
  - {name: item, kind: id, column: item_id, dim: 4}
  - {name: tags, kind: ids, dim: 2}
  - {name: price, kind: number}
  - {name: past, kind: sequence, of: item, length: 3}
model:
  meta_block: {hidden: [8], dim: 4, inputs: [item, tags, price]}
  global_block: {hidden: [16]}
meta: {tasks_per_batch: 16, support: 10, query: 20}
train: {epochs: 2, batch: 128, tensorboard: false, learning_rate: 0.01, threads: 1}
)",
                 settings);
  }
};

}  // namespace limber
