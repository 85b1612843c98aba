// Training and serving compute the same: every combination of layers and feature kinds, built on
// both sides from one published artifact, and compared on the rows of one small log that holds what
// logs hold: empty lists, unknown ids, missing numbers, absent labels, members with no support and
// with all of it.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "limber/core/base/files.h"
#include "limber/core/base/random.h"
#include "limber/core/config/config.h"
#include "limber/core/data/dataset_builder.h"
#include "limber/core/data/samplers.h"
#include "limber/serving/rows/log_rows.h"
#include "limber/serving/rows/row_encoder.h"
#include "limber/serving/rows/served_model.h"
#include "limber/serving/runtime/adapter.h"
#include "limber/serving/runtime/dataset_rows.h"
#include "limber/serving/runtime/scorer.h"
#include "limber/training/meta/episode.h"
#include "limber/training/train/publish.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSupport = 12;

/// One choice of everything that shapes the model.
struct Shape {
  std::string meta, adapt, meta_activation, start, history, signal, cross, mlp, activation;
  bool statistics, wide, weights, subset, per_tensor;
  std::string gate = "none", calibration = "off", experts = "none";

  std::string text() const {
    return fmt::format(
        "meta {} {} {} start {} history {} {} cross {} mlp {} {} statistics {} wide {} weights {} "
        "subset {} per_tensor {} gate {} calibration {} "
        "experts {}",
        meta, adapt, meta_activation, start, history, signal, cross, mlp, activation, statistics,
        wide, weights, subset, per_tensor, gate, calibration, experts);
  }
};

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
          << 0.25 * static_cast<double>(1 + random.below(8)) << '\n';
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
  if (shape.weights) model.global_block.experts.groups = {{"all", {"liked", "bought"}}};
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

/// Away from zero biases and other special values, and large enough that steps matter.
void scatter(RankingModel& model) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(5);
  for (torch::Tensor& parameter : model->parameters()) {
    parameter.add_(torch::randn_like(parameter) * 0.2);
  }
  for (torch::Tensor& table : model->tables.weights()) table.normal_(0, 0.5);
  if (model->log_inner_rates.defined()) model->log_inner_rates.add_(-2);
}

class Parity {
 public:
  Parity() { write_log(folder_.path()); }

  /// Compares every member, and every later row of every member's, under one shape.
  void check(const Shape& shape) {
    SCOPED_TRACE(shape.text());
    const Config config = make_config(folder_.path(), shape);
    const Dataset& dataset = dataset_for(config, shape.weights);
    RankingModel model(dataset.layout, config.model, config.meta, std::vector<double>{0.3, 0.6}, 7,
                       torch::TensorOptions().dtype(torch::kFloat));
    model->eval();
    scatter(model);
    const fs::path published = publish_model(folder_.path() / "models", config, dataset, model,
                                             nlohmann::json::object(), "");
    std::vector<std::string> shared;
    for (const char* const name : {"age", "city"}) {
      if (!shape.subset || std::string_view(name) == "age") shared.push_back(name);
    }
    compare(model, dataset, RuntimeModel::load(Artifact::open(published), shared));
    fs::remove_all(folder_.path() / "models");
  }

  /// Bends are met by chance, about once in tens of thousands of members; and all but one logit in
  /// ten thousand are within 1e-5.
  void expect_few_exceptions() const {
    EXPECT_LE(coarse_, logits_ / 10000) << coarse_ << " of " << logits_;
    ::testing::Test::RecordProperty("logits", static_cast<int>(logits_));
    ::testing::Test::RecordProperty("coarse", static_cast<int>(coarse_));
    EXPECT_LE(bends_, 1 + members_ / 5000) << bends_ << " of " << members_;
    ::testing::Test::RecordProperty("members", static_cast<int>(members_));
    ::testing::Test::RecordProperty("bends", static_cast<int>(bends_));
  }

 private:
  const Dataset& dataset_for(const Config& config, bool weights) {
    auto& dataset = datasets_[weights ? 1 : 0];
    if (!dataset) {
      const fs::path cache = folder_.path() / (weights ? "weighted" : "plain");
      fs::create_directories(cache);
      dataset = std::make_unique<Dataset>(build_dataset(config, cache));
    }
    return *dataset;
  }

  /// Whether LibTorch's own result moves about as far as it is from ours when all weights move by a
  /// millionth: a support row stands so near to a bend of a relu or of a curve that the last bit
  /// decides to which side its gradient belongs.
  static bool stands_at_a_bend(RankingModel& model, const TaskBatch& batch,
                               const EpisodeOptions& options, std::int64_t task,
                               std::int64_t column, float apart) {
    const torch::NoGradGuard no_grad;
    std::vector<torch::Tensor> kept;
    for (const torch::Tensor& parameter : model->parameters()) kept.push_back(parameter.clone());
    const auto value = [&] {
      return run_episode(model, batch, options).members[task][column].item<float>();
    };
    const float expected = value();
    bool moves = false;
    for (int trial = 0; trial < 20 && !moves; ++trial) {
      std::size_t i = 0;
      for (torch::Tensor& parameter : model->parameters()) {
        parameter.copy_(kept[i] * (1 + 1e-6 * torch::randn_like(kept[i])));
        ++i;
      }
      moves = std::abs(value() - expected) > apart / 2;
    }
    std::size_t i = 0;
    for (torch::Tensor& parameter : model->parameters()) parameter.copy_(kept[i++]);
    return moves;
  }

  void compare(RankingModel& model, const Dataset& dataset,
               std::shared_ptr<const RuntimeModel> runtime) {
    EpisodePlan plan;
    for (std::size_t t = 0; t < dataset.tasks.size(); ++t) {
      const TaskRows& task = dataset.tasks[t];
      // From no support row to the most that is kept.
      const std::int64_t count = task.end - task.begin;
      const std::int64_t support =
          t == 3 ? 0
                 : std::min<std::int64_t>({kSupport, count - 1, 1 + static_cast<std::int64_t>(t)});
      for (std::int64_t r = 0; r < support; ++r) plan.support.push_back(task.begin + r);
      for (std::int64_t r = support; r < count; ++r) plan.query.push_back(task.begin + r);
      plan.close_task(static_cast<std::int64_t>(t));
    }
    BatchMaker maker(dataset);
    TaskBatch batch;
    gather_episode(plan, maker, batch);
    const auto absent = [](std::int64_t row) { return row % 7 == 3; };
    const std::int64_t labels = model->labels();
    for (std::size_t i = 0; i < batch.rows.dataset_rows.size(); ++i) {
      if (absent(batch.rows.dataset_rows[i])) {
        batch.rows.labels[i * static_cast<std::size_t>(labels)] = std::nanf("");
      }
    }
    EpisodeOptions options;
    options.steps = 3;
    const Episode episode = run_episode(model, batch, options);
    const torch::Tensor members = episode.members.contiguous();
    const torch::Tensor logits = episode.query_logits.contiguous();

    // A logit is a sum of terms that may be larger than itself; they round as the largest do.
    const float scale = std::max(1.0F, logits.abs().max().item<float>());

    Adapter adapter(runtime);
    Scorer scorer(runtime);
    DatasetRows support_rows(dataset), query_rows(dataset);
    double moved = 0;
    // A model without support scores all rows alike, support rows first.
    const std::int64_t before = model->uses_support() ? 0 : batch.support_rows();
    for (std::size_t t = 0; t < dataset.tasks.size(); ++t) {
      const auto slice = [&](const std::vector<std::int64_t>& rows,
                             const std::vector<std::int64_t>& offsets) {
        return std::span(rows).subspan(static_cast<std::size_t>(offsets[t]),
                                       static_cast<std::size_t>(offsets[t + 1] - offsets[t]));
      };
      const auto query = slice(plan.query, plan.query_offsets);
      SupportRows support;
      const RowSet& candidates = query_rows.gather(query);
      const auto chosen = slice(plan.support, plan.support_offsets);
      support.rows = &support_rows.gather(chosen);
      std::vector<float> known(
          support_rows.labels(),
          support_rows.labels() + static_cast<std::int64_t>(chosen.size()) * labels);
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        if (absent(chosen[i])) known[i * static_cast<std::size_t>(labels)] = std::nanf("");
      }
      support.labels = known.data();
      support.weights = support_rows.weights();
      support.member = &candidates;
      const MemberVector member = adapter.adapt(support, 3);
      ASSERT_EQ(static_cast<std::int64_t>(member.known.size()), members.size(1));
      ++members_;
      for (std::int64_t c = 0; c < members.size(1); ++c) {
        const float expected = members[static_cast<std::int64_t>(t)][c].item<float>();
        const float apart = std::abs(member.known[static_cast<std::size_t>(c)] - expected);
        if (apart > 1e-4 * std::max(1.0F, std::abs(expected)) &&
            stands_at_a_bend(model, batch, options, static_cast<std::int64_t>(t), c, apart)) {
          ++bends_;
          break;
        }
        ASSERT_NEAR(member.known[static_cast<std::size_t>(c)], expected,
                    1e-4 * std::max(1.0F, std::abs(expected)))
            << "member " << t << ", column " << c;
      }
      // The same member once more: nothing of the last one stays behind.
      const MemberVector again = adapter.adapt(support, 3);
      ASSERT_EQ(member.joined(), again.joined());

      // Logits under LibTorch's own vector, so that only the forward pass differs.
      MemberVector theirs = member;
      for (std::size_t c = 0; c < theirs.known.size(); ++c) {
        theirs.known[c] =
            members[static_cast<std::int64_t>(t)][static_cast<std::int64_t>(c)].item<float>();
      }
      std::vector<float> scores(query.size() * static_cast<std::size_t>(labels));
      scorer.score(theirs, candidates, scores);
      for (std::size_t q = 0; q < query.size(); ++q) {
        for (std::int64_t l = 0; l < labels; ++l) {
          const auto at = before + static_cast<std::int64_t>(q) + plan.query_offsets[t];
          const float expected = logits[at][l].item<float>();
          const float got =
              scores[q * static_cast<std::size_t>(labels) + static_cast<std::size_t>(l)];
          // Crosses multiply rounding errors; of a few logits in the thousands of shapes, both
          // sides keep a digit less.
          ++logits_;
          if (std::abs(got - expected) > 1e-5 * scale) ++coarse_;
          ASSERT_NEAR(got, expected, 1e-4 * scale)
              << "member " << t << ", row " << q << ", label " << l;
          moved = std::max(moved, static_cast<double>(std::abs(expected)));
        }
      }
    }
    ASSERT_GT(moved, 1e-3) << "the logits are all but zero: nothing was compared";
  }

  TemporaryFolder folder_;
  std::unique_ptr<Dataset> datasets_[2];
  std::int64_t members_ = 0, bends_ = 0, logits_ = 0, coarse_ = 0;
};

std::vector<Shape> all_shapes() {
  std::vector<Shape> shapes;
  using Words = std::vector<std::string>;
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
                      if (history == "off" && (start != "zero" || signal != "label")) continue;
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

/// Rows of a request and rows of the log become the same inputs: every kind of feature, missing
/// values, keys that no vocabulary and no table knows, a member's own past.
TEST(RequestRows, EqualTheLogs) {
  const TemporaryFolder folder;
  write_log(folder.path());
  Shape shape{};
  shape.meta = "interaction";
  shape.adapt = "weights";
  shape.meta_activation = shape.activation = "relu";
  shape.start = "zero";
  shape.history = "off";
  shape.signal = "label";
  shape.cross = "none";
  shape.mlp = "one";
  const Config config = make_config(folder.path(), shape);
  fs::create_directories(folder.path() / "cache");
  const Dataset dataset = build_dataset(config, folder.path() / "cache");
  RankingModel model(dataset.layout, config.model, config.meta, std::vector<double>{0.3, 0.6}, 7,
                     torch::TensorOptions().dtype(torch::kFloat));
  scatter(model);
  const fs::path published =
      publish_model(folder.path() / "models", config, dataset, model, nlohmann::json::object(), "");
  const auto served = ServedModel::load(published, {});
  const RuntimeModel& runtime = served->runtime();
  std::vector<std::size_t> features(runtime.layout.features.size());
  std::iota(features.begin(), features.end(), 0);
  const InputPlan all(runtime.layout, runtime.tables, features);

  // The log is in the order of members and, within them, of time, as the data set is.
  std::vector<std::int64_t> rows(static_cast<std::size_t>(dataset.rows));
  std::iota(rows.begin(), rows.end(), 0);
  DatasetRows log(dataset);
  const std::int64_t width = all.width();
  std::vector<float> expected(rows.size() * static_cast<std::size_t>(width));
  all.fill(log.gather(rows), 0, dataset.rows, expected.data(), width);

  RowEncoder encoder(runtime, served->catalogue(), served->schema());
  std::vector<float> got;
  std::string member, room;
  const auto flush = [&] {
    encoder.chain_sequences();
    const std::size_t before = got.size();
    got.resize(before + static_cast<std::size_t>(encoder.rows() * width));
    all.fill(encoder.set(), 0, encoder.rows(), got.data() + before, width);
    encoder.restart();
  };
  encoder.restart();
  const auto position = static_cast<std::size_t>(served->schema().find("position"));
  for_each_log_row({folder.path() / "log.csv"}, served->schema(), false, "reading",
                   [&](FieldRow& row, const LogPlace&) {
                     const Key key = key_of(row[served->schema().task()], room);
                     if (std::string(key.text) != member) flush();
                     member = key.text;
                     // A row that cannot be used leaves no trace.
                     FieldRow bad = row;
                     bad[position] = FieldValue::of(std::string_view("far down"));
                     ASSERT_THROW(encoder.add(bad), BadField);
                     encoder.add(row);
                   });
  flush();
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i], expected[i]) << "row " << i / static_cast<std::size_t>(width) << ", column "
                                   << i % static_cast<std::size_t>(width);
  }
}

TEST(RuntimeParity, ASampleOfAllShapes) {
  at::set_num_threads(1);
  Parity parity;
  std::vector<Shape> shapes = all_shapes();
  Random(1).shuffle(std::span(shapes));
  for (std::size_t i = 0; i < 150; ++i) {
    parity.check(shapes[i]);
    if (HasFatalFailure()) return;
  }
}

/// Every shape, in two halves that a machine with two processors runs side by side.
void check_half(std::size_t half) {
  at::set_num_threads(1);
  Parity parity;
  const std::vector<Shape> shapes = all_shapes();
  for (std::size_t i = half; i < shapes.size(); i += 2) {
    parity.check(shapes[i]);
    if (::testing::Test::HasFatalFailure()) return;
  }
  parity.expect_few_exceptions();
}

TEST(SlowRuntimeParity, EveryEvenShape) {
  check_half(0);
}

TEST(SlowRuntimeParity, EveryOddShape) {
  check_half(1);
}

}  // namespace
}  // namespace limber
