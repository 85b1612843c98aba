// What integers cost in ranking quality: the test rows of a published model, scored in floats and
// with its fully connected layers in integers, for bench/score.py.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "limber/core/base/main.h"
#include "limber/core/base/progress.h"
#include "limber/core/data/dataset_builder.h"
#include "limber/core/data/samplers.h"
#include "limber/serving/runtime/adapter.h"
#include "limber/serving/runtime/dataset_rows.h"
#include "limber/serving/runtime/scorer.h"
#include "limber/training/evaluate/auc.h"

namespace limber {
namespace {

int run(int argc, char** argv) {
  CLI::App app("AUC of the test rows in floats and in integers");
  std::string path;
  app.add_option("model", path, "models/NAME")->required();
  CLI11_PARSE(app, argc, argv);
  Progress::set_quiet(true);
  const auto floats = RuntimeModel::load(Artifact::open(path), {});
  const auto integers = RuntimeModel::load(Artifact::open(path), {}, Precision::kInt8);
  const TemporaryFolder folder;
  const Dataset dataset = build_dataset(floats->config, folder.path(), &floats->encoders,
                                        &floats->layout.label_thresholds);
  EvaluationSampler::Options options;
  options.part = Part::test;
  options.support = options.support_limit = floats->config.meta.support;
  const EvaluationSampler sampler(dataset, options);
  Adapter adapter(floats);
  Scorer exact(floats), rounded(integers);
  DatasetRows support_rows(dataset), query_rows(dataset);
  std::vector<float> logits[2], truth, scores;
  const auto labels = static_cast<std::size_t>(floats->labels());
  for (std::int64_t b = 0; b < sampler.batches(); ++b) {
    const EpisodePlan plan = sampler.plan(b);
    for (std::size_t t = 0; t < plan.tasks.size(); ++t) {
      const auto part = [&](const auto& rows, const auto& offsets) {
        return std::span(rows).subspan(static_cast<std::size_t>(offsets[t]),
                                       static_cast<std::size_t>(offsets[t + 1] - offsets[t]));
      };
      const auto query = part(plan.query, plan.query_offsets);
      SupportRows support;
      support.rows = &support_rows.gather(part(plan.support, plan.support_offsets));
      support.labels = support_rows.labels();
      support.weights = support_rows.weights();
      const RowSet& candidates = query_rows.gather(query);
      support.member = &candidates;
      const MemberVector member = adapter.adapt(support);
      scores.resize(query.size() * labels);
      for (const int which : {0, 1}) {
        (which == 0 ? exact : rounded).score(member, candidates, scores);
        for (std::size_t q = 0; q < query.size(); ++q) {
          logits[which].push_back(scores[q * labels]);
        }
      }
      for (const std::int64_t row : query) {
        truth.push_back(dataset.label(row, 0));
      }
    }
  }
  double auc_of[2];
  for (const int which : {0, 1}) {
    auc_of[which] = auc(logits[which], truth);
  }
  fmt::print("{}\n", nlohmann::json{{"rows", truth.size()},
                                    {"auc", auc_of[0]},
                                    {"auc_int8", auc_of[1]},
                                    {"auc_loss_int8", auc_of[0] - auc_of[1]}}
                         .dump());
  return 0;
}

}  // namespace
}  // namespace limber

int main(int argc, char** argv) {
  return limber::run_main(argc, argv, limber::run);
}
