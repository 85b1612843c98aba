#include "limber/companions/screen/predict.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "limber/core/base/error.h"
#include "limber/core/base/main.h"
#include "limber/core/base/progress.h"
#include "limber/core/data/table_writer.h"

namespace limber::screen {
namespace {

void check(const arrow::Status& status) {
  if (!status.ok()) throw Error("predictions: {}", status.message());
}

}  // namespace

Predictions predict(FeatureSource& source, const ScreenModel& model) {
  const std::vector<SampleScale> scales = sample_scales(source, model.transform);
  const std::size_t n = source.samples().size();
  const std::size_t directions = model.directions();
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t j = 0; j < model.names.size(); ++j) places.emplace(model.names[j], j);
  std::vector<char> found(model.names.size(), 0);
  std::vector<std::int64_t> seen(n, 0);  // values of each sample
  std::vector<double> scores(n * directions);
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = model.intercepts[i % directions];

  NameFingerprint fingerprint;
  std::int64_t features = 0;
  Progress progress("scoring", 0, "features");
  FeatureBlock block;
  while (source.next(block)) {
    if (stop_requested()) throw Error("stopped by a signal; nothing was written");
    progress.add(static_cast<std::uint64_t>(block.features()));
    features += block.features();
    for (std::int64_t b = 0; b < block.features(); ++b) {
      fingerprint.add(block.names[b]);
      const auto place = places.find(block.names[b]);
      if (place == places.end()) continue;
      const std::size_t j = place->second;
      if (found[j]) {
        throw InputError("{}: has feature '{}' twice; rename one", source.origin(), block.names[b]);
      }
      found[j] = 1;
      const auto values = block.feature(b);
      for (std::size_t i = 0; i < n; ++i) {
        if (std::isnan(values[i])) {
          for (std::size_t k = 0; k < directions; ++k) {
            const std::size_t at = j * directions + k;
            scores[i * directions + k] += model.weights[at] * model.offsets[at];
          }
          continue;
        }
        ++seen[i];
        double value = model.transform.value(values[i]);
        if (model.transform.standardize_samples) {
          value = (value - scales[i].mean) / scales[i].deviation;
        }
        const double u = (value - model.centers[j]) / model.scales[j];
        for (std::size_t k = 0; k < directions; ++k) {
          scores[i * directions + k] += u * model.weights[j * directions + k];
        }
      }
    }
  }
  const auto absent = std::count(found.begin(), found.end(), 0);
  if (absent > 0) {
    const auto first = std::find(found.begin(), found.end(), 0) - found.begin();
    throw InputError("{}: lacks feature '{}'{}; the model needs it", source.origin(),
                     model.names[static_cast<std::size_t>(first)],
                     absent > 1 ? fmt::format(" and {} more", absent - 1) : "");
  }
  if (model.transform.standardize_samples &&
      (fingerprint.value() != model.fingerprint || features != model.estimate.features)) {
    throw InputError(
        "{}: has other features ({}) than the model was fitted on ({}), which it "
        "standardises samples over; give the same ones",
        source.origin(), features, model.estimate.features);
  }

  Predictions result;
  result.samples = source.samples();
  result.labels = source.labels();
  const std::size_t classes = model.classes.size();
  result.probabilities.resize(n * classes);
  for (std::size_t i = 0; i < n; ++i) {
    // Nothing but the priors is known of a sample without a value; calibration must not bend them.
    if (seen[i] == 0) {
      const std::vector<double> known = intercepts(model.kind, model.priors);
      std::copy(known.begin(), known.end(),
                scores.begin() + static_cast<std::ptrdiff_t>(i * directions));
    }
    const auto sample = std::span(scores).subspan(i * directions, directions);
    result.predicted.push_back(decide(model.kind, sample));
    if (seen[i] == 0) {
      std::copy(model.priors.begin(), model.priors.end(),
                result.probabilities.begin() + static_cast<std::ptrdiff_t>(i * classes));
      continue;
    }
    probabilities(model.kind, sample, model.tuning.sharpness,
                  std::span(result.probabilities).subspan(i * classes, classes));
  }
  return result;
}

void write_predictions(const Predictions& predictions, const ScreenModel& model,
                       const std::filesystem::path& path) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  const auto texts = [&](const char* name, auto&& text_of_sample) {
    arrow::StringBuilder builder;
    for (std::size_t i = 0; i < predictions.samples.size(); ++i) {
      check(builder.Append(text_of_sample(i)));
    }
    fields.push_back(arrow::field(name, arrow::utf8()));
    check(builder.Finish(&arrays.emplace_back()));
  };
  texts("sample", [&](std::size_t i) { return predictions.samples[i]; });
  if (!predictions.labels.empty()) {
    texts("label", [&](std::size_t i) { return predictions.labels[i]; });
  }
  texts("predicted", [&](std::size_t i) {
    return model.classes[static_cast<std::size_t>(predictions.predicted[i])];
  });
  for (std::size_t k = 0; k < model.classes.size(); ++k) {
    arrow::DoubleBuilder builder;
    for (std::size_t i = 0; i < predictions.samples.size(); ++i) {
      check(builder.Append(predictions.probabilities[i * model.classes.size() + k]));
    }
    fields.push_back(arrow::field("probability_" + model.classes[k], arrow::float64()));
    check(builder.Finish(&arrays.emplace_back()));
  }
  const auto schema = arrow::schema(fields);
  TableWriter writer(path, schema);
  writer.write(*arrow::RecordBatch::Make(
      schema, static_cast<std::int64_t>(predictions.samples.size()), std::move(arrays)));
  writer.finish();
}

}  // namespace limber::screen
