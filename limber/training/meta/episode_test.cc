#include "limber/training/meta/episode.h"

#include <gtest/gtest.h>

#include <cmath>

#include "limber/core/config/inner_clip.h"
#include "limber/training/layers/dense.h"
#include "limber/training/layers/input_assembly.h"
#include "limber/training/meta/test_episode.h"

namespace limber {
namespace {

using torch::Tensor;

/// The definition, one task at a time with a copy of theta each: what the batched code must equal.
struct Reference {
  Tensor loss;
  std::vector<Tensor> embeddings;
  int cut = 0;  ///< inner steps whose gradient was too long
};

Reference reference_episode(RankingModel& model, const TaskBatch& batch,
                            const std::vector<Tensor>& leaves, std::int64_t steps, bool second) {
  const Tensor inputs = assemble_inputs(batch.rows, model->layout, leaves, model->tensor);
  const Tensor labels = torch::tensor(batch.rows.labels).to(torch::kDouble).view({-1, 1});
  const auto block = [&](const Tensor& rows, const std::vector<Tensor>& theta) {
    Tensor x = rows;
    for (std::size_t l = 0; l + 1 < theta.size(); l += 2) {
      x = torch::mm(x, theta[l]) + theta[l + 1];
      if (l + 2 < theta.size()) x = torch::tanh(x);
    }
    return x;
  };
  Reference result;
  Tensor total = torch::zeros({1}, torch::kDouble);
  std::int64_t queries = 0;
  for (std::int64_t t = 0; t < batch.size(); ++t) {
    const auto at = static_cast<std::size_t>(t);
    const std::int64_t begin = batch.support_offsets[at];
    const std::int64_t count = batch.support_offsets[at + 1] - begin;
    const std::int64_t query_begin = batch.support_rows() + batch.query_offsets[at];
    const std::int64_t query = batch.query_offsets[at + 1] - batch.query_offsets[at];
    const Tensor support = inputs.narrow(0, begin, count);
    const Tensor known = labels.narrow(0, begin, count);
    std::vector<Tensor> theta = model->meta_block->weights();
    for (Tensor& weight : theta) weight = weight * 1.0;
    const auto embed = [&] {
      const Tensor outputs = block(model->meta_inputs.select(support), theta);
      return model->default_embedding +
             outputs.sum(0, true) / (static_cast<double>(count) + model->pooling_shrinkage());
    };
    const auto rates = model->inner_rates();
    for (std::int64_t k = 0; k < steps && count > 0; ++k) {
      const Tensor embedding = embed();
      const Tensor logits = model->global_block(embedding.expand({count, -1}), support);
      const Tensor loss =
          torch::binary_cross_entropy_with_logits(logits, known, {}, {}, at::Reduction::Sum);
      Tensor seed = torch::autograd::grad({loss}, {embedding}, {}, true, second)[0];
      const Tensor length = seed.norm() / (static_cast<double>(count) + model->shrinkage());
      if (length.item<double>() > kInnerClip) {
        ++result.cut;
        seed = seed * kInnerClip / length;
      }
      const auto gradients = torch::autograd::grad({embedding}, theta, {seed}, true, second);
      for (std::size_t i = 0; i < theta.size(); ++i) {
        theta[i] =
            theta[i] - rates[i] * gradients[i] / (static_cast<double>(count) + model->shrinkage());
      }
    }
    const Tensor embedding = embed();
    result.embeddings.push_back(embedding);
    const Tensor logits =
        model->global_block(embedding.expand({query, -1}), inputs.narrow(0, query_begin, query));
    total = total + torch::binary_cross_entropy_with_logits(
                        logits, labels.narrow(0, query_begin, query), {}, {}, at::Reduction::Sum);
    queries += query;
  }
  result.loss = total / static_cast<double>(queries);
  return result;
}

class EpisodeOrder : public testing::TestWithParam<bool> {
 protected:
  /// `steepness`: what the last layer is multiplied by, and with it the inner gradients.
  void compare(double steepness, bool cut);
};

void EpisodeOrder::compare(double steepness, bool cut) {
  const bool second = GetParam();
  const InputLayout layout = test::small_layout();
  MetaOptions meta;
  meta.inner_learning_rate_start = 1.2;
  RankingModel model = test::make_test_model(layout, test::smooth_model(), meta);
  const TaskBatch batch = test::random_batch(layout, {4, 0, 1, 7}, {3, 2, 5, 1}, 3);
  {
    const torch::NoGradGuard no_grad;
    model->named_parameters()["global_block.head.weight"].mul_(steepness);
  }

  const auto leaves = model->tables.gather(batch.rows, true);
  const Reference expected = reference_episode(model, batch, leaves, 3, second);
  EXPECT_EQ(expected.cut > 0, cut);
  expected.loss.backward();
  std::map<std::string, Tensor> gradients;
  for (const auto& parameter : model->named_parameters()) {
    gradients[parameter.key()] = parameter.value().grad().clone();
    parameter.value().mutable_grad() = Tensor();
  }

  EpisodeOptions options;
  options.train = true;
  options.second_order = second;
  options.steps = 3;
  const Episode episode = run_episode(model, batch, options);
  const LossSum sum = loss_sum(episode.query_logits, episode.query_labels);
  const Tensor loss = sum.sum / sum.count;
  loss.backward();
  EXPECT_NEAR(loss.item<double>(), expected.loss.item<double>(), 1e-12);
  for (const auto& parameter : model->named_parameters()) {
    EXPECT_TRUE(torch::allclose(parameter.value().grad(), gradients[parameter.key()], 1e-9, 1e-12))
        << parameter.key();
  }
  for (std::size_t t = 0; t < leaves.size(); ++t) {
    EXPECT_TRUE(torch::allclose(episode.table_rows[t].grad(), leaves[t].grad(), 1e-9, 1e-12));
  }
}

TEST_P(EpisodeOrder, EqualsALoopOverTasks) {
  compare(1, false);
}

TEST_P(EpisodeOrder, LongInnerGradientsAreCut) {
  compare(300, true);
}

INSTANTIATE_TEST_SUITE_P(Orders, EpisodeOrder, testing::Bool(), [](const auto& tested) {
  return std::string(tested.param ? "second" : "first");
});

TEST(Episode, FirstAndSecondOrderDiffer) {
  const InputLayout layout = test::small_layout();
  RankingModel model = test::make_test_model(layout, test::smooth_model(), MetaOptions{});
  const TaskBatch batch = test::random_batch(layout, {4, 6}, {3, 2}, 3);
  const auto phi_gradient = [&](bool second) {
    for (auto& parameter : model->parameters()) parameter.mutable_grad() = Tensor();
    EpisodeOptions options{.train = true, .second_order = second, .steps = 2};
    const Episode episode = run_episode(model, batch, options);
    loss_sum(episode.query_logits, episode.query_labels).sum.backward();
    return model->named_parameters()["global_block.head.weight"].grad().clone();
  };
  // The exact gradient has a term for the global block too.
  EXPECT_FALSE(torch::allclose(phi_gradient(true), phi_gradient(false), 1e-4, 1e-6));
}

TEST(Episode, AdaptationOutsideTrainingGivesTheTrainedEmbedding) {
  const InputLayout layout = test::small_layout();
  for (const char* adapt : {"weights", "embedding"}) {
    ModelOptions options = test::smooth_model();
    options.meta_block.adapt = adapt;
    RankingModel model = test::make_test_model(layout, options, MetaOptions{});
    const TaskBatch batch = test::random_batch(layout, {4, 0, 3}, {3, 2, 2}, 3);
    const Episode trained =
        run_episode(model, batch, {.train = true, .second_order = true, .steps = 3});
    const Episode served = run_episode(model, batch, {.train = false, .steps = 3});
    EXPECT_TRUE(torch::allclose(trained.embeddings, served.embeddings, 1e-12, 1e-12));
    EXPECT_TRUE(torch::allclose(trained.query_logits, served.query_logits, 1e-12, 1e-12));
    EXPECT_FALSE(served.query_logits.requires_grad());
    ASSERT_EQ(served.support_losses.size(), 3U);
    EXPECT_LT(served.support_losses.back(), served.support_losses.front());
  }
}

TEST(Episode, TaskWithoutSupportGetsTheDefaultEmbedding) {
  const InputLayout layout = test::small_layout();
  RankingModel model = test::make_test_model(layout, test::smooth_model(), MetaOptions{});
  const TaskBatch batch = test::random_batch(layout, {0, 5, 0}, {2, 2, 2}, 9);
  const Episode episode = run_episode(model, batch, {.steps = 3});
  EXPECT_TRUE(torch::equal(episode.embeddings[0], model->default_embedding[0]));
  EXPECT_TRUE(torch::equal(episode.embeddings[2], model->default_embedding[0]));
  EXPECT_FALSE(torch::allclose(episode.embeddings[1], model->default_embedding[0]));
}

/// A task's embedding must not depend on who shares its batch.
TEST(Episode, TasksDoNotLeakIntoEachOther) {
  const InputLayout layout = test::small_layout();
  for (const bool everything : {false, true}) {
    ModelOptions options = test::smooth_model();
    options.statistics.enabled = everything;
    options.history.enabled = everything;
    options.history.signal = everything ? "residual" : "label";
    RankingModel model = test::make_test_model(layout, options, MetaOptions{});
    TaskBatch both = test::random_batch(layout, {4, 6}, {3, 3}, 3);
    const Episode before = run_episode(model, both, {.steps = 2});
    // Flip every label of the second task's support.
    for (std::size_t row = 4; row < 10; ++row) both.rows.labels[row] = 1 - both.rows.labels[row];
    const Episode after = run_episode(model, both, {.steps = 2});
    EXPECT_TRUE(
        torch::equal(before.query_logits.narrow(0, 0, 3), after.query_logits.narrow(0, 0, 3)));
    EXPECT_FALSE(
        torch::allclose(before.query_logits.narrow(0, 3, 3), after.query_logits.narrow(0, 3, 3)));
  }
}

/// Query labels must never reach the query logits.
TEST(Episode, QueryLabelsAreNotSeen) {
  const InputLayout layout = test::small_layout();
  ModelOptions options = test::smooth_model();
  options.statistics.enabled = true;
  options.history.enabled = true;
  RankingModel model = test::make_test_model(layout, options, MetaOptions{});
  TaskBatch batch = test::random_batch(layout, {4, 6}, {3, 3}, 3);
  const Episode before = run_episode(model, batch, {.steps = 2});
  for (std::size_t row = 10; row < 16; ++row) batch.rows.labels[row] = 1 - batch.rows.labels[row];
  EXPECT_TRUE(
      torch::equal(before.query_logits, run_episode(model, batch, {.steps = 2}).query_logits));
}

/// Loss, gradients and what would be stored, with each row's repetitions as its weight and as
/// copies.
void expect_weights_equal_copies(const std::string& parts, const std::vector<int>& repeats,
                                 std::int64_t steps) {
  SCOPED_TRACE(parts);
  const InputLayout layout = test::small_layout();
  ModelOptions options = test::smooth_model();
  options.meta_block.adapt = parts == "embedding" ? "embedding" : "weights";
  const bool history = parts == "mean" || parts == "attention" || parts == "transformer";
  options.statistics.enabled = options.history.enabled = history;
  options.history.pooling = history ? parts : "mean";
  options.history.signal = "residual";
  options.history.dim = parts == "transformer" ? 4 : 3;
  RankingModel model = test::make_test_model(layout, options, MetaOptions{});
  TaskBatch weighed = test::random_batch(layout, {5, 0, 2, 3}, {3, 1, 2, 1}, 3);
  const TaskBatch copied = test::repeat_rows(weighed, repeats);
  weighed.rows.weights.assign(repeats.begin(), repeats.end());
  struct Outcome {
    Tensor loss, embeddings;
    std::map<std::string, Tensor> gradients;
  };
  const auto outcome = [&](const TaskBatch& batch) {
    for (auto& parameter : model->parameters()) parameter.mutable_grad() = Tensor();
    const Episode episode =
        run_episode(model, batch, {.train = true, .second_order = true, .steps = steps});
    const Tensor loss =
        loss_sum(episode.query_logits, episode.query_labels, episode.query_weights).mean();
    loss.backward();
    Outcome result{loss.detach(), episode.embeddings.detach(), {}};
    for (const auto& parameter : model->named_parameters()) {
      if (parameter.value().grad().defined()) {
        result.gradients[parameter.key()] = parameter.value().grad().clone();
      }
    }
    return result;
  };
  const Outcome with_weights = outcome(weighed), with_copies = outcome(copied);
  EXPECT_TRUE(torch::allclose(with_weights.loss, with_copies.loss, 1e-9, 1e-12));
  EXPECT_TRUE(torch::allclose(with_weights.embeddings, with_copies.embeddings, 1e-9, 1e-12));
  EXPECT_GT(with_weights.gradients.size(), 10U);
  for (const auto& [name, gradient] : with_weights.gradients) {
    EXPECT_TRUE(torch::allclose(gradient, with_copies.gradients.at(name), 1e-8, 1e-11)) << name;
  }
}

TEST(Episode, WeightsCountAsRepetitions) {
  const std::vector<int> repeats = {2, 1, 0, 3, 1, 0, 0, 1, 4, 1, 2, 1, 0, 2, 1, 1, 3};
  expect_weights_equal_copies("block", repeats, 2);
  expect_weights_equal_copies("embedding", repeats, 2);
  // In the inner loop a support row must not see its own label: of a row of weight 2 both halves
  // are left out, of two copies only the row itself. So without inner steps.
  expect_weights_equal_copies("mean", repeats, 0);
  expect_weights_equal_copies("attention", repeats, 0);
}

TEST(Episode, RowsOfWeightZeroAreAbsent) {
  const std::vector<int> kept = {1, 1, 0, 1, 0, 0, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1};
  for (const char* parts : {"block", "embedding", "mean", "attention", "transformer"}) {
    expect_weights_equal_copies(parts, kept, 2);
  }
}

TEST(Episode, RowsThatAllWeighNothingHaveNoLoss) {
  const Tensor logits = torch::tensor({{0.3}, {-1.0}}, torch::kDouble).requires_grad_();
  const Tensor labels = torch::tensor({{1.0}, {0.0}}, torch::kDouble);
  const Tensor loss = loss_sum(logits, labels, torch::zeros({2, 1}, torch::kDouble)).mean();
  loss.backward();
  EXPECT_EQ(loss.item<double>(), 0);
  EXPECT_TRUE(torch::equal(logits.grad(), torch::zeros({2, 1}, torch::kDouble)));
}

TEST(Episode, AbsentLabelsCountForNothing) {
  const Tensor logits = torch::tensor({{0.3}, {-1.0}, {2.0}}, torch::kDouble);
  const Tensor labels = torch::tensor({{1.0}, {std::nan("")}, {0.0}}, torch::kDouble);
  const LossSum loss = loss_sum(logits, labels);
  EXPECT_EQ(loss.count.item<double>(), 2);
  EXPECT_NEAR(loss.sum.item<double>(), std::log1p(std::exp(-0.3)) + std::log1p(std::exp(2.0)),
              1e-12);
}

TEST(Loss, LabelsCountByTheirWeights) {
  const torch::Tensor logits = torch::randn({4, 2}, torch::kDouble);
  torch::Tensor labels = torch::tensor({{1.0, 0.0}, {0.0, 1.0}, {1.0, 1.0}, {0.0, 0.0}});
  labels = labels.to(torch::kDouble);
  labels[1][1] = std::nan("");
  const auto of = [&](std::int64_t label) {
    return loss_sum(logits.narrow(1, label, 1), labels.narrow(1, label, 1));
  };
  const LossSum weighed = loss_sum(logits, labels, {}, torch::tensor({3.0, 0.5}, torch::kDouble));
  EXPECT_NEAR(weighed.sum.item<double>(),
              3 * of(0).sum.item<double>() + 0.5 * of(1).sum.item<double>(), 1e-12);
  EXPECT_NEAR(weighed.count.item<double>(), 3 * 4 + 0.5 * 3, 1e-12);
}

}  // namespace
}  // namespace limber
