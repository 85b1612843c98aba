// Training and serving compute the same: every combination of layers and feature kinds, built on
// both sides from one published artifact, and compared on the rows of one small log that holds what
// logs hold: empty lists, unknown ids, missing numbers, absent labels, members with no support and
// with all of it.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "limber/core/base/files.h"
#include "limber/core/base/random.h"
#include "limber/core/data/dataset_builder.h"
#include "limber/core/data/samplers.h"
#include "limber/serving/runtime/adapter.h"
#include "limber/serving/runtime/dataset_rows.h"
#include "limber/serving/runtime/scorer.h"
#include "limber/training/meta/episode.h"
#include "limber/training/train/last_layer_posterior.h"
#include "limber/training/train/publish.h"
#include "tests/parity_shapes.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

class Parity {
 public:
  Parity() { write_log(folder_.path()); }

  /// Compares every member, and every later row of every member's, under one shape. `steepness`:
  /// what the last layers are multiplied by, and with them the gradients of the inner loop.
  void check(const Shape& shape, double steepness = 1) {
    SCOPED_TRACE(shape.text());
    const Config config = make_config(folder_.path(), shape);
    const Dataset& dataset = dataset_for(config, shape.weights);
    RankingModel model(dataset.layout, config.model, config.meta, std::vector<double>{0.3, 0.6}, 7,
                       torch::TensorOptions().dtype(torch::kFloat));
    model->eval();
    scatter(model);
    for (auto& parameter : model->global_block->named_parameters()) {
      const torch::NoGradGuard no_grad;
      if (parameter.key().ends_with("head.weight")) parameter.value().mul_(steepness);
    }
    const fs::path published = publish_model(folder_.path() / "models", config, dataset, model,
                                             nlohmann::json::object(), "");
    std::vector<std::string> shared;
    for (const char* const name : {"age", "city"}) {
      if (!shape.subset || std::string_view(name) == "age") shared.push_back(name);
    }
    compare(model, dataset, RuntimeModel::load(Artifact::open(published), shared));
    fs::remove_all(folder_.path() / "models");
  }

  /// Compares logits under a draw of the last layers with those that training's z gives.
  void check_drawn(const Shape& shape) {
    SCOPED_TRACE(shape.text());
    const Config config = make_config(folder_.path(), shape);
    const Dataset& dataset = dataset_for(config, shape.weights);
    RankingModel model(dataset.layout, config.model, config.meta, std::vector<double>{0.3, 0.6}, 7,
                       torch::TensorOptions().dtype(torch::kFloat));
    model->eval();
    scatter(model);
    const std::vector<LastLayerState> states = last_layer_posteriors(model, dataset, config);
    const fs::path published = publish_model(folder_.path() / "models", config, dataset, model,
                                             nlohmann::json::object(), "", {.last_layers = states});
    const auto runtime = RuntimeModel::load(Artifact::open(published), {"age", "city"});
    fs::remove_all(folder_.path() / "models");
    ASSERT_TRUE(runtime->last_layers.has_value());
    DrawnLastLayers drawn;
    Random random(5);
    runtime->last_layers->draw(random, 1, drawn);
    const LastLayerView view = drawn.view();

    EvaluationSampler::Options sampled;
    sampled.part = Part::test;
    sampled.support = 0;
    const EvaluationSampler sampler(dataset, sampled);
    BatchMaker maker(dataset);
    TaskBatch batch;
    const EpisodePlan plan = sampler.plan(0);
    gather_episode(plan, maker, batch);
    EpisodeOptions options;
    options.last_layers = true;
    const Episode episode = run_episode(model, batch, options);
    // The same draw in training's order of the inputs.
    Random same(5);
    torch::Tensor expected = torch::empty_like(episode.query_logits);
    for (std::int64_t l = 0; l < model->labels(); ++l) {
      const LastLayerState& state = states[static_cast<std::size_t>(l)];
      const LastLayerSampler label({state.mean.begin(), state.mean.end()},
                                   {state.factor.begin(), state.factor.end()});
      torch::Tensor weights = torch::empty({static_cast<std::int64_t>(label.dim())});
      label.draw(same, 1, {weights.data_ptr<float>(), label.dim()});
      const std::int64_t width = weights.numel() - 1;
      const torch::Tensor z = episode.last.inputs[static_cast<std::size_t>(l)];
      expected.select(1, l).copy_(torch::mv(z.narrow(1, 0, width), weights.narrow(0, 0, width)) +
                                  weights[width]);
    }
    const float scale = std::max(1.0F, expected.abs().max().item<float>());
    ASSERT_GT((expected - episode.query_logits).abs().max().item<float>(), 1e-3);
    Scorer scorer(runtime);
    DatasetRows rows(dataset);
    for (std::size_t t = 0; t + 1 < plan.query_offsets.size(); ++t) {
      const auto first = static_cast<std::size_t>(plan.query_offsets[t]);
      const auto last = static_cast<std::size_t>(plan.query_offsets[t + 1]);
      const RowSet& candidates = rows.gather(std::span(plan.query).subspan(first, last - first));
      MemberVector member;
      for (std::int64_t c = 0; c < episode.members.size(1); ++c) {
        member.known.push_back(episode.members[static_cast<std::int64_t>(t)][c].item<float>());
      }
      std::vector<float> logits((last - first) * static_cast<std::size_t>(model->labels()));
      scorer.score(member, candidates, logits, &view);
      for (std::size_t i = 0; i < logits.size(); ++i) {
        const auto at = static_cast<std::int64_t>(i);
        const float wanted =
            expected[static_cast<std::int64_t>(first) + at / model->labels()][at % model->labels()]
                .item<float>();
        ASSERT_NEAR(logits[i], wanted, 1e-5 * scale) << "task " << t << ", logit " << i;
      }
    }
  }

  /// Bends are met by chance, about once in tens of thousands of members; and all but one logit in
  /// ten thousand are within 1e-5.
  void expect_few_exceptions() const {
    EXPECT_LE(coarse_, logits_ / 10000) << coarse_ << " of " << logits_;
    ::testing::Test::RecordProperty("logits", static_cast<int>(logits_));
    ::testing::Test::RecordProperty("coarse", static_cast<int>(coarse_));
    EXPECT_LE(bends_, 1 + members_ / 5000) << bends_ << " of " << members_;
    ::testing::Test::RecordProperty("members", static_cast<int>(members_));
    ::testing::Test::RecordProperty("bends", static_cast<int>(bends_));
  }

 private:
  const Dataset& dataset_for(const Config& config, bool weights) {
    auto& dataset = datasets_[weights ? 1 : 0];
    if (!dataset) {
      const fs::path cache = folder_.path() / (weights ? "weighted" : "plain");
      fs::create_directories(cache);
      dataset = std::make_unique<Dataset>(build_dataset(config, cache));
    }
    return *dataset;
  }

  /// Whether LibTorch's own result moves about as far as it is from ours when all weights move by a
  /// millionth: a support row stands so near to a bend of a relu or of a curve that the last bit
  /// decides to which side its gradient belongs.
  static bool stands_at_a_bend(RankingModel& model, const TaskBatch& batch,
                               const EpisodeOptions& options, std::int64_t task,
                               std::int64_t column, float apart) {
    const torch::NoGradGuard no_grad;
    std::vector<torch::Tensor> kept;
    for (const torch::Tensor& parameter : model->parameters()) kept.push_back(parameter.clone());
    const auto value = [&] {
      return run_episode(model, batch, options).members[task][column].item<float>();
    };
    const float expected = value();
    bool moves = false;
    for (int trial = 0; trial < 20 && !moves; ++trial) {
      std::size_t i = 0;
      for (torch::Tensor& parameter : model->parameters()) {
        parameter.copy_(kept[i] * (1 + 1e-6 * torch::randn_like(kept[i])));
        ++i;
      }
      moves = std::abs(value() - expected) > apart / 2;
    }
    std::size_t i = 0;
    for (torch::Tensor& parameter : model->parameters()) parameter.copy_(kept[i++]);
    return moves;
  }

  void compare(RankingModel& model, const Dataset& dataset,
               std::shared_ptr<const RuntimeModel> runtime) {
    EpisodePlan plan;
    for (std::size_t t = 0; t < dataset.tasks.size(); ++t) {
      const TaskRows& task = dataset.tasks[t];
      // From no support row to the most that is kept.
      const std::int64_t count = task.end - task.begin;
      const std::int64_t support =
          t == 3 ? 0
                 : std::min<std::int64_t>({kSupport, count - 1, 1 + static_cast<std::int64_t>(t)});
      for (std::int64_t r = 0; r < support; ++r) plan.support.push_back(task.begin + r);
      for (std::int64_t r = support; r < count; ++r) plan.query.push_back(task.begin + r);
      plan.close_task(static_cast<std::int64_t>(t));
    }
    BatchMaker maker(dataset);
    TaskBatch batch;
    gather_episode(plan, maker, batch);
    const auto absent = [](std::int64_t row) { return row % 7 == 3; };
    const std::int64_t labels = model->labels();
    for (std::size_t i = 0; i < batch.rows.dataset_rows.size(); ++i) {
      if (absent(batch.rows.dataset_rows[i])) {
        batch.rows.labels[i * static_cast<std::size_t>(labels)] = std::nanf("");
      }
    }
    EpisodeOptions options;
    options.steps = 3;
    const Episode episode = run_episode(model, batch, options);
    const torch::Tensor members = episode.members.contiguous();
    const torch::Tensor logits = episode.query_logits.contiguous();

    // A logit is a sum of terms that may be larger than itself; they round as the largest do.
    const float scale = std::max(1.0F, logits.abs().max().item<float>());

    Adapter adapter(runtime);
    Scorer scorer(runtime);
    DatasetRows support_rows(dataset), query_rows(dataset);
    double moved = 0;
    // A model without support scores all rows alike, support rows first.
    const std::int64_t before = model->uses_support() ? 0 : batch.support_rows();
    for (std::size_t t = 0; t < dataset.tasks.size(); ++t) {
      const auto slice = [&](const std::vector<std::int64_t>& rows,
                             const std::vector<std::int64_t>& offsets) {
        return std::span(rows).subspan(static_cast<std::size_t>(offsets[t]),
                                       static_cast<std::size_t>(offsets[t + 1] - offsets[t]));
      };
      const auto query = slice(plan.query, plan.query_offsets);
      SupportRows support;
      const RowSet& candidates = query_rows.gather(query);
      const auto chosen = slice(plan.support, plan.support_offsets);
      support.rows = &support_rows.gather(chosen);
      std::vector<float> known(
          support_rows.labels(),
          support_rows.labels() + static_cast<std::int64_t>(chosen.size()) * labels);
      for (std::size_t i = 0; i < chosen.size(); ++i) {
        if (absent(chosen[i])) known[i * static_cast<std::size_t>(labels)] = std::nanf("");
      }
      support.labels = known.data();
      support.weights = support_rows.weights();
      support.member = &candidates;
      const MemberVector member = adapter.adapt(support, 3);
      ASSERT_EQ(static_cast<std::int64_t>(member.known.size()), members.size(1));
      ++members_;
      for (std::int64_t c = 0; c < members.size(1); ++c) {
        const float expected = members[static_cast<std::int64_t>(t)][c].item<float>();
        const float apart = std::abs(member.known[static_cast<std::size_t>(c)] - expected);
        if (apart > 1e-4 * std::max(1.0F, std::abs(expected)) &&
            stands_at_a_bend(model, batch, options, static_cast<std::int64_t>(t), c, apart)) {
          ++bends_;
          break;
        }
        ASSERT_NEAR(member.known[static_cast<std::size_t>(c)], expected,
                    1e-4 * std::max(1.0F, std::abs(expected)))
            << "member " << t << ", column " << c;
      }
      // The same member once more: nothing of the last one stays behind.
      const MemberVector again = adapter.adapt(support, 3);
      ASSERT_EQ(member.joined(), again.joined());

      // Logits under LibTorch's own vector, so that only the forward pass differs.
      MemberVector theirs = member;
      for (std::size_t c = 0; c < theirs.known.size(); ++c) {
        theirs.known[c] =
            members[static_cast<std::int64_t>(t)][static_cast<std::int64_t>(c)].item<float>();
      }
      std::vector<float> scores(query.size() * static_cast<std::size_t>(labels));
      scorer.score(theirs, candidates, scores);
      for (std::size_t q = 0; q < query.size(); ++q) {
        for (std::int64_t l = 0; l < labels; ++l) {
          const auto at = before + static_cast<std::int64_t>(q) + plan.query_offsets[t];
          const float expected = logits[at][l].item<float>();
          const float got =
              scores[q * static_cast<std::size_t>(labels) + static_cast<std::size_t>(l)];
          // Crosses multiply rounding errors; of a few logits in the thousands of shapes, both
          // sides keep a digit less.
          ++logits_;
          if (std::abs(got - expected) > 1e-5 * scale) ++coarse_;
          ASSERT_NEAR(got, expected, 1e-4 * scale)
              << "member " << t << ", row " << q << ", label " << l;
          moved = std::max(moved, static_cast<double>(std::abs(expected)));
        }
      }
    }
    ASSERT_GT(moved, 1e-3) << "the logits are all but zero: nothing was compared";
  }

  TemporaryFolder folder_;
  std::unique_ptr<Dataset> datasets_[2];
  std::int64_t members_ = 0, bends_ = 0, logits_ = 0, coarse_ = 0;
};

TEST(RuntimeParity, ASampleOfAllShapes) {
  at::set_num_threads(1);
  Parity parity;
  std::vector<Shape> shapes = all_shapes();
  Random(1).shuffle(std::span(shapes));
  for (std::size_t i = 0; i < 150; ++i) {
    parity.check(shapes[i]);
    if (HasFatalFailure()) return;
  }
}

/// So steep that inner gradients are longer than is believed.
TEST(RuntimeParity, LongInnerGradientsAreCutAlike) {
  at::set_num_threads(1);
  Parity parity;
  std::vector<Shape> shapes = all_shapes();
  Random(3).shuffle(std::span(shapes));
  std::size_t checked = 0;
  for (const Shape& shape : shapes) {
    if (shape.meta == "off" || shape.experts != "none") continue;
    parity.check(shape, 15);
    if (HasFatalFailure()) return;
    if (++checked == 40) break;
  }
}

TEST(RuntimeParity, DrawnLastLayers) {
  at::set_num_threads(1);
  Parity parity;
  std::vector<Shape> shapes = all_shapes();
  Random(2).shuffle(std::span(shapes));
  std::size_t checked = 0;
  for (const Shape& shape : shapes) {
    // What stands between z and the logit is not drawn.
    if (shape.calibration != "off" || shape.wide || shape.history != "off") continue;
    parity.check_drawn(shape);
    if (HasFatalFailure()) return;
    if (++checked == 60) break;
  }
  EXPECT_EQ(checked, 60U);
}

/// Every shape, in two halves that a machine with two processors runs side by side.
void check_half(std::size_t half) {
  at::set_num_threads(1);
  Parity parity;
  const std::vector<Shape> shapes = all_shapes();
  for (std::size_t i = half; i < shapes.size(); i += 2) {
    parity.check(shapes[i]);
    if (::testing::Test::HasFatalFailure()) return;
  }
  parity.expect_few_exceptions();
}

TEST(SlowRuntimeParity, EveryEvenShape) {
  check_half(0);
}

TEST(SlowRuntimeParity, EveryOddShape) {
  check_half(1);
}

}  // namespace
}  // namespace limber
