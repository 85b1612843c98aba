#include <gtest/gtest.h>

#include <cmath>

#include "limber/training/meta/episode.h"
#include "limber/training/meta/test_episode.h"

namespace limber {
namespace {

using torch::Tensor;

struct Case {
  const char* name;
  std::int64_t steps;
  std::string level = "interaction", adapt = "weights", rates = "per_tensor", start = "zero";
  bool history = false;
  std::string pooling = "mean";
  std::size_t labels = 1;
  bool weights = false;
};

std::ostream& operator<<(std::ostream& out, const Case& value) {
  return out << value.name;
}

class MetaGradient : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const Case& given = GetParam();
    layout_ = test::small_layout(given.labels);
    ModelOptions options = test::smooth_model();
    options.meta_block.level = given.level;
    options.meta_block.adapt = given.adapt;
    options.meta_block.start = given.start;
    options.history.enabled = given.history;
    options.history.pooling = given.pooling;
    options.history.hidden = {};  // linear: relu's kinks would spoil the differences
    options.history.dim = given.pooling == "transformer" ? 4 : 3;
    MetaOptions meta;
    meta.inner_learning_rate = given.rates;
    meta.inner_learning_rate_start = 1.5;
    model_ = test::make_test_model(layout_, options, meta);
    // Ragged supports: none, one, several.
    batch_ = test::random_batch(layout_, {4, 0, 1, 7}, {3, 2, 5, 1}, 3);
    if (given.weights) test::weigh(batch_, 6);
  }

  /// Outer loss with the rows of table `table` (or none, -1) moved by `move`.
  double loss(std::int64_t steps) {
    EpisodeOptions options;
    options.train = true;
    options.second_order = true;
    options.steps = steps;
    const Episode episode = run_episode(model_, batch_, options);
    return loss_sum(episode.query_logits, episode.query_labels, episode.query_weights)
        .mean()
        .item<double>();
  }

  /// Central difference of the outer loss along `direction` in `tensor`.
  double difference(Tensor tensor, const Tensor& direction, std::int64_t steps) {
    const double epsilon = 1e-5;
    const auto moved = [&](double by) {
      {
        const torch::NoGradGuard no_grad;
        tensor.add_(direction, by);
      }
      const double value = loss(steps);
      const torch::NoGradGuard no_grad;
      tensor.sub_(direction, by);
      return value;
    };
    // Fourth order in epsilon, so that 1e-6 relative is a real demand.
    return (8 * (moved(epsilon) - moved(-epsilon)) - (moved(2 * epsilon) - moved(-2 * epsilon))) /
           (12 * epsilon);
  }

  InputLayout layout_;
  RankingModel model_{nullptr};
  TaskBatch batch_;
};

TEST_P(MetaGradient, MatchesCentralDifferences) {
  const std::int64_t steps = GetParam().steps;
  EpisodeOptions options;
  options.train = true;
  options.second_order = true;
  options.steps = steps;
  const Episode episode = run_episode(model_, batch_, options);
  loss_sum(episode.query_logits, episode.query_labels, episode.query_weights).mean().backward();

  torch::manual_seed(5);
  std::size_t checked = 0;
  const auto check = [&](const std::string& name, const Tensor& tensor, const Tensor& gradient,
                         const Tensor& direction) {
    const double expected = difference(tensor, direction, steps);
    const double found = gradient.defined() ? (gradient * direction).sum().item<double>() : 0.0;
    EXPECT_NEAR(found, expected, 1e-6 * std::max(std::abs(expected), 1e-3)) << name;
    checked += std::abs(expected) > 1e-9;
  };
  for (const auto& parameter : model_->named_parameters()) {
    const Tensor value = parameter.value().detach();
    check(parameter.key(), value, parameter.value().grad(), torch::randn_like(value));
  }
  for (std::size_t t = 0; t < layout_.tables.size(); ++t) {
    Tensor table = model_->tables.weights()[t];
    const Tensor used = torch::tensor(batch_.rows.table_rows[t], torch::kLong);
    const Tensor rows = torch::randn({used.size(0), table.size(1)}, table.options());
    const Tensor direction = torch::zeros_like(table).index_copy(0, used, rows);
    const Tensor gradient =
        torch::zeros_like(table).index_copy(0, used, episode.table_rows[t].grad());
    check("table " + layout_.tables[t].name, table, gradient, direction);
  }
  // A check that compares zeros proves nothing.
  EXPECT_GT(checked, 10U);
}

INSTANTIATE_TEST_SUITE_P(
    All, MetaGradient,
    testing::Values(
        Case{"one_step", 1}, Case{"two_steps", 2}, Case{"three_steps", 3}, Case{"four_steps", 4},
        Case{"five_steps", 5}, Case{"member_level_one_step", 1, "member"},
        Case{"member_level_three_steps", 3, "member"}, Case{"member_level_five_steps", 5, "member"},
        Case{"one_rate", 2, "interaction", "weights", "scalar"},
        Case{"embedding", 3, "interaction", "embedding", "scalar"},
        Case{"history_start", 2, "interaction", "weights", "per_tensor", "history", true},
        Case{"attention", 2, "interaction", "weights", "per_tensor", "zero", true, "attention"},
        Case{"transformer", 2, "interaction", "weights", "per_tensor", "zero", true, "transformer"},
        Case{"transformer_weights", 2, "interaction", "embedding", "scalar", "zero", true,
             "transformer", 2, true},
        Case{"two_labels", 2, "interaction", "weights", "per_tensor", "zero", false, "mean", 2},
        Case{"weights", 2, "interaction", "weights", "per_tensor", "history", true, "mean", 2,
             true},
        Case{"attention_weights", 2, "interaction", "weights", "per_tensor", "zero", true,
             "attention", 1, true}),
    [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace limber
