#include <CLI/CLI.hpp>

#include "apps/arguments.h"
#include "apps/train_verbs.h"
#include "limber/core/base/main.h"
#include "limber/core/base/memory.h"
#include "limber/core/base/progress.h"
#include "limber/core/config/config.h"

namespace {

using namespace limber;

int parse_and_run(int argc, char** argv) {
  CLI::App app{"Trains and evaluates ranking models."};
  app.name("limber");
  app.require_subcommand(1);
  bool quiet = false;
  app.add_flag("--quiet,-q", quiet, "No progress lines");  // also before the verb

  TrainArguments train;
  CLI::App* train_verb = app.add_subcommand(
      "train",
      "Trains the model of a config, evaluates it on the test part and publishes it as the next\n"
      "version of models/NAME. A run that was cut off goes on where it stopped.");
  train_verb->add_option("config", train.config, "YAML config; `limber init DATA` writes one")
      ->required();
  train_verb->add_option("--set", train.settings, "Overrides an option: --set train.seed=3")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  train_verb->add_option("--models", train.models, "Folder of the published models")
      ->capture_default_str();
  train_verb->add_option("--from", train.from,
                         "Goes on from a published model, models/NAME or models/NAME/VERSION, on "
                         "the rows of the config's data (docs/incremental.md)");
  train_verb->add_option("--metrics", train.metrics, "Also writes the test metrics as JSON here");
  train_verb->add_option("--scores", train.scores,
                         "Also writes the scored test rows as Parquet here");
  train_verb->add_option("--resamples", train.resamples, "Bootstrap resamples; 0 for no intervals")
      ->capture_default_str();
  train_verb->add_flag("--no-support-sizes", train.no_support_sizes,
                       "Tests with whole supports alone, and not with smaller ones as well");
  train_verb->add_flag("--restart", train.restart, "Ignores the checkpoint of an earlier run");
  train_verb->footer(
      "On several processes (docs/distributed.md):\n"
      "  torchrun --nproc-per-node 4 --no-python limber train config.yaml\n\n"
      "Options of the config (docs/options.md):\n" +
      options_help());

  EvaluateArguments evaluate;
  CLI::App* evaluate_verb = app.add_subcommand(
      "evaluate",
      "Scores the test part with a published model, prints the metrics and writes an\n"
      "HTML report.");
  evaluate_verb->add_option("model", evaluate.model, "models/NAME or models/NAME/VERSION")
      ->required();
  evaluate_verb->add_option("--set", evaluate.settings, "Overrides an option of the model's config")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  evaluate_verb->add_option("--report", evaluate.report, "HTML report to write")
      ->capture_default_str();
  evaluate_verb->add_option("--metrics", evaluate.metrics, "Also writes the metrics as JSON here");
  evaluate_verb->add_option("--scores", evaluate.scores,
                            "Also writes the scored rows as Parquet here");
  evaluate_verb
      ->add_option("--resamples", evaluate.resamples, "Bootstrap resamples; 0 for no intervals")
      ->capture_default_str();

  CompressArguments compress;
  CLI::App* compress_verb = app.add_subcommand(
      "compress",
      "Publishes a model again in fewer bytes, and says what that saves and costs: rows of tables\n"
      "as 8-bit numbers, dictionaries as perfect hashes, weights pruned and rounded in training\n"
      "(docs/compress.md). A run that was cut off goes on where it stopped.");
  compress_verb
      ->add_option("model", compress.model,
                   "models/NAME or models/NAME/VERSION; or the .yaml of a network of convolutions")
      ->required();
  compress_verb
      ->add_option("--set", compress.settings,
                   "Overrides an option of the model's config: --set compress.bits=4")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  compress_verb->add_option("--models", compress.models,
                            "Folder of the published models; the one that the model lies in "
                            "without it");
  compress_verb->add_flag("--list", compress.list,
                          "Only prints the weights that can be compressed");
  compress_verb->add_option("--metrics", compress.metrics, "Also writes the metrics as JSON here");
  compress_verb->add_option(
      "--scores", compress.scores,
      "Also writes the rows that the compressed model scored as Parquet here");
  compress_verb->add_option("--report", compress.report,
                            "Networks: also writes a page on their crossbars here");
  compress_verb
      ->add_option("--resamples", compress.resamples, "Bootstrap resamples; 0 for no intervals")
      ->capture_default_str();
  compress_verb->add_flag("--restart", compress.restart,
                          "Ignores the checkpoint of an earlier run");

  ExportArguments exported;
  CLI::App* export_verb = app.add_subcommand(
      "export",
      "Writes the rows that a config's models are trained and tested on as Parquet, with\n"
      "statistics of each member's support: what other learners need for a fair comparison.");
  export_verb->add_option("config", exported.config, "YAML config")->required();
  export_verb->add_option("--set", exported.settings, "Overrides an option: --set train.seed=3")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  export_verb->add_option("--output", exported.output, "Folder to write to")->required();
  export_verb->add_option("--epochs", exported.epochs, "Epochs of training episodes")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  export_verb->add_option("--item", exported.item,
                          "The id feature whose rates the support is compared with; the one with "
                          "the most values without it");

  ReportArguments report;
  CLI::App* report_verb = app.add_subcommand(
      "report",
      "Compares models by what `evaluate --metrics` wrote of each: one table, one HTML\n"
      "page. Where FILE.parquet from `--scores` lies beside each FILE.json, paired\n"
      "differences from the baseline are added.");
  CLI::Option* report_models =
      report_verb->add_option("models", report.models, "FILE.json or NAME=FILE.json");
  report_verb->add_option("--from", report.from, "A whole report as JSON, such as bench-quality's")
      ->excludes(report_models);
  report_verb->add_option("--baseline", report.baseline,
                          "Name to compare with; the first without it");
  report_verb->add_option("--output,-o", report.output, "HTML page to write")
      ->capture_default_str();
  report_verb->add_option("--title", report.title, "Its title")->capture_default_str();
  report_verb->add_option("--resamples", report.resamples, "Bootstrap resamples of the differences")
      ->capture_default_str();

  add_quiet(app, quiet);
  if (const auto code = parse_arguments(app, argc, argv)) return *code;
  Progress::set_quiet(quiet);
  if (*train_verb) return run_train(train);
  if (*evaluate_verb) return run_evaluate(evaluate);
  if (*compress_verb) return run_compress(compress);
  if (*export_verb) return run_export(exported);
  return run_report(report);
}

}  // namespace

int main(int argc, char** argv) {
  limber::keep_freed_memory();
  return limber::run_main(argc, argv, parse_and_run);
}
