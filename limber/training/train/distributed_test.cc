#include <gtest/gtest.h>

#include <mutex>

#include "limber/core/artifact/artifact.h"
#include "limber/core/base/error.h"
#include "limber/training/distributed/ranks_for_test.h"
#include "limber/training/train/checkpoint_parts.h"
#include "limber/training/train/last_layer_posterior.h"
#include "limber/training/train/publish.h"
#include "limber/training/train/training_case_for_test.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

/// Everything of a model, tables joined, from the first process.
std::map<std::string, torch::Tensor> whole_weights(const RankingModel& model) {
  std::map<std::string, torch::Tensor> weights;
  for (const auto& [name, tensor] : model->dense_tensors()) {
    weights["dense." + name] = tensor.detach().clone();
  }
  for (std::size_t t = 0; t < model->tables.shapes().size(); ++t) {
    const torch::Tensor whole = model->tables.whole(t);
    if (whole.defined()) weights["table." + model->tables.shapes()[t].name] = whole.clone();
  }
  return weights;
}

void expect_close(const std::map<std::string, torch::Tensor>& first,
                  const std::map<std::string, torch::Tensor>& second, double tolerance) {
  ASSERT_EQ(first.size(), second.size());
  for (const auto& [name, tensor] : first) {
    const torch::Tensor& other = second.at(name);
    ASSERT_EQ(tensor.sizes(), other.sizes()) << name;
    if (tensor.numel() == 0) continue;
    EXPECT_LT((tensor - other).abs().max().item<double>(), tolerance) << name;
  }
}

/// Threads share the generator that first weights are drawn from; processes do not.
RankingModel made_alone(const Config& config, const Dataset& dataset,
                        const std::shared_ptr<ProcessGroup>& ranks) {
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  // So many that batches are divided among a process's threads, too.
  torch::set_num_threads(static_cast<int>(config.train.threads));
  return make_model(config, dataset, torch::kCPU, ranks);
}

class DistributedTest : public TrainingCase {
 protected:
  struct Trained {
    std::map<std::string, torch::Tensor> weights;
    TrainingSummary summary;
    std::string log;
    ScoredRows test;
  };

  /// Trains on `size` ranks in `run`, stops after a step where one is given, and tells what the
  /// first has of it.
  Trained train(int size, const Config& config, const Dataset& dataset, const fs::path& run,
                std::int64_t stop_after = -1, bool restart = false) {
    Trained trained;
    run_ranks(size, [&](const std::shared_ptr<ProcessGroup>& ranks) {
      RankingModel model = made_alone(config, dataset, ranks);
      Trainer trainer(config, dataset, model, run, restart);
      trainer.stop_after(stop_after);
      const TrainingSummary summary = trainer.run();
      EvaluationSampler::Options options;
      options.part = Part::test;
      const ScoredRows scored = score_rows(model, dataset, options, 1);
      auto weights = whole_weights(model);
      if (ranks && !ranks->is_first()) return;
      trained = {std::move(weights), summary, read_file(run / "log.jsonl"), scored};
    });
    return trained;
  }
};

/// Tables start alike, row by row, whoever holds the rows: pieces of a table among them.
TEST(EmbeddingTablesOfRanks, StartAsOneProcessDoes) {
  const std::vector<EmbeddingTableShape> shapes = {
      {"tiny", 3, 2}, {"small", 900, 5}, {"odd", 200'003, 3}, {"pieces", 131'072, 4}};
  const EmbeddingTables alone(shapes, 5, torch::kFloat);
  for (const int size : {2, 3}) {
    run_ranks(size, [&](const std::shared_ptr<ProcessGroup>& ranks) {
      const EmbeddingTables tables(shapes, 5, torch::kFloat, ranks);
      for (std::size_t t = 0; t < shapes.size(); ++t) {
        const torch::Tensor whole = tables.whole(t);
        ASSERT_EQ(whole.defined(), ranks->is_first());
        if (whole.defined()) {
          EXPECT_TRUE(torch::equal(whole, alone.weights()[t])) << shapes[t].name;
        }
      }
    });
  }
}

TEST(CopyHeldRows, FromAnyNumberOfProcessesToAnyOther) {
  const std::vector<EmbeddingTableShape> shapes = {{"small", 5, 2}, {"large", 103, 3}};
  for (std::size_t t = 0; t < shapes.size(); ++t) {
    const torch::Tensor whole = torch::rand({shapes[t].rows, shapes[t].dim});
    for (const std::int64_t before : {1, 2, 3, 5}) {
      for (const std::int64_t after : {1, 2, 4}) {
        const TablePlacement from = place_tables(shapes, before, 10)[t];
        const TablePlacement to = place_tables(shapes, after, 10)[t];
        for (std::int64_t rank = 0; rank < after; ++rank) {
          torch::Tensor mine = torch::full({to.held(rank), shapes[t].dim}, -1.0F);
          for (std::int64_t old = 0; old < before; ++old) {
            const torch::Tensor theirs =
                from.held(old) == 0
                    ? torch::empty({0, shapes[t].dim})
                    : whole.slice(0, from.first(old), shapes[t].rows, from.stride()).contiguous();
            copy_held_rows(theirs, from, old, mine, to, rank);
          }
          if (to.held(rank) == 0) continue;
          EXPECT_TRUE(
              torch::equal(mine, whole.slice(0, to.first(rank), shapes[t].rows, to.stride())));
        }
      }
    }
  }
}

/// Kinds of models and optimizers: with second derivatives, normalised numbers, rows without
/// support, a transformer, fewer tasks than processes. (SGD for the transformer: the loss does not
/// depend on the bias of its keys, whose gradient is all rounding, which Adam would blow up.)
class KindsTest : public DistributedTest, public testing::WithParamInterface<const char*> {
 protected:
  Config kind() {
    std::vector<std::string> settings = {"train.early_stop=none", "train.checkpoint_seconds=1000"};
    const std::string given = GetParam();
    for (std::size_t begin = 0; begin < given.size();) {
      const std::size_t end = std::min(given.find(' ', begin), given.size());
      settings.push_back(given.substr(begin, end - begin));
      begin = end + 1;
    }
    return config(settings);
  }
};

TEST_P(KindsTest, AnyNumberOfProcessesTrainsTheSameModel) {
  const Config given = kind();
  const Dataset dataset = build(given);
  const Trained alone = train(1, given, dataset, folder_.path() / "run1");
  for (const int size : {2, 4}) {
    const Trained together =
        train(size, given, dataset, folder_.path() / ("run" + std::to_string(size)));
    EXPECT_EQ(together.summary.steps, alone.summary.steps);
    EXPECT_EQ(together.summary.examples, alone.summary.examples);
    EXPECT_NEAR(together.summary.validation.log_loss, alone.summary.validation.log_loss, 1e-5);
    EXPECT_NEAR(together.summary.validation.auc, alone.summary.validation.auc, 1e-4);
    expect_close(together.weights, alone.weights, 2e-4);
    // The same rows in the same order, scored alike.
    EXPECT_EQ(together.test.members, alone.test.members);
    EXPECT_EQ(together.test.support, alone.test.support);
    EXPECT_EQ(together.test.activity, alone.test.activity);
    EXPECT_EQ(together.test.truth, alone.test.truth);
    ASSERT_EQ(together.test.logits[0].size(), alone.test.logits[0].size());
    for (std::size_t i = 0; i < alone.test.logits[0].size(); ++i) {
      ASSERT_NEAR(together.test.logits[0][i], alone.test.logits[0][i], 1e-3);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, KindsTest,
    testing::Values(
        "meta.order=second train.optimizer=sgd", "model.batch_norm=true",
        "model.meta_block.enabled=false model.batch_norm=true",
        "model.meta_block.enabled=false train.sparse_optimizer=sgd train.clip_norm=0.1",
        // Rows that weigh, labels that count, gradients that are cut, weights that decay.
        "train.clip_norm=0.05 train.weight_decay=0.1 data.weight=price",
        "data.labels.cheap=price<20 train.label_weights.cheap=3 data.weight=price "
        "model.meta_block.enabled=false",
        "train.threads=2 train.optimizer=sgd meta.query=60",
        "train.optimizer=sgd model.history.enabled=true model.history.pooling=transformer "
        "model.statistics.enabled=true meta.tasks_per_batch=3"));

/// A checkpoint of any number of processes is one that any other number goes on from.
TEST_F(DistributedTest, CheckpointsGoFromAnyNumberToAnyOther) {
  const Config given = config({"train.early_stop=none", "train.checkpoint_seconds=0"});
  const Dataset dataset = build(given);
  const Trained unbroken = train(1, given, dataset, folder_.path() / "whole");
  for (const int before : {1, 2, 4}) {
    for (const int after : {1, 2, 4}) {
      const fs::path run = folder_.path() / (std::to_string(before) + "to" + std::to_string(after));
      // In the second epoch, so that there are best weights, too.
      const Trained cut = train(before, given, dataset, run, unbroken.summary.steps - 2);
      EXPECT_TRUE(cut.summary.stopped);
      const Trained resumed = train(after, given, dataset, run);
      EXPECT_FALSE(resumed.summary.stopped);
      EXPECT_EQ(resumed.summary.steps, unbroken.summary.steps);
      expect_close(resumed.weights, unbroken.weights, 2e-4);
      if (before == after) {
        // Nothing but the order of sums could differ, and that is the same.
        const Trained same = train(before, given, dataset, run.string() + "again");
        for (const auto& [name, tensor] : same.weights) {
          EXPECT_TRUE(torch::equal(tensor, resumed.weights.at(name))) << name;
        }
        EXPECT_EQ(same.log, resumed.log);
      }
    }
  }
}

/// Killed while a later checkpoint was written: its parts count for nothing without it.
TEST_F(DistributedTest, PartsWithoutTheirCheckpointAreIgnoredAndRemoved) {
  const Config given = config({"train.early_stop=none", "train.checkpoint_seconds=0"});
  const Dataset dataset = build(given);
  const Trained unbroken = train(2, given, dataset, folder_.path() / "whole");
  const fs::path run = folder_.path() / "run";
  const Trained cut = train(2, given, dataset, run, 4);
  const CheckpointParts written{cut.summary.steps, 2}, later{cut.summary.steps + 1, 2};
  for (const std::int64_t rank : {0, 1}) {
    EXPECT_TRUE(fs::exists(written.path(run / "checkpoint", rank)));
    write_file_atomic(later.path(run / "checkpoint", rank), "half of it");
  }
  write_file_atomic(later.path(run / "checkpoint", 0).string() + ".unfinished", "a quarter");
  const Trained resumed = train(2, given, dataset, run);
  for (const auto& [name, tensor] : unbroken.weights) {
    EXPECT_TRUE(torch::equal(tensor, resumed.weights.at(name))) << name;
  }
  EXPECT_EQ(resumed.log, unbroken.log);
  int parts = 0;
  for (const auto& entry : fs::directory_iterator(run)) {
    parts += entry.path().filename().string().starts_with("checkpoint.") ? 1 : 0;
  }
  EXPECT_EQ(parts, 2);
  // One process alone leaves none.
  train(1, given, dataset, run);
  remove_other_parts(run / "checkpoint", {});
  EXPECT_FALSE(fs::exists(later.path(run / "checkpoint", 0)));
}

TEST_F(DistributedTest, TheLastLayersPosteriorIsThatOfAllRows) {
  const Config given = config({"explore.enabled=true"});
  const Dataset dataset = build(given);
  std::vector<double> alone;
  for (const int size : {1, 3}) {
    run_ranks(size, [&](const std::shared_ptr<ProcessGroup>& ranks) {
      RankingModel model = made_alone(given, dataset, ranks);
      const auto posteriors = last_layer_posteriors(model, dataset, given);
      if (!ranks) alone = posteriors.at(0).factor;
      ASSERT_EQ(posteriors.at(0).factor.size(), alone.size());
      for (std::size_t i = 0; i < alone.size(); ++i) {
        ASSERT_NEAR(posteriors[0].factor[i], alone[i], 1e-5 * (1 + std::abs(alone[i])));
      }
    });
  }
}

TEST_F(DistributedTest, OtherDataInOneProcessIsRefused) {
  const Config given = config();
  generate("other", 1400, 60);
  const Dataset dataset = build(given), other = build(config({}, "other"));
  EXPECT_THROW(run_ranks(2,
                         [&](const std::shared_ptr<ProcessGroup>& ranks) {
                           const Dataset& own = ranks->is_first() ? dataset : other;
                           Trainer(given, own, made_alone(given, own, ranks),
                                   folder_.path() / "run", true);
                         }),
               InputError);
}

TEST_F(DistributedTest, AMissingOrDamagedPartIsNamed) {
  const Config given = config({"train.early_stop=none", "train.checkpoint_seconds=0"});
  const Dataset dataset = build(given);
  const fs::path run = folder_.path() / "run";
  const Trained cut = train(2, given, dataset, run, 4);
  const CheckpointParts parts{cut.summary.steps, 2};
  const fs::path part = parts.path(run / "checkpoint", 1);
  ASSERT_TRUE(fs::exists(part));
  const auto complaint = [&] {
    try {
      train(1, given, dataset, run);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string bytes = read_file(part);
  write_file_atomic(part, bytes.substr(0, bytes.size() / 2));
  EXPECT_NE(complaint().find(part.string() + ": is damaged"), std::string::npos);
  fs::remove(part);
  EXPECT_NE(complaint().find(part.string() + ": is missing"), std::string::npos);
  // To begin anew leaves nothing of it.
  train(1, given, dataset, run, -1, true);
  EXPECT_FALSE(fs::exists(parts.path(run / "checkpoint", 0)));
}

TEST_F(DistributedTest, PublishesWhatOneProcessWould) {
  const Config given = config({"train.epochs=1"});
  const Dataset dataset = build(given);
  fs::path version;
  std::map<std::string, torch::Tensor> weights;
  run_ranks(3, [&](const std::shared_ptr<ProcessGroup>& ranks) {
    RankingModel model = made_alone(given, dataset, ranks);
    Trainer(given, dataset, model, folder_.path() / "run", true).run();
    auto whole = whole_weights(model);
    if (!ranks->is_first()) return send_tables(model);
    version = publish_model(folder_.path() / "models", given, dataset, model, {}, "no log");
    weights = std::move(whole);
  });
  const LoadedModel loaded = load_model(Artifact::open(version), torch::kCPU);
  for (std::size_t t = 0; t < loaded.model->tables.shapes().size(); ++t) {
    EXPECT_TRUE(torch::equal(loaded.model->tables.weights()[t],
                             weights.at("table." + loaded.model->tables.shapes()[t].name)));
  }
}

}  // namespace
}  // namespace limber
