#include <fmt/format.h>

#include "apps/train_verbs.h"
#include "limber/core/base/counted.h"
#include "limber/training/evaluate/metrics_json.h"

namespace limber {
namespace {

/// What is not defined, such as the AUC of one class, is null in JSON.
std::string number(const nlohmann::json& value) {
  return value.is_number() ? fmt::format("{:.4f}", value.get<double>()) : std::string("-");
}

}  // namespace

TestReport report_test(const Config& config, const Dataset& dataset, RankingModel& model,
                       std::size_t resamples, const Popularity* popularity, bool by_support_size) {
  TestScores scores = score_test(config, dataset, model, popularity, by_support_size);
  return report_scores(config, dataset, std::move(scores), resamples);
}

TestScores score_test(const Config& config, const Dataset& dataset, RankingModel& model,
                      const Popularity* popularity, bool by_support_size) {
  TestScores scores;
  EvaluationSampler::Options options;
  options.part = Part::test;
  options.support = options.support_limit = config.meta.support;
  const std::int64_t steps = config.meta.adaptation_steps;
  scores.whole = score_rows(model, dataset, options, steps, popularity);
  for (const std::int64_t size : support_sizes) {
    if (!by_support_size || size > options.support_limit || !model->uses_support()) continue;
    EvaluationSampler::Options cut = options;
    cut.support = size;
    scores.cut.emplace_back(size, score_rows(model, dataset, cut, steps, popularity));
  }
  return scores;
}

TestReport report_scores(const Config& config, const Dataset& dataset, TestScores scores,
                         std::size_t resamples) {
  TestReport report;
  report.scored = std::move(scores.whole);
  const ScoredRows& scored = report.scored;

  nlohmann::json& json = report.json;
  json["split"] = dataset.split;
  if (!scored.weights.empty()) json["weight"] = config.data.weight;
  const BootstrapOptions bootstrap{.resamples = resamples, .confidence = 0.95, .seed = 1};
  for (std::size_t l = 0; l < scored.labels.size(); ++l) {
    const ScoredRows rows = scored.of_label(l);
    const Predictions predictions = rows.predictions();
    const RankingMetrics metrics = evaluate_predictions(predictions);
    const MetricIntervals intervals = bootstrap_intervals(predictions, {}, bootstrap);
    nlohmann::json& out = json["labels"][scored.labels[l]];
    out["metrics"] = metrics_to_json(metrics, resamples > 0 ? &intervals : nullptr);
    out["activity"] =
        slices_to_json(slice_by_activity(predictions, rows.activity, 5, {}, bootstrap));
    out["reliability"] = reliability_to_json(
        reliability_curve(predictions.logits, predictions.labels, predictions.weights));
  }
  // The same query rows under supports cut to their latest 0, 1, 2, ... rows.
  for (const auto& [size, all] : scores.cut) {
    for (std::size_t l = 0; l < all.labels.size(); ++l) {
      const ScoredRows rows = all.of_label(l);
      Slice slice{std::to_string(size), size, size, evaluate_predictions(rows.predictions()), {}};
      slice.intervals = bootstrap_intervals(rows.predictions(), {}, bootstrap);
      json["labels"][all.labels[l]]["support"].push_back(
          slices_to_json(std::span(&slice, 1)).front());
    }
  }
  return report;
}

void print_test_report(const nlohmann::json& report) {
  for (const auto& [label, values] : report.at("labels").items()) {
    const std::string weighed =
        report.contains("weight")
            ? fmt::format(", each weighing its '{}'", report.at("weight").get<std::string>())
            : "";
    fmt::print("\ntest metrics of '{}' (split: {}, {}{}, {})\n", label,
               report.at("split").get<std::string>(),
               counted(values.at("metrics").at("rows").get<std::int64_t>(), "row"), weighed,
               counted(values.at("metrics").at("groups").get<std::int64_t>(), "member"));
    for (const MetricDescription& description : metric_descriptions) {
      const auto& metric = values.at("metrics").at(std::string(description.key));
      fmt::print("  {:<12} {:>8}", description.title, number(metric.at("value")));
      if (metric.contains("low") && metric.at("low").is_number()) {
        fmt::print("   [{}, {}]", number(metric.at("low")), number(metric.at("high")));
      }
      fmt::print("\n");
    }
    if (!values.contains("support")) continue;
    fmt::print("  AUC / GAUC by support size:");
    for (const auto& slice : values.at("support")) {
      fmt::print("  {}: {} / {}", slice.at("label").get<std::string>(),
                 number(slice.at("metrics").at("auc").at("value")),
                 number(slice.at("metrics").at("gauc").at("value")));
    }
    fmt::print("\n");
  }
  fmt::print("\n");
}

std::string left_out(const Dataset& dataset) {
  return fmt::format("{} left out (data.on_bad_row: skip)", counted(dataset.bad_rows, "row"));
}

}  // namespace limber
