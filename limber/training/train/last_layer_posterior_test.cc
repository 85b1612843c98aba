#include "limber/training/train/last_layer_posterior.h"

#include <gtest/gtest.h>

#include "limber/core/data/loader.h"
#include "limber/training/meta/episode.h"
#include "limber/training/train/generated_logs_for_test.h"
#include "limber/training/train/publish.h"
#include "limber/training/train/training_sampler.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

class LastLayerPosteriorTest : public GeneratedLogs {
 protected:
  LastLayerPosteriorTest() : GeneratedLogs(1500, 40, 30) {}

  Config config(const std::vector<std::string>& settings = {}) {
    return parse(R"(
data:
  interactions: logs/interactions.parquet
  tables: {items: {path: logs/items.parquet, key: item_id}}
  task: member_id
  time: timestamp
  labels: {click: clicked, cheap: price <= 10}
features:
  - {name: item, kind: id, column: item_id, dim: 4}
  - {name: tags, kind: ids, dim: 2}
  - {name: price, kind: number}
model:
  meta_block: {hidden: [8], dim: 4}
  global_block: {hidden: [6]}
meta: {tasks_per_batch: 16, support: 20, query: 20}
explore: {enabled: true, prior_precision: 0.5}
)",
                 settings);
  }

  /// A model whose weights are anywhere but at zero.
  static RankingModel any_model(const Config& config, const Dataset& dataset) {
    RankingModel model = make_model(config, dataset, torch::kCPU);
    const torch::NoGradGuard no_grad;
    for (torch::Tensor& parameter : model->parameters()) {
      parameter.add_(torch::randn_like(parameter) * 0.3);
    }
    model->eval();
    return model;
  }

  static Eigen::MatrixXd precision_of(const LastLayerState& state) {
    return BayesianLastLayer(state, {}).precision();
  }
};

/// The second derivatives of the training loss in a label's last layer, by autograd. `parts`: the
/// parameters that are the layer, and which of their columns.
Eigen::MatrixXd hessian(RankingModel& model, const Dataset& dataset, const Config& config,
                        const std::string& head, std::int64_t column, std::int64_t label) {
  const auto named = model->named_parameters();
  const torch::Tensor weight = named[head + ".weight"], bias = named[head + ".bias"];
  const std::int64_t width = weight.size(0);
  Eigen::MatrixXd total = Eigen::MatrixXd::Zero(width + 1, width + 1);
  const auto sampler = training_sampler(model, dataset, config, 0);
  Loader loader(dataset, *sampler);
  EpisodeOptions options;
  options.train = true;
  while (auto batch = loader.next()) {
    const Episode episode = run_episode(model, *batch, options);
    const torch::Tensor loss =
        loss_sum(episode.query_logits.select(1, label), episode.query_labels.select(1, label)).sum;
    const auto first = torch::autograd::grad({loss}, {weight, bias}, {}, true, true);
    const torch::Tensor gradient =
        torch::cat({first[0].select(1, column), first[1].narrow(0, column, 1)});
    for (std::int64_t i = 0; i <= width; ++i) {
      const auto second = torch::autograd::grad({gradient[i]}, {weight, bias}, {}, true);
      for (std::int64_t j = 0; j <= width; ++j) {
        total(i, j) += (j < width ? second[0][j][column] : second[1][column]).item<double>();
      }
    }
  }
  return total;
}

TEST_F(LastLayerPosteriorTest, IsTheCurvatureOfTheTrainingLoss) {
  struct Case {
    std::vector<std::string> settings;
    std::string head_of_cheap;
    std::int64_t column;
  };
  const std::vector<Case> cases = {
      {{}, "global_block.head", 1},
      {{"model.global_block.calibration.enabled=true"}, "global_block.head", 1},
      {{"model.global_block.wide=[tags]"}, "global_block.head", 1},
      {{"model.global_block.experts.kind=groups"}, "global_block.experts.head0", 0},
      {{"model.global_block.experts.kind=mmoe", "model.global_block.calibration.enabled=true"},
       "global_block.experts.head0",
       0}};
  for (const Case& one : cases) {
    SCOPED_TRACE(one.settings.empty() ? "plain" : one.settings[0]);
    std::vector<std::string> settings = one.settings;
    settings.push_back("model.meta_block.enabled=false");
    settings.push_back("train.batch=256");
    const Config given = config(settings);
    const Dataset dataset = build(given);
    RankingModel model = any_model(given, dataset);
    // Labels are in the order of their names: cheap, click; the groups are, too.
    ASSERT_EQ(dataset.layout.labels[0], "cheap");
    const bool grouped = one.head_of_cheap != "global_block.head";
    const std::int64_t label = grouped ? 0 : 1;
    const auto posteriors = last_layer_posteriors(model, dataset, given);
    ASSERT_EQ(posteriors.size(), 2U);
    const LastLayerState& state = posteriors[static_cast<std::size_t>(label)];
    Eigen::MatrixXd expected = hessian(model, dataset, given, one.head_of_cheap, one.column, label);
    expected.diagonal().array() += 0.5;
    const Eigen::MatrixXd got = precision_of(state);
    ASSERT_EQ(got.rows(), expected.rows());
    EXPECT_LT((got - expected).cwiseAbs().maxCoeff(), 2e-4 * expected.cwiseAbs().maxCoeff());
    // Training has put the weights where they are; the posterior does not move them.
    const torch::Tensor trained = model->global_block->last_layer(label);
    for (std::size_t i = 0; i < state.mean.size(); ++i) {
      EXPECT_FLOAT_EQ(static_cast<float>(state.mean[i]),
                      trained[static_cast<std::int64_t>(i)].item<float>());
    }
  }
}

TEST_F(LastLayerPosteriorTest, CountsNoAbsentLabelAndEachRowByItsWeight) {
  Config given = config({"model.meta_block.enabled=false"});
  const Dataset dataset = build(given);
  RankingModel model = any_model(given, dataset);
  const Eigen::MatrixXd once = precision_of(last_layer_posteriors(model, dataset, given)[0]);
  Config weighted_config = given;
  weighted_config.data.weight = "price";
  const Dataset weighted = build(weighted_config);
  const Eigen::MatrixXd by_price =
      precision_of(last_layer_posteriors(model, weighted, weighted_config)[0]);
  EXPECT_GT(by_price(6, 6), 2 * once(6, 6));
}

TEST_F(LastLayerPosteriorTest, CountsEachTrainingRowOnceWhateverAnEpisodeTakes) {
  const Config given = config();
  const Dataset dataset = build(given);
  RankingModel model = any_model(given, dataset);
  {
    const torch::NoGradGuard no_grad;
    for (const auto& item : model->global_block->named_parameters()) {
      if (item.key().starts_with("head.")) item.value().zero_();
    }
  }
  const auto posteriors = last_layer_posteriors(model, dataset, given);
  // Without weights every chance is a half, and a row's curvature in the bias a quarter.
  const auto rows = static_cast<double>(dataset.train_rows());
  EXPECT_NEAR(precision_of(posteriors[0])(6, 6), 0.5 + rows / 4, 1e-3 * rows);
  const Config fewer = config({"meta.query=3", "meta.tasks_per_batch=5"});
  const auto again = last_layer_posteriors(model, dataset, fewer);
  EXPECT_EQ(again[1].factor, posteriors[1].factor);
}

TEST_F(LastLayerPosteriorTest, ComesBackFromTheArtifactAndFades) {
  const Config given = config();  // with members, adapted
  const Dataset dataset = build(given);
  RankingModel model = any_model(given, dataset);
  const auto posteriors = last_layer_posteriors(model, dataset, given);
  const fs::path version = publish_model(folder_.path() / "models", given, dataset, model,
                                         nlohmann::json::object(), "", {.last_layers = posteriors});
  const Artifact artifact = Artifact::open(version);
  const LoadedModel loaded = load_model(artifact, torch::kCPU);
  const auto read = read_last_layers(artifact, given, loaded.model);
  ASSERT_EQ(read.size(), 2U);
  for (std::size_t l = 0; l < 2; ++l) {
    EXPECT_EQ(read[l].mean, posteriors[l].mean);
    const Eigen::MatrixXd kept = precision_of(posteriors[l]);
    EXPECT_LT((precision_of(read[l]) - kept).cwiseAbs().maxCoeff(),
              1e-5 * kept.cwiseAbs().maxCoeff());
    // The same rows once more: what was known fades to explore.keep, and what they say is added.
    const auto later = last_layer_posteriors(model, dataset, given, posteriors);
    const Eigen::MatrixXd learned = kept - 0.5 * Eigen::MatrixXd::Identity(7, 7);
    const Eigen::MatrixXd expected = 0.5 * Eigen::MatrixXd::Identity(7, 7) + 1.5 * learned;
    EXPECT_LT((precision_of(later[l]) - expected).cwiseAbs().maxCoeff(),
              1e-9 * expected.cwiseAbs().maxCoeff());
  }
  // Without explore.enabled nothing is written, and nothing found.
  const fs::path plain =
      publish_model(folder_.path() / "models", given, dataset, model, nlohmann::json::object(), "");
  EXPECT_TRUE(read_last_layers(Artifact::open(plain), given, loaded.model).empty());
}

}  // namespace
}  // namespace limber
