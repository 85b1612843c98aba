#include "limber/training/train/incremental.h"

#include <algorithm>
#include <fstream>

#include "limber/core/artifact/artifact.h"
#include "limber/core/base/error.h"
#include "limber/core/data/fit_vocabulary.h"
#include "limber/training/train/training_case_for_test.h"

namespace limber {
namespace {

namespace fs = std::filesystem;
using torch::Tensor;

class IncrementalTest : public TrainingCase {
 protected:
  IncrementalTest() { generate("later", 900, 100); }

  static std::vector<std::string> with_fisher(std::vector<std::string> settings = {}) {
    settings.insert(settings.begin(), "train.incremental.fisher_rows=300");
    return settings;
  }

  /// Trains as `limber train` does and publishes.
  fs::path train_cold(const Config& config) {
    const Dataset dataset = build(config);
    RankingModel model = make_model(config, dataset, torch::kCPU);
    Trainer(config, dataset, model, run(), true).run();
    Lineage lineage;
    const std::int64_t rows = config.train.incremental.fisher_rows;
    if (rows > 0) lineage.fisher = empirical_fisher(model, dataset, config, rows);
    return publish_model(models(), config, dataset, model, {}, "no log", lineage);
  }

  fs::path train_from(const fs::path& from, const Config& config) {
    const Line line = open_line(from, models(), config);
    const Dataset dataset = build(config, &line.latest.loaded.encoders, Fit::grown);
    RankingModel model = grow_model(line, config, dataset, torch::kCPU);
    const Hold hold = make_hold(line, config, dataset, model);
    Trainer(config, dataset, model, run(), true, {line.latest.id, hold}).run();
    Lineage lineage{line.latest.label, line.cold_label, std::nullopt};
    const std::int64_t rows = config.train.incremental.fisher_rows;
    if (rows > 0) {
      lineage.fisher = empirical_fisher(model, dataset, config, rows);
      add_earlier(*lineage.fisher, hold, config, model);
    }
    return publish_model(models(), config, dataset, model, {}, "no log", lineage);
  }

  std::string message(const fs::path& from, const Config& config) {
    try {
      open_line(from, models(), config);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  fs::path models() const { return folder_.path() / "models"; }
  fs::path run() const { return folder_.path() / "run"; }
};

TEST_F(IncrementalTest, OldIdsKeepTheirRowsAndNewOnesGetFreshOnes) {
  const fs::path cold = train_cold(config(with_fisher()));
  const Config later = config(with_fisher(), "later");
  const Line line = open_line(cold, models(), later);
  EXPECT_FALSE(line.cold) << "a line of one model has no other first one";
  const Dataset dataset = build(later, &line.latest.loaded.encoders, Fit::grown);
  const RankingModel grown = grow_model(line, later, dataset, torch::kCPU);
  const auto gained = new_ids(line, dataset);
  ASSERT_FALSE(gained.empty());
  EXPECT_EQ(gained[0].first, "item");
  const Tensor& before = line.latest.loaded.model->tables.weights()[0];
  const Tensor& after = grown->tables.weights()[0];
  EXPECT_EQ(after.size(0), before.size(0) + gained[0].second);
  EXPECT_TRUE(torch::equal(after.narrow(0, 0, before.size(0)), before));
  const Tensor fresh = after.narrow(0, before.size(0), gained[0].second);
  EXPECT_NEAR(fresh.std().item<double>(), 0.05, 0.02);
  const auto old_dense = line.latest.loaded.model->dense_tensors();
  for (std::size_t i = 0; i < old_dense.size(); ++i) {
    EXPECT_TRUE(torch::equal(grown->dense_tensors()[i].second, old_dense[i].second));
  }
}

TEST_F(IncrementalTest, StartsBetweenTheFirstAndTheLatestModel) {
  const fs::path cold = train_cold(config(with_fisher()));
  const Config later = config(with_fisher({"train.incremental.cold_weight=0.25"}), "later");
  const fs::path second = train_from(cold, later);
  const Line line = open_line(second, models(), later);
  ASSERT_TRUE(line.cold);
  EXPECT_EQ(line.cold->label, "clicks/000001");
  EXPECT_EQ(line.latest.label, "clicks/000002");
  const Dataset dataset = build(later, &line.latest.loaded.encoders, Fit::grown);
  const RankingModel model = grow_model(line, later, dataset, torch::kCPU);
  const NamedTensors first = line.cold->weights(), latest = line.latest.weights();
  for (const auto& item : model->named_parameters()) {
    const Tensor expected = 0.25 * first.at(item.key()) + 0.75 * latest.at(item.key());
    EXPECT_TRUE(torch::allclose(item.value().detach(), expected, 1e-5, 1e-6)) << item.key();
  }
  // Items that the first model did not know are as in the latest.
  const std::int64_t known = first.at("tables.item").size(0);
  const Tensor& table = model->tables.weights()[0];
  EXPECT_GT(table.size(0), known);
  EXPECT_TRUE(torch::equal(table.narrow(0, known, table.size(0) - known),
                           latest.at("tables.item").narrow(0, known, table.size(0) - known)));
  // The hold is stiff by both, each as many times as its rows outnumber the new ones.
  const Hold hold = make_hold(line, later, dataset, model);
  const double now = training_examples(dataset, {});
  const std::string bias = "global_block.head.bias";
  const Tensor expected = 0.25 * line.cold->examples / now * line.cold->fisher.at(bias) +
                          0.75 * line.latest.examples / now * line.latest.fisher.at(bias);
  EXPECT_TRUE(torch::allclose(hold.stiffness(model).at(bias), expected, 1e-5, 1e-9));
  EXPECT_GT(expected.item<double>(), 0);
  // Without strength neither the first model nor any hold has a say.
  const Config warm = config({"train.incremental.strength=0"}, "later");
  const Line plain = open_line(second, models(), warm);
  EXPECT_FALSE(plain.cold);
  EXPECT_TRUE(make_hold(plain, warm, dataset, model).empty());
}

/// By how much the earlier rows would mind: the distance that their Fisher information measures.
TEST_F(IncrementalTest, TheHoldKeepsWhatTheEarlierRowsAreSureOf) {
  const fs::path cold = train_cold(config(with_fisher()));
  const auto moved = [&](const char* strength) {
    const Config later =
        config(with_fisher({std::string("train.incremental.strength=") + strength, "train.epochs=6",
                            "train.early_stop=none", "train.optimizer=sgd"}),
               "later");
    const Line before = open_line(cold, models(), later);
    const NamedTensors old = before.latest.weights();
    const Line after = open_line(train_from(cold, later), models(), later);
    double distance = 0;
    for (const auto& [name, now] : after.latest.weights()) {
      const auto fisher = before.latest.fisher.find(name);
      if (fisher == before.latest.fisher.end()) continue;
      const Tensor change = now.narrow(0, 0, old.at(name).size(0)) - old.at(name);
      distance += (fisher->second * change.square()).sum().item<double>();
    }
    return distance;
  };
  const double free = moved("0"), held = moved("10"), tight = moved("100");
  EXPECT_LT(held, 0.8 * free);
  EXPECT_LT(tight, 0.8 * held);
}

TEST_F(IncrementalTest, TheLineIsRememberedAndItsInformationAddsUp) {
  const fs::path cold = train_cold(config(with_fisher()));
  const Config later = config(with_fisher(), "later");
  const fs::path second = train_from(cold, later);
  const fs::path third = train_from(second, later);
  const Artifact artifact = Artifact::open(third);
  const auto& window = artifact.contents().fields.data_window;
  EXPECT_EQ(window["incremental"]["from"], "clicks/000002");
  EXPECT_EQ(window["incremental"]["cold"], "clicks/000001");
  EXPECT_EQ(window["fisher"]["rows"], 300);
  EXPECT_TRUE(artifact.has_tensor("fisher.tables.item"));
  // What the first rows said of the first items is still there, though new rows say more of others.
  const auto sum = [](const fs::path& version) {
    const Artifact opened = Artifact::open(version);
    const double examples = opened.contents().fields.data_window["fisher"]["examples"];
    double all = 0;
    for (const float value : opened.tensor("fisher.tables.item").values<float>()) all += value;
    return all * examples;
  };
  EXPECT_GT(sum(second), sum(cold));
  EXPECT_GT(sum(third), 0.9 * sum(second));
}

/// A full dictionary gives new ids the rows of ids that the new rows lack; nothing that was learned
/// of an id that is gone is left in its row.
TEST_F(IncrementalTest, RowsOfIdsThatAreGoneStartAnew) {
  // So many items and so few rows that most of the first log's items are gone.
  generate("sparse", 400, 600);
  const std::string cap = "features.item.max_values=25";
  const fs::path cold = train_cold(config(with_fisher({cap})));
  const Config later = config(with_fisher({cap, "train.incremental.cold_weight=0.25"}), "sparse");
  const Line line = open_line(cold, models(), later);
  const Dataset dataset = build(later, &line.latest.loaded.encoders, Fit::grown);
  const Vocabulary& before = *line.latest.loaded.encoders[0].vocabulary;
  const Vocabulary& after = *dataset.encoders[0].vocabulary;
  ASSERT_EQ(before.size(), 26);
  ASSERT_EQ(after.size(), 26);
  const auto replaced = replaced_rows(line.latest.loaded.encoders[0], dataset.encoders[0]);
  ASSERT_GT(replaced.size(), 0U);
  ASSERT_LT(replaced.size(), 25U);
  EXPECT_EQ(new_ids(line, dataset)[0],
            std::pair(std::string("item"), static_cast<std::int64_t>(replaced.size())));
  const auto is_replaced = [&](std::int64_t row) {
    return std::find(replaced.begin(), replaced.end(), row) != replaced.end();
  };
  const RankingModel grown = grow_model(line, later, dataset, torch::kCPU);
  const RankingModel fresh = make_model(later, dataset, torch::kCPU);
  const Hold hold = make_hold(line, later, dataset, grown);
  const Tensor stiffness = hold.stiffness(grown).at("tables.item");
  const Tensor& fisher = line.latest.fisher.at("tables.item");
  for (std::int64_t row = 0; row < after.size(); ++row) {
    const Tensor& was = line.latest.loaded.model->tables.weights()[0];
    const Tensor& expected = is_replaced(row) ? fresh->tables.weights()[0] : was;
    EXPECT_TRUE(torch::equal(grown->tables.weights()[0][row], expected[row])) << row;
    if (is_replaced(row)) {
      EXPECT_FALSE(after.key(static_cast<std::int32_t>(row)) ==
                   before.key(static_cast<std::int32_t>(row)));
      EXPECT_EQ(stiffness[row].abs().max().item<double>(), 0);
    } else {
      EXPECT_EQ((stiffness[row] > 0).sum().item<std::int64_t>(),
                (fisher[row] > 0).sum().item<std::int64_t>());
    }
  }
  // The next model of the line: where the first has another id, it has no say.
  const fs::path second = train_from(cold, later);
  const Line next = open_line(second, models(), later);
  ASSERT_TRUE(next.cold);
  const Dataset again = build(later, &next.latest.loaded.encoders, Fit::grown);
  const RankingModel third = grow_model(next, later, again, torch::kCPU);
  EXPECT_TRUE(replaced_rows(next.latest.loaded.encoders[0], again.encoders[0]).empty());
  const NamedTensors first = next.cold->weights(), latest = next.latest.weights();
  for (std::int64_t row = 0; row < after.size(); ++row) {
    const Tensor& own = latest.at("tables.item")[row];
    const Tensor expected =
        is_replaced(row) ? own : 0.25 * first.at("tables.item")[row] + 0.75 * own;
    EXPECT_TRUE(torch::allclose(third->tables.weights()[0][row], expected, 1e-5, 1e-7)) << row;
  }
}

TEST_F(IncrementalTest, VocabulariesThatDoNotGrowStay) {
  const std::vector<std::string> kinds = {
      "features.item.vocabulary=perfect_hash", "features.tags.vocabulary=qr",
      "features.tags.quotients=5", "features.tags.remainders=3"};
  const fs::path cold = train_cold(config(with_fisher(kinds)));
  const Config later = config(with_fisher(kinds), "later");
  const fs::path second = train_from(cold, later);
  const Line line = open_line(second, models(), later);
  EXPECT_TRUE(line.cold);
  const Dataset dataset = build(later, &line.latest.loaded.encoders, Fit::grown);
  EXPECT_TRUE(new_ids(line, dataset).empty());
  EXPECT_EQ(Artifact::open(second).contents().format, kCompressedFormat);
  for (std::size_t f = 0; f < dataset.encoders.size(); ++f) {
    EXPECT_EQ(dataset.encoders[f].table_rows(), line.cold->loaded.encoders[f].table_rows());
  }
}

TEST_F(IncrementalTest, ResumesWithTheSameBits) {
  const fs::path cold = train_cold(config(with_fisher()));
  const Config later =
      config(with_fisher({"train.checkpoint_seconds=0", "train.optimizer=adagrad"}), "later");
  const Line line = open_line(cold, models(), later);
  const Dataset dataset = build(later, &line.latest.loaded.encoders, Fit::grown);
  const auto trainer = [&](RankingModel& model, const std::string& folder, bool restart,
                           const std::string& origin) {
    Trainer::Start start{origin, make_hold(line, later, dataset, model)};
    return Trainer(later, dataset, model, folder_.path() / folder, restart, std::move(start));
  };
  RankingModel whole = grow_model(line, later, dataset, torch::kCPU);
  trainer(whole, "whole", true, line.latest.id).run();
  RankingModel cut = grow_model(line, later, dataset, torch::kCPU);
  {
    Trainer first = trainer(cut, "cut", true, line.latest.id);
    first.stop_after(3);
    EXPECT_TRUE(first.run().stopped);
  }
  RankingModel resumed = grow_model(line, later, dataset, torch::kCPU);
  EXPECT_THROW(trainer(resumed, "cut", false, "another model"), InputError);
  EXPECT_THROW(Trainer(later, dataset, resumed, folder_.path() / "cut", false), InputError);
  EXPECT_FALSE(trainer(resumed, "cut", false, line.latest.id).run().stopped);
  expect_same(copy_weights(resumed), copy_weights(whole));
  EXPECT_NO_THROW(trainer(resumed, "cut", true, "another model"));
}

TEST_F(IncrementalTest, SaysWhatDoesNotFit) {
  const fs::path cold = train_cold(config(with_fisher()));
  const auto refused = [&](const std::string& setting) { return message(cold, config({setting})); };
  for (const auto& [setting, option] : std::map<std::string, std::string>{
           {"model.global_block.hidden=[8]", "model.global_block.hidden: [8] in the config, [16]"},
           {"model.meta_block.dim=3", "model.meta_block.dim"},
           {"features.item.dim=3", "features.item.dim: 3 in the config, 4 in clicks/000001"},
           {"features.tags.vocabulary=hash", "features.tags.vocabulary"},
           {"meta.inner_learning_rate=scalar", "meta.inner_learning_rate"},
           {"data.labels.also=clicked", "data.labels"}}) {
    EXPECT_EQ(refused(setting).rfind(option, 0), 0U) << refused(setting);
  }
  // Groups of labels have the user's own names: a tower of another name is another tower.
  const std::string kind = "model.global_block.experts.kind=groups";
  const std::string groups = "model.global_block.experts.groups.";
  const fs::path grouped =
      train_cold(config(with_fisher({"name=grouped", kind, groups + "a=[click]"})));
  const auto of_groups = [&](std::vector<std::string> settings) {
    settings.insert(settings.begin(), {"name=grouped", kind});
    return message(grouped, config(settings));
  };
  EXPECT_EQ(of_groups({groups + "a=[click]"}), "no error");
  EXPECT_EQ(of_groups({groups + "b=[click]"}).rfind("model.global_block.experts.groups: ", 0), 0U);
  EXPECT_EQ(of_groups({}).rfind("model.global_block.experts.groups: ", 0), 0U);
  // A rate that is learned began somewhere; one that is fixed is what it says.
  EXPECT_EQ(refused("meta.inner_learning_rate_start=0.5"), "no error");
  const fs::path fixed = train_cold(config(with_fisher({"name=fixed", "meta.shrinkage=fixed"})));
  const std::string kappa =
      message(fixed, config({"name=fixed", "meta.shrinkage=fixed", "meta.shrinkage_start=50"}));
  EXPECT_EQ(kappa.rfind("meta.shrinkage_start: 50", 0), 0U) << kappa;
  for (const char* setting : {"features.item.min_count=3", "model.global_block.dropout=0.1",
                              "train.learning_rate=0.1", "meta.support=5"}) {
    EXPECT_EQ(refused(setting), "no error");
  }
  EXPECT_NE(message(models() / "clocks", config()).find("did you mean"), std::string::npos);
}

TEST_F(IncrementalTest, SaysWhatIsMissing) {
  const fs::path plain = train_cold(config());
  const std::string found = message(plain, config());
  EXPECT_NE(found.find("clicks/000001: was published without the Fisher information"),
            std::string::npos)
      << found;
  EXPECT_NE(found.find("train.incremental.fisher_rows"), std::string::npos);
  EXPECT_NE(found.find("train.incremental.strength=0"), std::string::npos);
  EXPECT_EQ(message(plain, config({"train.incremental.strength=0"})), "no error");

  const fs::path cold = train_cold(config(with_fisher()));
  const fs::path second = train_from(cold, config(with_fisher(), "later"));
  EXPECT_EQ(message(second, config()), "no error");
  fs::rename(cold, folder_.path() / "elsewhere");
  const std::string gone = message(second, config());
  EXPECT_EQ(gone.rfind("clicks/000002: the first model", 0), 0U) << gone;
  EXPECT_NE(gone.find("train.incremental.cold_weight=0"), std::string::npos);
  EXPECT_EQ(message(second, config({"train.incremental.cold_weight=0"})), "no error");
  // Another model in its place is not taken for it.
  const Config other = config(with_fisher(), "later");
  fs::rename(train_cold(other), cold);
  EXPECT_NE(message(second, config()).find("its dictionaries are not those"), std::string::npos);
}

}  // namespace
}  // namespace limber
