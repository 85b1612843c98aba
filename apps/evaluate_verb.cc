#include "apps/scores_file.h"
#include "apps/train_verbs.h"
#include "limber/core/artifact/artifact.h"
#include "limber/core/base/check_output.h"
#include "limber/core/base/files.h"
#include "limber/core/config/config.h"
#include "limber/core/data/check_weights.h"
#include "limber/training/evaluate/report.h"
#include "limber/training/train/publish.h"
#include "limber/training/train/trainer.h"

namespace limber {
namespace {

nlohmann::json training_charts(const Artifact& artifact) {
  nlohmann::json charts = nlohmann::json::array();
  if (!artifact.has_file("training_log.jsonl")) return charts;
  const std::string log = artifact.read("training_log.jsonl");
  nlohmann::json loss = nlohmann::json::array(), validation = nlohmann::json::array();
  nlohmann::json auc = nlohmann::json::array(), gauc = nlohmann::json::array();
  std::size_t start = 0;
  while (start < log.size()) {
    const std::size_t end = std::min(log.find('\n', start), log.size());
    const auto line = nlohmann::json::parse(log.substr(start, end - start), nullptr, false);
    start = end + 1;
    if (!line.is_object() || !line.contains("epoch")) continue;
    loss.push_back({line["epoch"], line["train_loss"]});
    validation.push_back({line["epoch"], line["validation_log_loss"]});
    auc.push_back({line["epoch"], line["validation_auc"]});
    gauc.push_back({line["epoch"], line["validation_gauc"]});
  }
  charts.push_back({{"title", "Log loss by epoch"},
                    {"x_label", "epoch"},
                    {"y_label", "log loss (nats)"},
                    {"series",
                     {{{"name", "training"}, {"points", loss}},
                      {{"name", "validation"}, {"points", validation}}}}});
  charts.push_back(
      {{"title", "Validation ranking quality by epoch"},
       {"x_label", "epoch"},
       {"y_label", "AUC"},
       {"series", {{{"name", "AUC"}, {"points", auc}}, {{"name", "GAUC"}, {"points", gauc}}}}});
  return charts;
}

nlohmann::json html_report(const Artifact& artifact, const TestReport& test) {
  nlohmann::json report;
  report["title"] = fmt::format("{}, version {}", artifact.name(), artifact.version());
  report["lead"] = fmt::format(
      "Test part of the data, split: {}.{}", test.json.at("split").get<std::string>(),
      test.json.contains("weight")
          ? fmt::format(" Every row weighs its '{}'.", test.json.at("weight").get<std::string>())
          : "");
  report["intervals"] = "95% intervals: bootstrap over members";
  report["summary"] = {{{"label", "Model"}, {"value", artifact.name()}},
                       {{"label", "Version"}, {"value", artifact.version()}},
                       {{"label", "Trained"}, {"value", artifact.contents().created}}};
  for (const auto& [label, values] : test.json.at("labels").items()) {
    nlohmann::json model{
        {"name", artifact.name()}, {"highlight", true}, {"metrics", values.at("metrics")}};
    for (const char* part : {"support", "activity", "reliability"}) {
      if (values.contains(part)) model[part] = values.at(part);
    }
    report["protocols"].push_back({{"name", label}, {"models", {model}}});
  }
  report["training"] = training_charts(artifact);
  return report;
}

}  // namespace

int run_evaluate(const EvaluateArguments& arguments) {
  check_output_file("--report", arguments.report);
  check_output_file("--metrics", arguments.metrics);
  check_output_file("--scores", arguments.scores);
  const Artifact artifact = Artifact::open(arguments.model);
  LoadedModel loaded = load_model(artifact, choose_device("auto"));
  const Config config =
      parse_config(config_to_yaml(loaded.config), arguments.model, arguments.settings);
  if (config.train.threads > 0) torch::set_num_threads(static_cast<int>(config.train.threads));
  const TemporaryFolder folder;
  const Dataset dataset = build_dataset_for(loaded, config, folder.path());
  check_part_weights(dataset, Part::test, config.meta.support);
  const auto popularity = Popularity::find(artifact, dataset.layout);
  const TestReport test = report_test(config, dataset, loaded.model, arguments.resamples,
                                      popularity ? &*popularity : nullptr);
  print_test_report(test.json);
  if (dataset.bad_rows > 0) fmt::print("{}\n", left_out(dataset));
  write_file_atomic(arguments.report, render_report(html_report(artifact, test)));
  fmt::print("wrote {}\n", arguments.report);
  if (!arguments.metrics.empty()) write_file_atomic(arguments.metrics, test.json.dump(2) + "\n");
  if (!arguments.scores.empty()) write_scores(arguments.scores, dataset, test.scored);
  return 0;
}

}  // namespace limber
