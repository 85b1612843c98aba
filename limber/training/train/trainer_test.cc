#include "limber/training/train/trainer.h"

#include <gtest/gtest.h>

#include <fstream>

#include "limber/core/artifact/artifact.h"
#include "limber/core/base/error.h"
#include "limber/core/data/loader.h"
#include "limber/training/train/generated_logs_for_test.h"
#include "limber/training/train/publish.h"
#include "limber/training/train/schedule.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

class TrainerTest : public GeneratedLogs {
 protected:
  TrainerTest() : GeneratedLogs(6000, 120, 60) {}

  Config config(const std::vector<std::string>& settings = {}) {
    return parse(R"(
data:
  interactions: logs/interactions.parquet
  tables: {items: {path: logs/items.parquet, key: item_id}}
  task: member_id
  time: timestamp
  labels: {click: clicked}
features:
  - {name: item, kind: id, column: item_id, dim: 4}
  - {name: tags, kind: ids, dim: 2}
  - {name: price, kind: number}
model:
  meta_block: {hidden: [8], dim: 4}
  global_block: {hidden: [16]}
meta: {tasks_per_batch: 16, support: 20, query: 20}
train: {epochs: 3, tensorboard: false, learning_rate: 0.01}
)",
                 settings);
  }
};

TEST_F(TrainerTest, TrainingLowersTheLoss) {
  for (const char* enabled : {"true", "false"}) {
    const Config given = config(
        {std::string("model.meta_block.enabled=") + enabled, "train.batch=256", "train.epochs=5"});
    const Dataset dataset = build(given);
    RankingModel model = make_model(given, dataset, torch::kCPU);
    EvaluationSampler::Options options;
    options.support = options.support_limit = 20;
    const double before = quick_metrics(score_rows(model, dataset, options, 1)).log_loss;
    Trainer trainer(given, dataset, model, folder_.path() / "run", true);
    const TrainingSummary summary = trainer.run();
    EXPECT_LT(summary.validation.log_loss, before - 0.01) << enabled;
    EXPECT_GT(summary.validation.auc, 0.55) << enabled;
    // The best weights are those that are left in the model.
    EXPECT_DOUBLE_EQ(
        quick_metrics(score_rows(model, dataset, options, given.meta.adaptation_steps)).log_loss,
        summary.validation.log_loss);
  }
}

TEST_F(TrainerTest, TablesLearn) {
  const Config given = config({"train.epochs=1"});
  const Dataset dataset = build(given);
  RankingModel model = make_model(given, dataset, torch::kCPU);
  const torch::Tensor before = model->tables.weights()[0].clone();
  Trainer(given, dataset, model, folder_.path() / "run", true).run();
  const torch::Tensor moved = (model->tables.weights()[0] - before).abs().sum(1);
  EXPECT_GT((moved > 0).sum().item<std::int64_t>(), 40);
  EXPECT_EQ(moved[0].item<float>(), 0) << "the unknown row has no gradient here";
}

/// An interrupted run goes on with the bits of an unbroken one, whatever the step it stopped at:
/// with dropout's generator on one thread, and with steps divided among three.
class ResumeTest : public TrainerTest, public testing::WithParamInterface<int> {};

TEST_P(ResumeTest, GivesTheSameBits) {
  const int before = at::get_num_threads();
  at::set_num_threads(GetParam());
  const Config given =
      config({"train.checkpoint_seconds=0", "train.epochs=2",
              GetParam() == 1 ? "model.global_block.dropout=0.2" : "model.global_block.dropout=0",
              "train.early_stop=none"});
  const Dataset dataset = build(given);
  RankingModel whole = make_model(given, dataset, torch::kCPU);
  Trainer unbroken(given, dataset, whole, folder_.path() / "whole", true);
  unbroken.run();
  const std::string log = read_file(folder_.path() / "whole" / "log.jsonl");

  const fs::path cut = folder_.path() / "cut";
  for (const int stop_after : {1, 9, 13}) {
    fs::remove_all(cut);
    {
      // Checkpoints of every step, the last of them kept as a kill would leave it.
      RankingModel model = make_model(given, dataset, torch::kCPU);
      Trainer trainer(given, dataset, model, cut, true);
      trainer.stop_after(stop_after);
      EXPECT_TRUE(trainer.run().stopped);
    }
    RankingModel model = make_model(given, dataset, torch::kCPU);
    torch::rand({17});  // a disturbed generator must not matter
    Trainer resumed(given, dataset, model, cut, false);
    EXPECT_EQ(resumed.state().step, stop_after);
    EXPECT_FALSE(resumed.run().stopped);
    expect_same(copy_weights(model), copy_weights(whole));
    EXPECT_EQ(read_file(cut / "log.jsonl"), log);
  }
  at::set_num_threads(before);
}

// OpenMP's barriers are invisible to the thread sanitizer.
#ifdef __SANITIZE_THREAD__
INSTANTIATE_TEST_SUITE_P(Threads, ResumeTest, testing::Values(1));
#else
INSTANTIATE_TEST_SUITE_P(Threads, ResumeTest, testing::Values(1, 3));
#endif

TEST_F(TrainerTest, ForeignOrDamagedCheckpointIsRefused) {
  const Config given = config({"train.checkpoint_seconds=0", "train.epochs=1"});
  const Dataset dataset = build(given);
  RankingModel model = make_model(given, dataset, torch::kCPU);
  const fs::path run = folder_.path() / "run";
  Trainer trainer(given, dataset, model, run, true);
  trainer.run();
  const Config other = config({"train.checkpoint_seconds=0", "train.epochs=1", "train.seed=2"});
  EXPECT_THROW(Trainer(other, dataset, model, run, false), InputError);
  EXPECT_NO_THROW(Trainer(other, dataset, model, run, true));
  Trainer(given, dataset, model, run, true).run();
  const std::string bytes = read_file(run / "checkpoint");
  for (const std::size_t keep : {std::size_t{0}, std::size_t{10}, bytes.size() / 2}) {
    write_file_atomic(run / "checkpoint", bytes.substr(0, keep));
    EXPECT_THROW(Trainer(given, dataset, model, run, false), InputError) << keep;
  }
}

TEST_F(TrainerTest, PublishedModelScoresTheSame) {
  const Config given = config({"train.epochs=1", "model.history.enabled=true",
                               "model.statistics.enabled=true", "model.history.signal=residual"});
  const Dataset dataset = build(given);
  RankingModel model = make_model(given, dataset, torch::kCPU);
  Trainer(given, dataset, model, folder_.path() / "run", true).run();
  const fs::path version =
      publish_model(folder_.path() / "models", given, dataset, model, {}, "no log");
  LoadedModel loaded = load_model(Artifact::open(version), torch::kCPU);
  const fs::path data = folder_.path() / "again";
  fs::create_directories(data);
  const Dataset again = build_dataset_for(loaded, loaded.config, data);
  EvaluationSampler::Options options;
  options.part = Part::test;
  const ScoredRows first = score_rows(model, dataset, options, 2);
  const ScoredRows second = score_rows(loaded.model, again, options, 2);
  EXPECT_EQ(first.logits, second.logits);
  EXPECT_EQ(first.truth, second.truth);
  EXPECT_FALSE(first.logits[0].empty());
}

TEST_F(TrainerTest, NormalisedNumbersAreScoredTheSameOncePublished) {
  const Config given = config({"train.epochs=1", "model.batch_norm=true"});
  const Dataset dataset = build(given);
  RankingModel model = make_model(given, dataset, torch::kCPU);
  Trainer(given, dataset, model, folder_.path() / "run", true).run();
  // The average is on its way from the start at 0 and 1 to that of standardized numbers.
  EXPECT_NE(model->numbers->variance[0].item<float>(), 1 - 1e-5F);
  const fs::path version =
      publish_model(folder_.path() / "models", given, dataset, model, {}, "no log");
  const Artifact artifact = Artifact::open(version);
  EXPECT_FALSE(artifact.has_tensor("numbers.mean"));
  LoadedModel loaded = load_model(artifact, torch::kCPU);
  const fs::path data = folder_.path() / "again";
  fs::create_directories(data);
  const Dataset again = build_dataset_for(loaded, loaded.config, data);
  EvaluationSampler::Options options;
  options.part = Part::test;
  const ScoredRows first = score_rows(model, dataset, options, 2);
  const ScoredRows second = score_rows(loaded.model, again, options, 2);
  ASSERT_EQ(first.logits[0].size(), second.logits[0].size());
  for (std::size_t i = 0; i < first.logits[0].size(); ++i) {
    EXPECT_NEAR(first.logits[0][i], second.logits[0][i], 1e-5);
  }
}

TEST(Schedule, RisesThenFalls) {
  EXPECT_DOUBLE_EQ(learning_rate_factor("cosine", 0.1, 0, 100), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate_factor("cosine", 0.1, 9, 100), 1);
  EXPECT_DOUBLE_EQ(learning_rate_factor("cosine", 0.1, 55, 100), 0.5);
  EXPECT_NEAR(learning_rate_factor("linear", 0.1, 55, 100), 0.5, 1e-12);
  EXPECT_DOUBLE_EQ(learning_rate_factor("constant", 0, 99, 100), 1);
}

TEST(EmbeddingTablesTest, RowwiseAdagradClosedForm) {
  EmbeddingTables tables({{"id", 5, 2}}, 1, torch::TensorOptions().dtype(torch::kFloat));
  const torch::Tensor start = tables.weights()[0].clone();
  RowBatch batch;
  batch.table_rows = {{3, 1}};
  for (int step = 1; step <= 2; ++step) {
    const auto leaves = tables.gather(batch, true);
    (leaves[0] * torch::tensor({{3.0F, 4.0F}, {0.0F, 0.0F}})).sum().backward();
    tables.step_rowwise_adagrad(batch, leaves, 0.1);
  }
  // mean(g^2) = 12.5 each step: moves by 0.1 g / sqrt(12.5), then 0.1 g / sqrt(25).
  const float factor = 0.1F / std::sqrt(12.5F) + 0.1F / 5;
  torch::Tensor expected = start.clone();
  expected[3] -= torch::tensor({3.0F, 4.0F}) * factor;
  EXPECT_TRUE(torch::allclose(tables.weights()[0], expected, 1e-5, 1e-6));
}

}  // namespace
}  // namespace limber
