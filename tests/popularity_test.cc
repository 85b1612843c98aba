// Wide popularity: whoever ranks adds the same, on top of what the model said without it.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "limber/core/base/files.h"
#include "limber/core/data/dataset_builder.h"
#include "limber/core/data/popularity.h"
#include "limber/serving/popularity/refit.h"
#include "limber/serving/ranker/ranker.h"
#include "limber/training/train/publish.h"
#include "limber/training/train/scoring.h"
#include "tests/parity_shapes.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

class PopularityParity : public testing::Test {
 protected:
  void SetUp() override {
    at::set_num_threads(1);
    write_log(folder_.path());
    Shape shape{};
    shape.meta = "interaction";
    shape.adapt = "weights";
    shape.meta_activation = shape.activation = "relu";
    shape.start = "zero";
    shape.history = "off";
    shape.signal = "label";
    shape.cross = "low_rank";
    shape.mlp = "two";
    shape.wide = true;
    shape.calibration = "by row";
    Config config = make_config(folder_.path(), shape);
    config.data.test_share = 0.4;
    fs::create_directories(folder_.path() / "cache");
    dataset_ = build_dataset(config, folder_.path() / "cache");
    RankingModel model(dataset_.layout, config.model, config.meta, std::vector<double>{0.3, 0.6}, 7,
                       torch::TensorOptions().dtype(torch::kFloat));
    scatter(model);
    before_ = publish_model(folder_.path() / "models", config, dataset_, model,
                            nlohmann::json::object(), "");
  }

  fs::path refit(const std::string& by) {
    const auto runtime = RuntimeModel::load(Artifact::open(before_), {});
    PopularityOptions options;
    options.by = by;
    options.prior_deviation = 0.7;
    return publish_popularity(runtime->artifact, fit_popularity(runtime, dataset_, options));
  }

  ScoredRows test_rows(const fs::path& version) {
    const Artifact artifact = Artifact::open(version);
    LoadedModel loaded = load_model(artifact, torch::kCPU);
    const auto popularity = Popularity::find(artifact, dataset_.layout);
    EXPECT_EQ(popularity.has_value(), version != before_);
    EvaluationSampler::Options options;
    options.part = Part::test;
    options.support = options.support_limit = kSupport;
    return score_rows(loaded.model, dataset_, options, 3, popularity ? &*popularity : nullptr);
  }

  TemporaryFolder folder_;
  Dataset dataset_;
  fs::path before_;
};

/// Of a side table, of the interactions, and hashed.
TEST_F(PopularityParity, TrainingAddsWhatServingAdds) {
  const ScoredRows plain = test_rows(before_);
  for (const char* by : {"item", "city", "device"}) {
    const fs::path after = refit(by);
    const Artifact artifact = Artifact::open(after);
    const auto popularity = Popularity::find(artifact, dataset_.layout);
    const ScoredRows added = test_rows(after);
    ASSERT_EQ(added.members, plain.members);
    // Test rows in the order of the data set.
    std::size_t at = 0;
    double moved = 0;
    for (const TaskRows& task : dataset_.tasks) {
      for (std::int64_t row = task.validation_end; row < task.end; ++row, ++at) {
        const float* effects = popularity->of(id_index(dataset_, popularity->feature, row));
        for (std::size_t l = 0; l < 2; ++l) {
          ASSERT_EQ(added.logits[l][at], plain.logits[l][at] + effects[l]) << by << ' ' << row;
          moved = std::max(moved, std::abs(static_cast<double>(effects[l])));
        }
      }
    }
    ASSERT_EQ(at, plain.members.size());
    EXPECT_GT(moved, 0.01);
  }
}

TEST_F(PopularityParity, ARankerAddsItToItemsThatItKnows) {
  const fs::path after = refit("item");
  const Ranker plain = Ranker::open(before_), added = Ranker::open(after);
  const Artifact artifact = Artifact::open(after);
  const auto popularity = Popularity::find(artifact, dataset_.layout);
  const Vocabulary& items = *dataset_.encoders[popularity->feature].vocabulary;
  std::vector<Fields> interactions, candidates;
  for (int i = 0; i < 6; ++i) {
    interactions.push_back({{"item", i}, {"device", "d1"}, {"liked", i % 2}, {"bought", 0}});
  }
  for (int i = 0; i < 30; ++i) candidates.push_back({{"item", i}, {"device", "d2"}});
  const auto was = plain.rank(plain.adapt("m3", interactions), candidates);
  const auto is = added.rank(added.adapt("m3", interactions), candidates);
  std::vector<std::vector<float>> scores(30);
  for (const RankedCandidate& one : was) scores[one.index] = one.scores;
  int unseen = 0;
  for (const RankedCandidate& one : is) {
    const std::int32_t index = items.find({true, static_cast<std::int64_t>(one.index), {}});
    unseen += index == Vocabulary::unknown ? 1 : 0;
    for (std::size_t l = 0; l < 2; ++l) {
      const double logit = std::log(scores[one.index][l] / (1 - scores[one.index][l]));
      const double expected = 1 / (1 + std::exp(-(logit + popularity->of(index)[l])));
      EXPECT_NEAR(one.scores[l], expected, 1e-5) << one.index;
      if (index == Vocabulary::unknown) {
        EXPECT_EQ(one.scores[l], scores[one.index][l]) << one.index;
      }
    }
  }
  EXPECT_GE(unseen, 7);
  EXPECT_LT(unseen, 15);
}

}  // namespace
}  // namespace limber
