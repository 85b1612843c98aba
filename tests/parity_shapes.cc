#include "tests/parity_shapes.h"

#include <fmt/format.h>

#include <fstream>

#include "limber/core/base/random.h"

namespace limber {

namespace fs = std::filesystem;

void write_log(const fs::path& folder) {
  Random random(3);
  std::ofstream members(folder / "members.csv"), items(folder / "items.csv"),
      log(folder / "log.csv");
  members << "member,age,city\n";
  for (int m = 0; m < 14; ++m) {
    // Some members are in no table, some have no age.
    if (m % 5 == 4) continue;
    members << 'm' << m << ',' << (m % 3 == 0 ? "" : std::to_string(20 + m)) << ",c" << m % 4
            << '\n';
  }
  items << "item,price,tags\n";
  for (int i = 0; i < 20; ++i) {
    items << i << ',' << (i % 7 == 0 ? "" : std::to_string(1.5 * i)) << ',';
    for (int t = 0; t < i % 4; ++t) items << (t > 0 ? "|" : "") << "t" << (i + 3 * t) % 6;
    items << '\n';
  }
  log << "member,item,position,device,words,time,liked,bought,importance\n";
  for (int m = 0; m < 14; ++m) {
    const int rows = m < 2 ? 1 + m : 4 + static_cast<int>(random.below(20));
    for (int r = 0; r < rows; ++r) {
      // Items from 20 on are in no table.
      log << 'm' << m << ',' << random.below(23) << ','
          << (random.below(6) == 0 ? "" : std::to_string(random.below(9))) << ",d"
          << random.below(4) << ',';
      const auto words = random.below(4);
      for (std::uint64_t w = 0; w < words; ++w) log << (w > 0 ? " " : "") << "w" << random.below(9);
      log << ',' << 1000 * m + r << ',' << random.below(2) << ',' << random.below(2) << ','
          << 0.25 * static_cast<double>(random.below(9)) << '\n';
    }
  }
}

Config make_config(const fs::path& folder, const Shape& shape) {
  Config config;
  config.name = "parity";
  config.data.interactions = {(folder / "log.csv").string()};
  config.data.tables = {{"item", {(folder / "items.csv").string(), "item"}},
                        {"member", {(folder / "members.csv").string(), "member"}}};
  config.data.task = "member";
  config.data.time = "time";
  config.data.labels = {{"bought", "bought"}, {"liked", "liked"}};
  if (shape.weights) config.data.weight = "importance";
  const auto add = [&](const std::string& name, const std::string& kind, std::int64_t dim) {
    FeatureOptions feature;
    feature.name = name;
    feature.kind = kind;
    feature.dim = dim;
    config.features.push_back(feature);
    return &config.features.back();
  };
  add("item", "id", 6)->min_count = 2;
  add("price", "number", 4);
  add("tags", "ids", 3);
  add("position", "number", 5)->transform = "bucketize";
  FeatureOptions* device = add("device", "id", 2);
  device->vocabulary = "hash";
  device->hash_size = 3;
  add("words", "ids", 4)->separator = " ";
  FeatureOptions* order = add("place", "number", 1);
  order->column = "position";
  order->transform = "log1p";
  add("age", "number", 1);
  add("city", "id", 3);
  FeatureOptions* past = add("past", "sequence", 6);
  past->of = "item";
  past->length = 5;

  ModelOptions& model = config.model;
  model.meta_block.enabled = shape.meta != "off";
  model.meta_block.level = shape.meta == "off" ? "interaction" : shape.meta;
  model.meta_block.adapt = shape.adapt;
  model.meta_block.activation = shape.meta_activation;
  model.meta_block.start = shape.start;
  model.meta_block.hidden = {9, 7};
  model.meta_block.dim = 5;
  if (shape.meta == "member") model.meta_block.inputs = {"age", "city"};
  if (shape.subset && shape.meta != "member") {
    model.meta_block.inputs = {"tags", "item", "place"};
    // One linear layer.
    model.meta_block.hidden = {};
  }
  model.history.enabled = shape.history != "off";
  model.history.pooling = shape.history == "off" ? "mean" : shape.history;
  model.history.length = 6;
  model.history.signal = shape.signal;
  model.history.hidden = {6};
  model.history.dim = 4;
  if (shape.subset || shape.meta == "member") model.history.inputs = {"words", "item"};
  model.statistics.enabled = shape.statistics;
  if (shape.subset) model.global_block.inputs = {"past", "age", "item", "device"};
  if (shape.wide) model.global_block.wide = {"item", "city"};
  const bool residual = shape.cross == "residual" || shape.cross == "attention";
  model.global_block.cross.kind = residual ? "residual" : shape.cross;
  model.global_block.cross.parallel = shape.cross == "residual";
  model.global_block.cross.skip = !shape.subset;
  model.global_block.cross.tokens = 2;
  model.global_block.cross.temperature = 0.7;
  model.global_block.cross.layers = 3;
  model.global_block.cross.rank = 4;
  model.global_block.hidden = shape.mlp == "none"  ? Sizes{}
                              : shape.mlp == "one" ? Sizes{11}
                                                   : Sizes{11, 8};
  model.global_block.activation = shape.activation;
  model.global_block.gate = shape.gate;
  model.global_block.gate_rank = 3;
  model.global_block.experts.kind = shape.experts;
  model.global_block.experts.count = 2;
  model.global_block.experts.hidden = shape.subset ? Sizes{} : Sizes{7, 5};
  if (shape.weights && shape.experts != "none")
    model.global_block.experts.groups = {{"all", {"liked", "bought"}}};
  CalibrationOptions& calibration = model.global_block.calibration;
  calibration.enabled = shape.calibration != "off";
  calibration.buckets = 7;
  calibration.range = 2;
  if (shape.calibration == "shared") calibration.inputs = {"city"};
  if (shape.calibration == "by row") calibration.inputs = {"device", "age"};
  config.meta.inner_learning_rate = shape.per_tensor ? "per_tensor" : "scalar";
  config.meta.support = kSupport;
  return config;
}

void scatter(RankingModel& model) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(5);
  for (torch::Tensor& parameter : model->parameters()) {
    parameter.add_(torch::randn_like(parameter) * 0.2);
  }
  for (torch::Tensor& table : model->tables.weights()) table.normal_(0, 0.5);
  if (model->log_inner_rates.defined()) model->log_inner_rates.add_(-2);
}

std::string Shape::text() const {
  return fmt::format(
      "meta {} {} {} start {} history {} {} cross {} mlp {} {} statistics {} wide {} weights {} "
      "subset {} per_tensor {} gate {} calibration {} "
      "experts {}",
      meta, adapt, meta_activation, start, history, signal, cross, mlp, activation, statistics,
      wide, weights, subset, per_tensor, gate, calibration, experts);
}

std::vector<Shape> all_shapes() {
  std::vector<Shape> shapes;
  const Words kGates{"none", "diagonal", "low_rank", "full"};
  const Words kCalibrations{"off", "common", "shared", "by row"};
  const Words kExperts{"none", "none", "groups", "mmoe", "ple"};
  for (const std::string& meta : Words{"off", "interaction", "member"})
    for (const std::string& adapt : Words{"weights", "embedding"})
      for (const std::string& meta_activation : Words{"relu", "tanh"})
        for (const std::string& history : Words{"off", "mean", "attention", "transformer"})
          for (const std::string& start : Words{"zero", "history"})
            for (const std::string& signal : Words{"label", "residual"})
              for (const std::string& cross :
                   Words{"none", "full", "low_rank", "residual", "attention"})
                for (const std::string& mlp : Words{"none", "one", "two"})
                  for (const std::string& activation : Words{"relu", "tanh"})
                    for (const int flags : {0, 1, 2, 3, 4, 5, 6, 7}) {
                      // What a shape does not have cannot differ.
                      if (meta == "off" &&
                          (adapt != "weights" || meta_activation != "relu" || start != "zero")) {
                        continue;
                      }
                      if (history != "mean" && start != "zero") continue;
                      if (history == "off" && signal != "label") continue;
                      if (adapt == "embedding" && meta_activation == "tanh") continue;
                      if (mlp == "none" && activation == "tanh") continue;
                      const bool subset = (shapes.size() / 3) % 2 == 1;
                      shapes.push_back({meta, adapt, meta_activation, start, history, signal, cross,
                                        mlp, activation, (flags & 1) != 0, (flags & 2) != 0,
                                        (flags & 4) != 0, subset, shapes.size() % 5 != 0,
                                        kGates[shapes.size() % kGates.size()],
                                        kCalibrations[shapes.size() / 3 % kCalibrations.size()],
                                        kExperts[shapes.size() / 7 % kExperts.size()]});
                    }
  // Each gate and calibration above meets some of the others; here all that they touch.
  for (const std::string& adapt : Words{"off", "weights", "embedding"})
    for (const std::string& cross : Words{"none", "full", "low_rank", "residual", "attention"})
      for (const std::string& mlp : Words{"none", "one", "two"})
        for (const std::string& activation : Words{"relu", "tanh"})
          for (const std::string& gate : kGates)
            for (const std::string& calibration : kCalibrations)
              for (const bool wide : {false, true}) {
                const bool off = adapt == "off";
                shapes.push_back({off ? "off" : "interaction", off ? "weights" : adapt, "relu",
                                  "zero", "off", "label", cross, mlp, activation, true, wide, wide,
                                  false, true, gate, calibration, "none"});
              }
  for (const std::string& adapt : Words{"off", "weights", "embedding"})
    for (const std::string& cross : Words{"none", "low_rank"})
      for (const std::string& mlp : Words{"none", "one", "two"})
        for (const std::string& activation : Words{"relu", "tanh"})
          for (const std::string& gate : Words{"none", "low_rank"})
            for (const std::string& experts : Words{"groups", "mmoe", "ple"})
              for (const int flags : {0, 1, 2, 3}) {
                const bool off = adapt == "off";
                shapes.push_back({off ? "off" : "interaction", off ? "weights" : adapt, "relu",
                                  "zero", "off", "label", cross, mlp, activation, true,
                                  (flags & 1) != 0, (flags & 1) != 0, (flags & 2) != 0, true, gate,
                                  "shared", experts});
              }
  return shapes;
}

}  // namespace limber
