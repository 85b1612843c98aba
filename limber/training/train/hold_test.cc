#include "limber/training/train/hold.h"

#include <algorithm>

#include "limber/core/data/loader.h"
#include "limber/training/meta/test_episode.h"
#include "limber/training/train/dense_optimizer.h"
#include "limber/training/train/training_case_for_test.h"
#include "limber/training/train/training_sampler.h"

namespace limber {
namespace {

using torch::Tensor;

RankingModel small_model() {
  return test::make_test_model(test::small_layout(), test::smooth_model(), MetaOptions());
}

/// Random weights and Fisher information for a model's tensors, `less` rows fewer in the tables.
Hold::Term random_term(const RankingModel& model, double strength, std::int64_t less = 0) {
  Hold::Term term;
  term.strength = strength;
  for (const auto& item : model->named_parameters()) {
    term.weights[item.key()] = torch::randn_like(item.value().detach());
    term.fisher[item.key()] = torch::rand_like(item.value().detach());
  }
  for (std::size_t t = 0; t < model->tables.weights().size(); ++t) {
    const Tensor& table = model->tables.weights()[t];
    const std::string name = "tables." + model->tables.shapes()[t].name;
    const std::int64_t rows = table.size(0) - less;
    term.weights[name] = torch::randn({rows, table.size(1)}, table.options());
    term.fisher[name] = torch::rand({rows, table.size(1)}, table.options());
  }
  return term;
}

/// Every row of every table.
RowBatch whole_tables(const RankingModel& model) {
  RowBatch batch;
  for (const Tensor& table : model->tables.weights()) {
    auto& rows = batch.table_rows.emplace_back();
    for (std::int64_t row = 0; row < table.size(0); ++row) rows.push_back(row);
  }
  return batch;
}

void forget_gradients(RankingModel& model) {
  for (Tensor& parameter : model->parameters()) parameter.mutable_grad() = Tensor();
}

/// strength/2 (w - w')' diag(H) (w - w') of the terms, as it is written.
double written_out(const RankingModel& model, const std::vector<Hold::Term>& terms) {
  double sum = 0;
  for (const Hold::Term& term : terms) {
    const auto add = [&](const Tensor& weight, const std::string& name) {
      const Tensor& before = term.weights.at(name);
      const Tensor moved = weight.detach().narrow(0, 0, before.size(0)) - before;
      sum += term.strength / 2 * (term.fisher.at(name) * moved.square()).sum().item<double>();
    };
    for (const auto& item : model->named_parameters()) add(item.value(), item.key());
    for (std::size_t t = 0; t < model->tables.weights().size(); ++t) {
      add(model->tables.weights()[t], "tables." + model->tables.shapes()[t].name);
    }
  }
  return sum;
}

TEST(HoldTest, ValueAndGradientAreTheFormulas) {
  RankingModel model = small_model();
  const std::vector<Hold::Term> terms = {random_term(model, 0.7), random_term(model, 2, 1)};
  const Hold hold(model, terms);
  const double constant = written_out(model, terms) - hold.value(model);
  const RowBatch batch = whole_tables(model);
  std::vector<Tensor> leaves = model->tables.gather(batch, true);
  forget_gradients(model);
  hold.add_gradients(model, batch, leaves);
  std::vector<Tensor> weights = model->parameters(), gradients;
  for (const Tensor& weight : weights) gradients.push_back(weight.grad());
  for (std::size_t t = 0; t < leaves.size(); ++t) {
    weights.push_back(model->tables.weights()[t]);
    gradients.push_back(leaves[t].grad());
  }
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Tensor direction = torch::randn_like(weights[i]);
    constexpr double step = 1e-4;
    weights[i].add_(direction, step);
    const double up = written_out(model, terms);
    EXPECT_NEAR(up - hold.value(model), constant, 1e-9);
    weights[i].add_(direction, -2 * step);
    const double down = written_out(model, terms);
    weights[i].add_(direction, step);
    EXPECT_NEAR((gradients[i] * direction).sum().item<double>(), (up - down) / (2 * step), 1e-6);
  }
}

/// A loss 1/2 d (w - a)^2 and a hold s (w - c)^2 / 2 meet at (d a + s c) / (d + s).
TEST(HoldTest, AQuadraticLossEndsAtItsMinimum) {
  RankingModel model = small_model();
  const Hold::Term term = random_term(model, 3);
  const Hold hold(model, {term});
  const std::vector<Tensor> parameters = model->parameters();
  std::vector<Tensor> curvature, optimum;
  for (const Tensor& parameter : parameters) {
    curvature.push_back(torch::rand_like(parameter.detach()) + 0.5);
    optimum.push_back(torch::randn_like(parameter.detach()));
  }
  TrainOptions options;
  options.optimizer = "sgd";
  DenseOptimizer optimizer(parameters, options);
  RowBatch nothing;
  nothing.table_rows.resize(model->tables.weights().size());
  std::vector<Tensor> no_rows(nothing.table_rows.size());
  for (int step = 0; step < 500; ++step) {
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      Tensor parameter = parameters[p];
      parameter.mutable_grad() = curvature[p] * (parameter.detach() - optimum[p]);
    }
    hold.add_gradients(model, nothing, no_rows);
    optimizer.step(0.2);
  }
  for (const auto& item : model->named_parameters()) {
    const auto p = static_cast<std::size_t>(
        std::find_if(parameters.begin(), parameters.end(),
                     [&](const Tensor& tensor) { return tensor.is_same(item.value()); }) -
        parameters.begin());
    const Tensor stiffness = 3 * term.fisher.at(item.key());
    const Tensor expected = (curvature[p] * optimum[p] + stiffness * term.weights.at(item.key())) /
                            (curvature[p] + stiffness);
    EXPECT_TRUE(torch::allclose(item.value().detach(), expected, 1e-6, 1e-8)) << item.key();
  }
}

TEST(HoldTest, WhatNoTermKnowsIsFree) {
  RankingModel model = small_model();
  const Hold hold(model, {random_term(model, 1, 1)});
  const RowBatch batch = whole_tables(model);
  std::vector<Tensor> leaves = model->tables.gather(batch, true);
  hold.add_gradients(model, batch, leaves);
  for (const Tensor& leaf : leaves) {
    EXPECT_EQ(leaf.grad()[-1].abs().max().item<double>(), 0) << "a new row";
    EXPECT_GT(leaf.grad()[0].abs().max().item<double>(), 0);
  }
  EXPECT_TRUE(Hold().empty());
  EXPECT_EQ(Hold().value(model), 0);
}

class HoldInTrainingTest : public TrainingCase {};

/// The mean over an epoch's steps of what the hold adds to a row is its gradient, however seldom
/// the row is touched.
TEST_F(HoldInTrainingTest, RareRowsAreHeldAsMuchAsOthers) {
  const Config given = config({"model.meta_block.enabled=false", "train.batch=32"});
  const Dataset dataset = build(given);
  RankingModel model = make_model(given, dataset, torch::kCPU);
  Hold hold(model, {random_term(model, 1)});
  const RowBatch all = whole_tables(model);
  std::vector<Tensor> leaves = model->tables.gather(all, true);
  hold.add_gradients(model, all, leaves);

  const auto epoch = training_sampler(model, dataset, given, 0);
  hold.count_touches(*epoch, dataset);
  std::vector<Tensor> sums, touches;
  for (const Tensor& table : model->tables.weights()) {
    sums.push_back(torch::zeros_like(table));
    touches.push_back(torch::zeros({table.size(0), 1}));
  }
  Loader loader(dataset, *epoch);
  while (const auto batch = loader.next()) {
    std::vector<Tensor> rows = model->tables.gather(batch->rows, true);
    hold.add_gradients(model, batch->rows, rows);
    for (std::size_t t = 0; t < rows.size(); ++t) {
      if (batch->rows.table_rows[t].empty()) continue;
      const Tensor index = torch::tensor(batch->rows.table_rows[t], torch::kLong);
      sums[t].index_add_(0, index, rows[t].grad());
      touches[t].index_add_(0, index, torch::ones({index.size(0), 1}));
    }
  }
  const auto steps = static_cast<double>(epoch->batches());
  bool some_are_rare = false;
  for (std::size_t t = 0; t < sums.size(); ++t) {
    const Tensor expected = leaves[t].grad() * (touches[t] > 0);
    EXPECT_TRUE(torch::allclose(sums[t] / steps, expected, 1e-4, 1e-6)) << t;
    some_are_rare |= ((touches[t] > 0) & (touches[t] < steps / 2)).any().item<bool>();
  }
  EXPECT_TRUE(some_are_rare);
}

}  // namespace
}  // namespace limber
