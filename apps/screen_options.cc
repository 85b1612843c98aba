// Every option of `limber screen`, once: its name, default, range and one sentence.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "apps/screen_verbs.h"

namespace limber {
namespace {

/// CLI::Range lets NaN through, which is neither below nor above anything.
CLI::Validator finite_range(double low, double high) {
  return {[low, high](std::string& text) {
            double value = 0;
            const bool number = CLI::detail::lexical_cast(text, value);
            if (number && value >= low && value <= high) return std::string();
            return fmt::format("'{}' is no number in [{:g}, {:g}]", text, low, high);
          },
          fmt::format("FLOAT in [{:g} - {:g}]", low, high)};
}

void add_data(CLI::App& verb, ScreenDataArguments& data) {
  verb.add_option("data", data.files, "CSV, CSV.gz or Parquet files")->required();
  verb.add_option("--features", data.layout,
                  "Where a feature is: in columns (a row is a sample) or in rows (a column is a "
                  "sample)")
      ->check(CLI::IsMember({"columns", "rows"}))
      ->capture_default_str();
  verb.add_option("--label", data.label, "Column of the class")->capture_default_str();
  verb.add_option("--sample", data.sample,
                  "Column of sample names, here and in --labels; samples are numbered without it");
  verb.add_option("--ignore", data.ignore, "Columns that are neither feature, label nor sample");
  verb.add_option("--feature-name", data.feature,
                  "Features in rows: column of feature names; the first without it");
  verb.add_option("--labels", data.labels,
                  "Table of samples and labels; needed with features in rows");
}

void add_transform(CLI::App& verb, ScreenFitArguments& fit) {
  verb.add_option("--transform", fit.transform,
                  "none, or asinh: asinh(x / median magnitude), for intensities and counts")
      ->check(CLI::IsMember({"none", "asinh"}))
      ->capture_default_str();
  verb.add_option("--normalize", fit.normalize,
                  "none, or samples: every sample to mean 0 and deviation 1 over its features")
      ->check(CLI::IsMember({"none", "samples"}))
      ->capture_default_str();
}

void add_threads(CLI::App& verb, ScreenFitArguments& fit) {
  verb.add_option("--threads", fit.threads, "Threads, 0 = all cores; results do not depend on it")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

void add_mixture(CLI::App& verb, ScreenFitArguments& fit) {
  verb.add_option("--null", fit.null,
                  "Spread of the null z's: theoretical (1) or empirical (from their bulk)")
      ->check(CLI::IsMember({"theoretical", "empirical"}))
      ->capture_default_str();
  verb.add_option("--atoms", fit.atoms, "Truncation of the stick-breaking process")
      ->check(CLI::Range(2, 128))
      ->capture_default_str();
  verb.add_option("--fdr", fit.fdr, "False-discovery rate at which features are selected")
      ->check(finite_range(0, 1))
      ->capture_default_str();
  verb.add_option("--priors", fit.priors,
                  "Class shares: empirical, equal, or NAME=SHARE,NAME=SHARE")
      ->capture_default_str();
  verb.add_option("--multiclass", fit.multiclass,
                  "More than two classes: joint (shrunken centroids) or one-versus-rest")
      ->check(CLI::IsMember({"joint", "one-versus-rest"}))
      ->capture_default_str();
}

void add_rule(CLI::App& verb, ScreenFitArguments& fit) {
  verb.add_option("--tune", fit.tune,
                  "Folds that choose how many features to use and how far to trust their "
                  "correlation, and calibrate probabilities; 0 = --select and --correlation say")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  verb.add_option("--combine", fit.combine,
                  "With --tune: the rule is the mean of all that err hardly more than the best, or "
                  "a single one of the best")
      ->check(CLI::IsMember({"mean", "single"}))
      ->capture_default_str();
  verb.add_option("--select", fit.select,
                  "With --tune 0: fdr, all, or how many features, the largest effects first")
      ->capture_default_str();
  verb.add_option("--correlation", fit.correlation,
                  "With --tune 0: share of the identity in the features' correlation; 1 = "
                  "independence rule")
      ->check(finite_range(1e-6, 1))
      ->capture_default_str();
  verb.add_option("--seed", fit.seed, "Seed of the folds")->capture_default_str();
}

}  // namespace

CLI::App* add_screen_verbs(CLI::App& app, ScreenArguments& arguments) {
  CLI::App* screen = app.add_subcommand(
      "screen",
      "Finds the few features that tell classes apart among very many, and classifies by them:\n"
      "an empirical-Bayes mixture over normalised mean differences (docs/screen.md).\n\n"
      "  limber screen fit genes.csv.gz --label tumour -o genes.screen\n"
      "  limber screen report genes.screen -o report.html --ranked genes-ranked.csv\n"
      "  limber screen predict new.csv --model genes.screen -o predictions.csv\n");
  screen->require_subcommand(1);
  const auto verb = [&](const char* name, const char* what) {
    CLI::App* added = screen->add_subcommand(name, what);
    added->callback([&arguments, name, added] {
      arguments.verb = name;
      for (const CLI::Option* option : added->get_options()) {
        if (option->count() > 0) arguments.given.push_back(option->get_name());
      }
    });
    return added;
  };

  CLI::App* fit = verb("fit", "Fits a model to labelled samples.");
  add_data(*fit, arguments.data);
  fit->add_option("--output,-o", arguments.output, "Model file to write")->required();
  fit->add_option("--ranked", arguments.ranked,
                  "Also write all features, ranked, to this CSV or Parquet file");
  add_transform(*fit, arguments.fit);
  add_mixture(*fit, arguments.fit);
  add_rule(*fit, arguments.fit);
  add_threads(*fit, arguments.fit);
  fit->footer(
      "With --tune 0 and --correlation 1 features are streamed: memory depends on the number of\n"
      "samples and of features kept, not on the number of features.");

  CLI::App* predict = verb("predict", "Classifies samples with a fitted model.");
  add_data(*predict, arguments.data);
  predict->add_option("--model,-m", arguments.model, "Model file")->required();
  predict->add_option("--output,-o", arguments.output, "CSV or Parquet file to write")->required();
  predict->footer(
      "Where labels are there, too, the error is printed. Missing values are passed over.");

  CLI::App* report = verb("report", "One HTML page about a fitted model.");
  report->add_option("model", arguments.model, "Model file")->required();
  report->add_option("--output,-o", arguments.output, "HTML file to write")->required();
  report->add_option("--ranked", arguments.ranked, "Also write the features kept to this CSV file");
  report->add_option("--validation", arguments.validation,
                     "Metrics that cross-validate wrote, to show the error beside the model");
  report->add_option("--top", arguments.top, "Features in the page's table")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();

  CLI::App* validate =
      verb("cross-validate", "Error on samples held out; all that is learned is learned inside.");
  add_data(*validate, arguments.data);
  validate->add_option("--folds", arguments.folds, "Folds, classes spread evenly")
      ->check(CLI::Range(2, 10000))
      ->capture_default_str();
  validate->add_option("--repeats", arguments.repeats, "How often, each time with other folds")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  validate->add_flag("--leave-one-out", arguments.leave_one_out, "Each sample a fold of its own");
  validate->add_option("--fold-table", arguments.fold_table,
                       "CSV with a column sample and a column of fold numbers a repeat, instead");
  validate->add_option("--predictions", arguments.predictions,
                       "CSV or Parquet file to write: what each repeat says of each sample");
  validate->add_option("--metrics", arguments.metrics, "JSON file to write");
  add_transform(*validate, arguments.fit);
  add_mixture(*validate, arguments.fit);
  add_rule(*validate, arguments.fit);
  add_threads(*validate, arguments.fit);

  CLI::App* partial = verb(
      "partial", "Sums up one shard of the features: one process a shard, then `screen merge`.");
  add_data(*partial, arguments.data);
  partial
      ->add_option("--shard", arguments.shard,
                   "NUMBER/OF, e.g. 3/8; blocks of 1024 features "
                   "are dealt out in turn")
      ->capture_default_str();
  partial->add_option("--output,-o", arguments.output, "File to write")->required();
  add_transform(*partial, arguments.fit);
  add_threads(*partial, arguments.fit);

  CLI::App* merge =
      verb("merge",
           "Fits a model to the partial statistics of all shards: the same bits as fit "
           "--tune 0 on the whole.");
  merge->add_option("partials", arguments.partials, "Files that `screen partial` wrote")
      ->required();
  merge->add_option("--output,-o", arguments.output, "Model file to write")->required();
  merge->add_option("--ranked", arguments.ranked,
                    "Also write all features, ranked, to this CSV or Parquet file");
  add_mixture(*merge, arguments.fit);
  merge
      ->add_option("--select", arguments.fit.select,
                   "fdr, all, or how many features, the largest effects first")
      ->capture_default_str();
  add_threads(*merge, arguments.fit);
  return screen;
}

}  // namespace limber
