#include <fmt/chrono.h>

#include <algorithm>
#include <ctime>

#include "apps/serve_verbs.h"
#include "apps/thread_count.h"
#include "limber/core/base/check_output.h"
#include "limber/core/base/counted.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/progress.h"
#include "limber/core/data/dataset_builder.h"
#include "limber/core/data/popularity.h"
#include "limber/serving/popularity/refit.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

/// The model's own config, with other interactions and, where told, other places of side tables.
Config config_for(const RuntimeModel& model, const PopularityArguments& arguments) {
  Config config = model.config;
  config.data.interactions = arguments.inputs;
  for (const auto& [name, path] : named_paths(arguments.tables, "--table")) {
    const auto table = config.data.tables.find(name);
    if (table == config.data.tables.end()) {
      throw InputError("--table {}: the model has no table of that name", name);
    }
    table->second.path = path;
  }
  // Members' rows in the order of time, whatever the model was trained and tested on.
  config.data.split = config.data.time.empty() ? "random" : "chronological";
  if (arguments.skip_bad_rows) config.data.on_bad_row = "skip";
  return config;
}

std::string date_of(std::int64_t seconds) {
  return fmt::format("{:%Y-%m-%d %H:%M}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

void print_fit(const PopularityFit& fit, const Dataset& dataset, double seconds) {
  fmt::print("fitted {} on {}{} in {:.2f} s\n", fit.options.by, counted(fit.rows, "row"),
             dataset.times.size() > 0 ? fmt::format(" from {} to {} UTC", date_of(fit.first_time),
                                                    date_of(fit.last_time))
                                      : "",
             seconds);
  constexpr std::int64_t kFewRows = 1000;
  if (fit.rows < kFewRows) {
    fmt::print(
        "  so few rows say little, and the version that was published is what servers take up: "
        "remove its folder, or fit again on more (--days)\n");
  }
  if (fit.seen_before > 0) {
    fmt::print(
        "  {} of them lie in the time that the model was trained on: what it learned by heart "
        "there, no effect can show\n",
        counted(fit.seen_before, "row"));
  }
  for (const LabelEffects& label : fit.labels) {
    fmt::print(
        "  {}: {} of {}, prior deviation {:.3g}{}, effects from {:.3f} to {:.3f}, log loss of "
        "these rows {:.4f}, was {:.4f}\n",
        label.label, counted(label.rows, "row"), counted(label.items, "item"), label.deviation,
        fit.options.prior_deviation > 0 ? "" : " (estimated)", label.least, label.most, label.after,
        label.before);
  }
  if (dataset.bad_rows > 0) {
    fmt::print("  {} left out (--skip-bad-rows)\n", counted(dataset.bad_rows, "row"));
  }
}

}  // namespace

int run_popularity(const PopularityArguments& arguments) {
  const auto model = RuntimeModel::load(Artifact::open(arguments.model), {});
  check_output_folder("model", model_folder_of(model->artifact));
  id_feature(model->layout, arguments.by, "--by");
  // Here, so that a file that is not there is named as the argument that it was.
  expand_paths(arguments.inputs);
  const Config config = config_for(*model, arguments);
  const Stopwatch time;
  const TemporaryFolder data;
  const Dataset dataset =
      build_dataset(config, data.path(), &model->encoders, &model->layout.label_thresholds);
  if (dataset.layout.labels != model->layout.labels) {
    throw InputError("data.labels: the model was trained with other labels");
  }
  PopularityOptions options;
  options.by = arguments.by;
  options.prior_deviation = arguments.prior_deviation;
  options.half_life_days = arguments.half_life_days;
  options.days = arguments.days;
  options.threads = thread_count(arguments.threads);
  const PopularityFit fit = fit_popularity(model, dataset, options);
  print_fit(fit, dataset, time.seconds());
  fmt::print("published {}\n", publish_popularity(model->artifact, fit).string());
  return 0;
}

}  // namespace limber
