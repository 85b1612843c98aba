#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <thread>

#include "apps/screen_verbs.h"
#include "limber/companions/screen/cross_validation.h"
#include "limber/companions/screen/fit.h"
#include "limber/companions/screen/fold_table.h"
#include "limber/companions/screen/predict.h"
#include "limber/companions/screen/screen_report.h"
#include "limber/core/artifact/strict_json.h"
#include "limber/core/base/check_output.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"

namespace limber {
namespace {

using namespace screen;

SourceOptions source_options(const ScreenDataArguments& arguments, bool labels_required) {
  SourceOptions options;
  options.files = expand_paths(arguments.files);
  options.layout = arguments.layout == "rows" ? Layout::kRows : Layout::kColumns;
  options.label = arguments.label;
  options.sample = arguments.sample;
  options.ignore = arguments.ignore;
  options.feature = arguments.feature;
  options.labels = arguments.labels;
  options.labels_required = labels_required;
  return options;
}

int threads_of(const ScreenFitArguments& arguments) {
  if (arguments.threads > 0) return arguments.threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

Candidate candidate_of(const ScreenFitArguments& arguments) {
  Candidate candidate{.features = Candidate::kFdr, .share = arguments.correlation};
  const std::string& text = arguments.select;
  if (text == "all") {
    candidate.features = Candidate::kAll;
  } else if (text != "fdr") {
    const auto [end, code] =
        std::from_chars(text.data(), text.data() + text.size(), candidate.features);
    if (code != std::errc() || end != text.data() + text.size() || candidate.features < 1) {
      throw InputError("--select '{}': expected fdr, all or a number of features", text);
    }
  }
  return candidate;
}

FitOptions fit_options(const ScreenFitArguments& arguments) {
  FitOptions options;
  options.estimate.mixture.atoms = arguments.atoms;
  options.estimate.empirical_null = arguments.null == "empirical";
  options.estimate.threads = threads_of(arguments);
  options.priors = parse_priors(arguments.priors);
  options.many_classes = rule_kind_of(arguments.multiclass);
  options.fdr = arguments.fdr;
  options.single = arguments.combine == "single";
  return options;
}

Transform transform_of(const ScreenFitArguments& arguments) {
  return {.kind = transform_kind(arguments.transform),
          .unit = 1,
          .standardize_samples = arguments.normalize == "samples"};
}

FitRequest fit_request(const ScreenArguments& arguments) {
  if (arguments.fit.tune == 1) {
    throw InputError("--tune 1: one fold leaves nothing to learn from; give 0 or 2 and more");
  }
  FitRequest request;
  request.fit = fit_options(arguments.fit);
  request.transform = transform_of(arguments.fit);
  request.tune_folds = arguments.fit.tune;
  request.candidate = candidate_of(arguments.fit);
  request.seed = arguments.fit.seed;
  request.ranked = arguments.ranked;
  return request;
}

void print_summary(const ScreenModel& model, const std::string& path) {
  const Estimate& estimate = model.estimate;
  fmt::print("{} features", estimate.features);
  if (estimate.constant > 0) fmt::print(", {} constant", estimate.constant);
  if (estimate.too_few > 0) fmt::print(", {} with too few values", estimate.too_few);
  for (std::size_t k = 0; k < model.classes.size(); ++k) {
    fmt::print("{}{} {}", k == 0 ? "; samples: " : ", ", model.class_samples[k], model.classes[k]);
  }
  fmt::print("\n");
  for (std::size_t k = 0; k < estimate.mixtures.size(); ++k) {
    const Mixture& mixture = estimate.mixtures[k];
    const std::string name = model.directions() == 1
                                 ? fmt::format("{} minus {}", model.classes[1], model.classes[0])
                                 : fmt::format("{} minus the rest", model.classes[k]);
    fmt::print(
        "{}: {:.1f}% of features are zero, null deviation {:.2f}, evidence bound {:.2f} "
        "after {} passes{}\n",
        name, 100 * mixture.null_share(), mixture.null_sd, mixture.bound, mixture.passes,
        mixture.converged ? "" : " (not converged)");
  }
  fmt::print("selected at a false-discovery rate of {:g}: {} features\n", model.fdr,
             model.selected);
  if (model.tuned) {
    const std::size_t rules = model.tuning.candidates.size();
    fmt::print("tuned: {}, inner error {:.1f}% of {} samples\n",
               rules == 1 ? std::string("one rule") : fmt::format("mean of {} rules", rules),
               100 * model.tuning.error, model.tuning.samples);
  } else {
    fmt::print("not tuned: probabilities are not calibrated\n");
  }
  if (model.names.empty()) {
    spdlog::warn(
        "no feature is kept: every sample gets the most frequent class; try a larger "
        "--fdr, or --select all");
  }
  fmt::print("model of {} features written to {}\n", model.names.size(), path);
}

int run_fit(const ScreenArguments& arguments) {
  const FitRequest request = fit_request(arguments);
  const auto source = open_features(source_options(arguments.data, true));
  const ScreenModel model = fit_model(*source, request);
  save_model(model, arguments.output);
  print_summary(model, arguments.output);
  return 0;
}

int run_partial(const ScreenArguments& arguments) {
  const std::string& text = arguments.shard;
  Shard shard;
  const char* const last = text.data() + text.size();
  const auto [slash, code] = std::from_chars(text.data(), last, shard.number);
  const bool has_slash = code == std::errc() && slash != last && *slash == '/';
  const auto [end, of_code] = std::from_chars(has_slash ? slash + 1 : last, last, shard.of);
  if (!has_slash || of_code != std::errc() || end != last || shard.number < 1 ||
      shard.number > shard.of) {
    throw InputError("--shard '{}': expected NUMBER/OF, from 1/OF to OF/OF", text);
  }
  --shard.number;
  const auto source = open_features(source_options(arguments.data, true));
  const Classes classes = classes_of(source->labels(), source->origin());
  const Transform transform = fit_transform(*source, transform_of(arguments.fit), {});
  write_partial(*source, classes, transform, shard, threads_of(arguments.fit), arguments.output);
  fmt::print("statistics of shard {} written to {}\n", text, arguments.output);
  return 0;
}

int run_merge(const ScreenArguments& arguments) {
  ScreenArguments merged = arguments;
  merged.fit.tune = 0;
  const FitRequest request = fit_request(merged);
  const Statistics statistics(expand_paths(arguments.partials));
  const ScreenModel model = fit_model(statistics, request);
  save_model(model, arguments.output);
  print_summary(model, arguments.output);
  return 0;
}

int run_predict(const ScreenArguments& arguments) {
  const ScreenModel model = load_model(arguments.model);
  const auto source = open_features(source_options(arguments.data, false));
  const Predictions predictions = predict(*source, model);
  write_predictions(predictions, model, arguments.output);
  fmt::print("{} samples classified, written to {}\n", predictions.samples.size(),
             arguments.output);
  std::size_t known = 0;
  std::size_t wrong = 0;
  std::size_t foreign = 0;
  for (std::size_t i = 0; i < predictions.labels.size(); ++i) {
    const std::string& label = predictions.labels[i];
    if (label.empty()) continue;
    if (std::find(model.classes.begin(), model.classes.end(), label) == model.classes.end()) {
      ++foreign;
      continue;
    }
    ++known;
    wrong += label != model.classes[static_cast<std::size_t>(predictions.predicted[i])] ? 1 : 0;
  }
  if (foreign > 0) {
    spdlog::warn("{} samples have a label that the model does not know; not counted", foreign);
  }
  if (known > 0) {
    fmt::print("error: {:.2f}% ({} of {} samples with a label)\n",
               100 * static_cast<double>(wrong) / static_cast<double>(known), wrong, known);
  }
  return 0;
}

int run_cross_validate(const ScreenArguments& arguments) {
  const FitRequest request = fit_request(arguments);
  ValidationOptions options;
  options.fit = request.fit;
  options.transform = request.transform;
  options.tune_folds = request.tune_folds;
  options.candidate = request.candidate;
  options.seed = request.seed;
  options.threads = threads_of(arguments.fit);
  const auto source = open_features(source_options(arguments.data, true));
  const Classes classes = classes_of(source->labels(), source->origin());
  Folds folds;
  if (!arguments.fold_table.empty()) {
    folds = read_folds(arguments.fold_table, source->samples());
  } else if (arguments.leave_one_out) {
    folds = {leave_one_out(classes.of_sample.size())};
  } else {
    if (arguments.folds > static_cast<int>(classes.of_sample.size())) {
      throw InputError("--folds {}: there are {} samples", arguments.folds,
                       classes.of_sample.size());
    }
    for (int repeat = 0; repeat < arguments.repeats; ++repeat) {
      folds.push_back(stratified_folds(classes.of_sample, arguments.folds,
                                       request.seed + static_cast<std::uint64_t>(repeat)));
    }
  }
  const Validation validation = cross_validate(*source, classes, folds, options);
  fmt::print("{} samples, {} repeat{}\n", classes.of_sample.size(), folds.size(),
             folds.size() == 1 ? "" : "s");
  fmt::print("error {:.2f}% [{:.2f}, {:.2f}], log loss {:.4f}\n", 100 * validation.error,
             100 * validation.low, 100 * validation.high, validation.log_loss);
  fmt::print("{:>16}  predicted\n{:>16}", "true", "");
  for (const std::string& name : classes.names) fmt::print(" {:>10}", name);
  fmt::print("\n");
  for (std::size_t k = 0; k < classes.names.size(); ++k) {
    fmt::print("{:>16}", classes.names[k]);
    for (const auto count : validation.confusion[k]) fmt::print(" {:>10}", count);
    fmt::print("\n");
  }
  if (!arguments.predictions.empty()) {
    write_validation(validation, classes, source->samples(), arguments.predictions);
  }
  if (!arguments.metrics.empty()) {
    write_file_atomic(arguments.metrics, validation_to_json(validation, classes).dump(2) + "\n");
  }
  return 0;
}

int run_report(const ScreenArguments& arguments) {
  const ScreenModel model = load_model(arguments.model);
  nlohmann::json validation;
  if (!arguments.validation.empty()) {
    validation = parse_strict_json(read_file(arguments.validation), arguments.validation);
    check_validation(validation, model, arguments.validation);
  }
  write_file_atomic(arguments.output, render_screen_report(model, validation, arguments.top));
  if (!arguments.ranked.empty()) write_file_atomic(arguments.ranked, kept_features_csv(model));
  fmt::print("report written to {}\n", arguments.output);
  return 0;
}

}  // namespace

int run_screen(const ScreenArguments& arguments) {
  check_screen_options(arguments);
  check_output_file("--output", arguments.output);
  check_output_file("--ranked", arguments.ranked);
  check_output_file("--predictions", arguments.predictions);
  check_output_file("--metrics", arguments.metrics);
  if (arguments.verb == "fit") return run_fit(arguments);
  if (arguments.verb == "predict") return run_predict(arguments);
  if (arguments.verb == "report") return run_report(arguments);
  if (arguments.verb == "cross-validate") return run_cross_validate(arguments);
  if (arguments.verb == "partial") return run_partial(arguments);
  return run_merge(arguments);
}

}  // namespace limber
