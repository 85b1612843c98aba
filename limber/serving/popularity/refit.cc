#include "limber/serving/popularity/refit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "limber/core/artifact/artifact_writer.h"
#include "limber/core/base/error.h"
#include "limber/core/data/popularity.h"
#include "limber/serving/popularity/item_effects.h"
#include "limber/serving/popularity/row_logits.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

constexpr double kSecondsOfDay = 86400;

double row_log_loss(double logit, double label) {
  return std::fmax(logit, 0.0) - logit * label + std::log1p(std::exp(-std::abs(logit)));
}

/// What rows of one label say, and how they are explained with and without effects.
LabelEffects fit_label(const std::string& label, std::int64_t items,
                       const std::vector<EffectRow>& rows, double prior_deviation,
                       std::vector<double>& effects) {
  LabelEffects found;
  found.label = label;
  found.rows = static_cast<std::int64_t>(rows.size());
  const ItemEffects problem(items, rows);
  found.deviation = prior_deviation > 0 ? prior_deviation : problem.likeliest_deviation();
  effects = problem.fit(found.deviation);
  const auto [least, most] = std::ranges::minmax_element(effects);
  found.least = *least;
  found.most = *most;
  std::vector<bool> seen(static_cast<std::size_t>(items));
  double weight = 0;
  for (const EffectRow& row : rows) {
    const auto item = static_cast<std::size_t>(row.item);
    seen[item] = true;
    weight += row.weight;
    found.before += row.weight * row_log_loss(row.logit, row.label);
    found.after += row.weight * row_log_loss(row.logit + effects[item], row.label);
  }
  found.items = std::ranges::count(seen, true);
  found.before /= weight;
  found.after /= weight;
  return found;
}

}  // namespace

PopularityFit fit_popularity(const std::shared_ptr<const RuntimeModel>& model,
                             const Dataset& dataset, const PopularityOptions& options) {
  const InputLayout& layout = model->layout;
  const std::size_t feature = id_feature(layout, options.by, "--by");
  const std::int64_t items =
      layout.tables[static_cast<std::size_t>(layout.features[feature].table)].rows;
  const auto times = dataset.times.as<std::int64_t>();
  if (times.empty() && (options.days > 0 || options.half_life_days > 0)) {
    throw InputError("{}: the model knows no time (data.time), by which rows could be old",
                     options.days > 0 ? "--days" : "--half-life-days");
  }
  PopularityFit fit;
  fit.options = options;
  std::int64_t earliest = std::numeric_limits<std::int64_t>::min();
  if (!times.empty()) fit.last_time = *std::ranges::max_element(times);
  if (options.days > 0) {
    earliest = fit.last_time - static_cast<std::int64_t>(options.days * kSecondsOfDay);
  }
  const std::vector<float> logits = row_logits(model, dataset, earliest, options.threads);

  const nlohmann::json& window = model->artifact.contents().fields.data_window;
  const bool trained_window =
      window.is_object() && window.contains("last_time") && window["last_time"].is_number_integer();
  const auto trained_until =
      trained_window ? window.at("last_time").get<std::int64_t>() : std::int64_t{0};
  const std::size_t labels = layout.labels.size();
  std::vector<std::vector<EffectRow>> rows(labels);
  fit.first_time = fit.last_time;
  for (std::int64_t row = 0; row < dataset.rows; ++row) {
    const auto at = static_cast<std::size_t>(row);
    double weight = dataset.weight(row);
    if (!times.empty()) {
      if (times[at] < earliest) continue;
      fit.first_time = std::min(fit.first_time, times[at]);
      if (trained_window && times[at] <= trained_until) ++fit.seen_before;
      if (options.half_life_days > 0) {
        const double age = static_cast<double>(fit.last_time - times[at]) / kSecondsOfDay;
        weight *= std::exp2(-age / options.half_life_days);
      }
    }
    ++fit.rows;
    const std::int32_t item = id_index(dataset, feature, row);
    // Values that training did not know share a row that says nothing of any of them.
    if (item == Vocabulary::unknown || weight <= 0) continue;
    for (std::size_t l = 0; l < labels; ++l) {
      const float label = dataset.label(row, l);
      if (std::isnan(label)) continue;
      rows[l].push_back({item, logits[at * labels + l], label, static_cast<float>(weight)});
    }
  }
  fit.values.assign(static_cast<std::size_t>(items) * labels, 0.0F);
  std::vector<double> effects;
  for (std::size_t l = 0; l < labels; ++l) {
    if (rows[l].empty()) {
      throw InputError("no row has the label {} and a {} that the model knows", layout.labels[l],
                       options.by);
    }
    fit.labels.push_back(
        fit_label(layout.labels[l], items, rows[l], options.prior_deviation, effects));
    for (std::size_t i = 0; i < effects.size(); ++i) {
      fit.values[i * labels + l] = static_cast<float>(effects[i]);
    }
  }
  return fit;
}

fs::path model_folder_of(const Artifact& artifact) {
  const fs::path given = artifact.folder().parent_path();
  if (given.filename() == artifact.name()) return given;
  const fs::path whole = fs::absolute(artifact.folder()).lexically_normal().parent_path();
  if (whole.filename() == artifact.name()) return whole;
  throw InputError("{}: lies in no folder named {}, where its next version could stand",
                   artifact.folder().string(), artifact.name());
}

fs::path publish_popularity(const Artifact& artifact, const PopularityFit& fit) {
  const fs::path model_folder = model_folder_of(artifact);
  ArtifactWriter writer(model_folder.parent_path(), artifact.name());
  for (const FileEntry& file : artifact.contents().files) {
    if (file.path != Popularity::kFile) writer.add_copy(artifact, file.path);
  }
  const auto labels = static_cast<std::int64_t>(fit.labels.size());
  const Tensor values = make_tensor<float>(
      Popularity::kTensor, {static_cast<std::int64_t>(fit.values.size()) / labels, labels},
      fit.values);
  writer.add_tensors(Popularity::kFile, std::span(&values, 1));
  writer.require_format(Popularity::kFormat);

  ManifestFields fields = artifact.contents().fields;
  nlohmann::json& says = fields.encoders["popularity"];
  says = {{"feature", fit.options.by}, {"rows", fit.rows}};
  if (fit.last_time > 0) {
    says["first_time"] = fit.first_time;
    says["last_time"] = fit.last_time;
  }
  if (fit.options.half_life_days > 0) says["half_life_days"] = fit.options.half_life_days;
  for (const LabelEffects& label : fit.labels) {
    says["labels"][label.label] = {{"prior_deviation", label.deviation},
                                   {"estimated", fit.options.prior_deviation <= 0},
                                   {"rows", label.rows},
                                   {"items", label.items},
                                   {"least", label.least},
                                   {"most", label.most}};
  }
  return writer.publish(fields);
}

}  // namespace limber
