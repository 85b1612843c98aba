#include "limber/training/train/fisher.h"

#include <cmath>
#include <fstream>
#include <limits>

#include "limber/training/layers/parallel.h"
#include "limber/training/meta/outer_gradients.h"
#include "limber/training/train/training_case_for_test.h"
#include "limber/training/train/training_sampler.h"

namespace limber {
namespace {

using torch::Tensor;

constexpr std::int64_t one_each = std::numeric_limits<std::int32_t>::max();

class FisherTest : public TrainingCase {
 protected:
  /// The definition, from gradients of batches of one query row that training itself computes.
  static NamedTensors by_single_rows(RankingModel& model, const Dataset& dataset,
                                     const Config& config) {
    std::vector<EpisodePlan> plans;
    if (model->uses_support()) {
      TaskSampler::Options options = task_sampler_options(config);
      options.tasks_per_batch = 1;
      const TaskSampler sampler(dataset, options, config.train.epochs);
      for (std::int64_t i = 0; i < sampler.batches(); ++i) {
        const EpisodePlan all = sampler.plan(i);
        for (const std::int64_t row : all.query) {
          EpisodePlan plan;
          plan.support = all.support;
          plan.query = {row};
          plan.close_task(all.tasks.front());
          plans.push_back(plan);
        }
      }
    } else {
      for (const TaskRows& task : dataset.tasks) {
        for (std::int64_t row = task.begin; row < task.train_end; ++row) {
          EpisodePlan plan;
          plan.query = {row};
          plans.push_back(plan);
        }
      }
    }
    model->eval();
    EpisodeOptions options;
    options.train = options.second_order = true;
    options.steps = config.meta.inner_steps;
    NamedTensors sums;
    double count = 0;
    BatchMaker maker(dataset);
    for (const EpisodePlan& plan : plans) {
      TaskBatch batch;
      gather_episode(plan, maker, batch);
      const double weight = dataset.weight(plan.query.front());
      count += weight;
      const OuterGradients outer = outer_gradients(model, batch, options);
      for (const auto& item : model->named_parameters()) {
        if (!item.value().grad().defined()) continue;
        add(sums, item.key(), weight * item.value().grad().square());
      }
      for (std::size_t t = 0; t < outer.table_rows.size(); ++t) {
        if (!outer.table_rows[t].grad().defined()) continue;
        Tensor all = torch::zeros_like(model->tables.weights()[t]);
        all.index_add_(0, torch::tensor(batch.rows.table_rows[t], torch::kLong),
                       weight * outer.table_rows[t].grad().square());
        add(sums, "tables." + model->tables.shapes()[t].name, all);
      }
    }
    for (auto& [name, sum] : sums) sum.div_(count);
    return sums;
  }

  static void add(NamedTensors& sums, const std::string& name, const Tensor& value) {
    const auto [place, added] = sums.try_emplace(name, value.clone());
    if (!added) place->second.add_(value);
  }

  static void expect_close(const NamedTensors& fisher, const NamedTensors& expected) {
    for (const auto& [name, tensor] : fisher) {
      if (!expected.contains(name)) {
        EXPECT_EQ(tensor.abs().max().item<float>(), 0) << name;
        continue;
      }
      EXPECT_TRUE(torch::allclose(tensor, expected.at(name), 1e-3, 1e-8)) << name;
      EXPECT_GT(tensor.max().item<float>(), 0) << name;
    }
  }

  void expect_definition(const std::vector<std::string>& settings) {
    const Config given = config(settings);
    const Dataset dataset = build(given);
    RankingModel model = make_model(given, dataset, torch::kCPU);
    Trainer(given, dataset, model, folder_.path() / "run", true).run();
    const auto fisher = empirical_fisher(model, dataset, given, 1'000'000, one_each);
    ASSERT_TRUE(fisher);
    expect_close(fisher->tensors, by_single_rows(model, dataset, given));
  }
};

TEST_F(FisherTest, IsTheMeanOfSquaredGradientsOfSingleRows) {
  // A sequence and an id share a table: a row's gradients add up before they are squared.
  expect_definition({"model.meta_block.enabled=false"});
  expect_definition({"model.meta_block.enabled=false", "data.weight=item_id"});
}

TEST_F(FisherTest, GoesThroughTheInnerLoop) {
  expect_definition({"data.validation_share=0.3", "data.test_share=0.3"});
  expect_definition({"data.validation_share=0.3", "data.test_share=0.3",
                     "model.history.enabled=true", "model.statistics.enabled=true"});
  expect_definition({"data.validation_share=0.3", "data.test_share=0.3",
                     "model.history.enabled=true", "model.history.pooling=transformer",
                     "model.history.dim=4"});
}

/// For p = sigmoid(w x + b) the gradients of a row are (p - y) x and p - y.
TEST_F(FisherTest, LogisticRegressionInClosedForm) {
  std::ofstream log(folder_.path() / "log.csv");
  log << "user,x,y\n";
  for (int i = 0; i < 60; ++i) {
    log << i % 3 << "," << (i * 37 % 23) - 11 << "," << (i * i % 7 < 3 ? 1 : 0) << "\n";
  }
  log.close();
  const Config given = parse_config(R"(
data: {interactions: log.csv, task: user, labels: {y: y}}
features: [{name: x, kind: number, transform: none}]
model: {meta_block: {enabled: false}, global_block: {hidden: [], cross: {kind: none}}}
train: {device: cpu}
)",
                                    "test.yaml", {}, folder_.path());
  const Dataset dataset = build(given);
  RankingModel model = make_model(given, dataset, torch::kCPU);
  const double w = 0.1, b = -0.3;
  for (auto& item : model->named_parameters()) {
    const torch::NoGradGuard no_grad;
    item.value().fill_(item.value().dim() == 2 ? w : b);
  }
  double squares_w = 0, squares_b = 0, sum_w = 0, sum_b = 0, rows = 0;
  const auto xs = dataset.sources[0].columns[0].numbers.as<float>();
  for (const TaskRows& task : dataset.tasks) {
    for (std::int64_t row = task.begin; row < task.train_end; ++row, ++rows) {
      const double x = xs[static_cast<std::size_t>(row)];
      const double g = 1 / (1 + std::exp(-(w * x + b))) - dataset.label(row, 0);
      squares_w += g * x * g * x;
      squares_b += g * g;
      sum_w += g * x;
      sum_b += g;
    }
  }
  const auto fisher = empirical_fisher(model, dataset, given, 1000);
  ASSERT_TRUE(fisher);
  EXPECT_EQ(fisher->rows, static_cast<std::int64_t>(rows));
  EXPECT_EQ(fisher->examples, rows);
  const double of_w = fisher->tensors.at("global_block.head.weight").item<double>();
  const double of_b = fisher->tensors.at("global_block.head.bias").item<double>();
  EXPECT_NEAR(of_w, squares_w / rows, 1e-5 * squares_w / rows);
  EXPECT_NEAR(of_b, squares_b / rows, 1e-5);
  // The square of the mean is another thing.
  EXPECT_LT(sum_w / rows * sum_w / rows, 0.5 * of_w);
  EXPECT_LT(sum_b / rows * sum_b / rows, 0.5 * of_b);
}

/// Fewer passes than rows: without bias, and as close as their number promises.
TEST_F(FisherTest, RandomSignsEstimateIt) {
  for (const char* enabled : {"true", "false"}) {
    const Config given = config({std::string("model.meta_block.enabled=") + enabled});
    const Dataset dataset = build(given);
    RankingModel model = make_model(given, dataset, torch::kCPU);
    const auto exact = empirical_fisher(model, dataset, given, 1'000'000, one_each);
    const auto rough = empirical_fisher(model, dataset, given, 1'000'000, 64);
    const auto close = empirical_fisher(model, dataset, given, 1'000'000, 1024);
    ASSERT_TRUE(exact && rough && close);
    double sum = 0, weights = 0, rough_squares = 0, close_squares = 0;
    for (const auto& [name, tensor] : exact->tensors) {
      const Tensor used = tensor > 1e-12;
      const auto errors = [&](const Fisher& estimate) {
        return (estimate.tensors.at(name).masked_select(used) / tensor.masked_select(used) - 1)
            .to(torch::kDouble);
      };
      sum += errors(*rough).sum().item<double>();
      weights += used.sum().item<double>();
      rough_squares += errors(*rough).square().sum().item<double>();
      close_squares += errors(*close).square().sum().item<double>();
    }
    EXPECT_NEAR(sum / weights, 0, 0.1) << "weights are not independent, but none is favoured";
    EXPECT_LT(std::sqrt(rough_squares / weights), std::sqrt(2.0 / 64) * 1.5);
    EXPECT_LT(std::sqrt(close_squares / weights), std::sqrt(2.0 / 1024) * 1.5);
  }
}

TEST_F(FisherTest, SomeRowsStandForAll) {
  for (const char* enabled : {"true", "false"}) {
    const Config given = config({std::string("model.meta_block.enabled=") + enabled});
    const Dataset dataset = build(given);
    RankingModel model = make_model(given, dataset, torch::kCPU);
    const auto all = empirical_fisher(model, dataset, given, 1'000'000, one_each);
    const auto some = empirical_fisher(model, dataset, given, 300, one_each);
    ASSERT_TRUE(all && some);
    EXPECT_EQ(some->rows, 300);
    EXPECT_EQ(some->examples, all->examples);
    const double ratio = some->tensors.at("global_block.head.bias").item<double>() /
                         all->tensors.at("global_block.head.bias").item<double>();
    EXPECT_NEAR(ratio, 1, 0.2);
    // The model's mode and its gradients are not disturbed.
    model->train();
    empirical_fisher(model, dataset, given, 10);
    EXPECT_TRUE(model->is_training());
    EXPECT_FALSE(model->parameters()[0].grad().defined());
  }
}

TEST_F(FisherTest, ThreadsAgree) {
  const Config given = config();
  const Dataset dataset = build(given);
  RankingModel model = make_model(given, dataset, torch::kCPU);
  const auto one = empirical_fisher(model, dataset, given, 400);
  const int before = at::get_num_threads();
  at::set_num_threads(3);
  const auto three = empirical_fisher(model, dataset, given, 400);
  const auto again = empirical_fisher(model, dataset, given, 400);
  at::set_num_threads(before);
  ASSERT_TRUE(one && three && again);
  expect_same(three->tensors, again->tensors);
  for (const auto& [name, tensor] : one->tensors) {
    EXPECT_TRUE(torch::allclose(tensor, three->tensors.at(name), 1e-3, 1e-10)) << name;
  }
}

}  // namespace
}  // namespace limber
