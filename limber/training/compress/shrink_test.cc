#include "limber/training/compress/shrink.h"

#include <algorithm>

#include "limber/core/base/random.h"
#include "limber/training/compress/budget.h"
#include "limber/training/compress/ranking_network.h"
#include "limber/training/train/scoring.h"
#include "limber/training/train/training_case_for_test.h"

namespace limber {
namespace {

class Shrink : public TrainingCase {
 protected:
  /// In double precision, with every weight and bias drawn at random: biases start at 0, which
  /// would hide one that is misplaced.
  static RankingModel random_model(const Config& config, const Dataset& dataset) {
    RankingModel model(dataset.layout, config.model, config.meta,
                       std::vector<double>(dataset.layout.labels.size(), 0.4), 3,
                       torch::TensorOptions().dtype(torch::kDouble));
    const torch::NoGradGuard no_grad;
    torch::manual_seed(5);
    for (torch::Tensor& parameter : model->parameters()) {
      parameter.add_(torch::randn_like(parameter), 0.2);
    }
    return model;
  }

  /// Clears random units of every weight whose units can be removed; at least one stays.
  static CompressionResult clear_units(RankingModel& model, std::uint64_t seed) {
    const torch::NoGradGuard no_grad;
    Random random(seed);
    CompressionResult result;
    for (CompressibleWeight& weight : ranking_weights(model)) {
      if (!weight.removable) continue;
      CompressedWeight& compressed = result.weights.emplace_back();
      compressed.name = weight.name;
      compressed.groups = weight.matrix.size(1);
      const auto always = static_cast<std::int64_t>(
          random.below(static_cast<std::uint64_t>(weight.matrix.size(1))));
      for (std::int64_t unit = 0; unit < weight.matrix.size(1); ++unit) {
        if (unit == always || random.uniform() < 0.4) {
          compressed.kept_units.push_back(unit);
          continue;
        }
        weight.matrix.select(1, unit).zero_();
        if (weight.bias.defined()) weight.bias[unit] = 0;
      }
      compressed.kept_groups = static_cast<std::int64_t>(compressed.kept_units.size());
    }
    return result;
  }

  static std::vector<std::vector<float>> logits(RankingModel& model, const Dataset& dataset) {
    EvaluationSampler::Options options;
    options.part = Part::test;
    return score_rows(model, dataset, options, 1).logits;
  }

  void expect_same_logits(const std::vector<std::string>& settings) {
    const Config config = this->config(settings);
    const Dataset dataset = build(config);
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
      RankingModel masked = random_model(config, dataset);
      const CompressionResult result = clear_units(masked, seed);
      ASSERT_TRUE(removes_units(result));
      ShrunkModel shrunk = shrink_model(config, masked, result);
      EXPECT_LT(elements_of(shrunk.model), elements_of(masked));
      const auto before = logits(masked, dataset), after = logits(shrunk.model, dataset);
      ASSERT_EQ(before.size(), after.size());
      double widest = 0;
      for (std::size_t l = 0; l < before.size(); ++l) {
        ASSERT_EQ(before[l].size(), after[l].size());
        ASSERT_FALSE(before[l].empty());
        for (std::size_t i = 0; i < before[l].size(); ++i) {
          EXPECT_NEAR(before[l][i], after[l][i], 1e-6 * std::max(1.0F, std::abs(before[l][i])));
          widest = std::max(widest, std::abs(double{before[l][i]} - double{before[l][0]}));
        }
      }
      // The rows are not all alike, or nothing would have been compared.
      EXPECT_GT(widest, 1e-3);
    }
  }

  static std::int64_t elements_of(const RankingModel& model) {
    std::int64_t elements = 0;
    for (const torch::Tensor& parameter : model->parameters()) elements += parameter.numel();
    return elements;
  }
};

TEST_F(Shrink, HiddenLayers) {
  expect_same_logits(
      {"model.global_block.hidden=[16, 12, 8]", "model.global_block.cross.kind=none"});
}

TEST_F(Shrink, TanhAndFullCrosses) {
  expect_same_logits({"model.global_block.activation=tanh", "model.global_block.hidden=[9, 7]"});
}

TEST_F(Shrink, LowRankCrosses) {
  expect_same_logits({"model.global_block.cross.kind=low_rank", "model.global_block.cross.rank=6"});
}

TEST_F(Shrink, Gates) {
  for (const char* gate : {"diagonal", "low_rank", "full"}) {
    SCOPED_TRACE(gate);
    // The bottleneck of 6 is wider than most of what is left of the layers.
    expect_same_logits({"model.global_block.hidden=[12, 8]", "model.global_block.gate_rank=6",
                        std::string("model.global_block.gate=") + gate});
  }
}

TEST_F(Shrink, Experts) {
  for (const char* kind : {"mmoe", "ple", "groups"}) {
    SCOPED_TRACE(kind);
    expect_same_logits({std::string("model.global_block.experts.kind=") + kind,
                        "model.global_block.experts.count=3",
                        "model.global_block.experts.hidden=[10, 6]",
                        "data.labels={click: clicked, other: clicked}"});
  }
}

TEST_F(Shrink, ExpertsWithoutLayersOfTheirOwn) {
  expect_same_logits(
      {"model.global_block.experts.kind=mmoe", "model.global_block.experts.hidden=[]"});
}

TEST_F(Shrink, CountsAndConfigAgree) {
  const Config config = this->config({"model.global_block.hidden=[16, 12]"});
  const Dataset dataset = build(config);
  RankingModel masked = random_model(config, dataset);
  const CompressionResult result = clear_units(masked, 4);
  const ShrunkModel shrunk = shrink_model(config, masked, result);
  ASSERT_EQ(result.weights.size(), 2U);
  EXPECT_EQ(shrunk.config.model.global_block.hidden,
            (Sizes{result.weights[0].kept_groups, result.weights[1].kept_groups}));
  // What the budget counts is what is left.
  std::vector<std::int64_t> removed;
  std::int64_t elements = 0, counted = 0;
  for (const CompressibleWeight& weight : ranking_weights(masked)) {
    const CompressedWeight* kept = result.find(weight.name);
    removed.push_back(kept == nullptr ? 0 : kept->groups - kept->kept_groups);
  }
  for (const std::int64_t left : elements_without_units(ranking_weights(masked), removed)) {
    counted += left;
  }
  for (const CompressibleWeight& weight : ranking_weights(shrunk.model)) {
    elements += weight.matrix.numel();
  }
  EXPECT_EQ(counted, elements);
}

}  // namespace
}  // namespace limber
