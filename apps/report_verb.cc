#include <fmt/format.h>

#include "apps/model_comparison.h"
#include "apps/train_verbs.h"
#include "limber/core/base/check_output.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/training/evaluate/report.h"

namespace limber {
namespace {

using nlohmann::json;

std::size_t place_of(const std::string& baseline, const std::vector<ComparedModel>& models) {
  if (baseline.empty()) return 0;
  for (std::size_t m = 0; m < models.size(); ++m) {
    if (models[m].name == baseline) return m;
  }
  throw InputError("--baseline {}: no model has this name", baseline);
}

json protocol(const std::vector<ComparedModel>& models, const std::string& label,
              const json& differences) {
  json protocol{{"name", label}};
  for (const ComparedModel& model : models) {
    const json& values = model.metrics.at("labels").at(label);
    json row{{"name", model.name}};
    for (const char* part : {"metrics", "support", "activity", "reliability"}) {
      if (values.contains(part)) row[part] = values.at(part);
    }
    protocol["models"].push_back(std::move(row));
  }
  if (!differences.is_null()) protocol["differences"] = differences;
  return protocol;
}

}  // namespace

int run_report(const ReportArguments& arguments) {
  check_output_file("--output", arguments.output);
  if (!arguments.from.empty()) {
    const json given = json::parse(read_file(arguments.from), nullptr, false);
    if (!given.is_object()) {
      throw InputError("{}: not a report in JSON (limber/training/evaluate/report.h says how)",
                       arguments.from);
    }
    write_file_atomic(arguments.output, render_report(given));
    fmt::print("wrote {}\n", arguments.output);
    return 0;
  }
  if (arguments.models.empty()) {
    throw InputError("report: name the metrics files to compare, or --from a report");
  }
  std::vector<ComparedModel> models;
  for (const std::string& argument : arguments.models) {
    models.push_back(read_compared_model(argument));
  }
  check_comparable(models);
  const std::size_t baseline = place_of(arguments.baseline, models);
  bool paired = models.size() > 1;
  for (const ComparedModel& model : models) paired &= !model.scores.empty();

  json report;
  report["title"] = arguments.title;
  report["lead"] = fmt::format("Models measured on the same test rows, split: {}.",
                               models[0].metrics.at("split").get<std::string>());
  report["intervals"] = "95% intervals: bootstrap over members";
  for (const auto& [label, values] : models[0].metrics.at("labels").items()) {
    json differences;
    if (paired) differences = paired_differences(models, baseline, label, arguments.resamples);
    report["protocols"].push_back(protocol(models, label, differences));
    fmt::print("\n{}\n", comparison_table(models, label, differences));
  }
  write_file_atomic(arguments.output, render_report(report));
  fmt::print("wrote {}\n", arguments.output);
  return 0;
}

}  // namespace limber
