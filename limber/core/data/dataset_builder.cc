#include "limber/core/data/dataset_builder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "limber/core/base/error.h"
#include "limber/core/base/nearest_word.h"
#include "limber/core/data/label_expression.h"
#include "limber/core/data/percentile_label.h"
#include "limber/core/data/source_files.h"
#include "limber/core/data/source_reader.h"
#include "limber/core/data/split.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

std::vector<FeatureEncoder> new_encoders(const Config& config,
                                         const std::vector<SourceFiles>& sources) {
  std::vector<FeatureEncoder> encoders;
  for (const FeatureOptions& feature : config.features) {
    FeatureEncoder encoder;
    encoder.name = feature.name;
    encoder.dim = feature.dim;
    encoder.kind = feature.kind == "number" ? FeatureKind::number
                   : feature.kind == "id"   ? FeatureKind::id
                   : feature.kind == "ids"  ? FeatureKind::ids
                                            : FeatureKind::sequence;
    if (encoder.kind == FeatureKind::sequence) {
      encoder.of = feature.of;
      encoder.length = feature.length;
    } else {
      encoder.column = feature.column.empty() ? feature.name : feature.column;
      encoder.table = table_of(sources, feature, encoder.column);
      if (encoder.kind == FeatureKind::number) {
        encoder.transform = feature.transform;
      } else {
        encoder.vocabulary_kind = feature.vocabulary;
        encoder.separator = feature.separator;
        if (feature.vocabulary == "hash") encoder.hash_size = feature.hash_size;
      }
    }
    encoders.push_back(std::move(encoder));
  }
  return encoders;
}

/// One source while it is read: its features, and which of the read columns each comes from.
struct SourceBuilder {
  std::vector<std::string> columns;
  std::vector<int> features;
  std::vector<RawFeature> raw;
  std::vector<std::size_t> view_of;
  Vocabulary keys;  ///< side tables: row r has key r + 1

  std::size_t use(const std::string& column) {
    const auto place = std::find(columns.begin(), columns.end(), column);
    if (place != columns.end()) return static_cast<std::size_t>(place - columns.begin());
    columns.push_back(column);
    return columns.size() - 1;
  }
};

float sample_weight(const ColumnView& view, std::int64_t i) {
  const auto weight = static_cast<float>(view.number(i));
  if (std::isnan(weight)) throw BadValue("the weight is missing");
  if (weight < 0) throw BadValue("the weight is negative");
  if (std::isinf(weight)) throw BadValue("the weight is too large");
  return weight;
}

void check_labels(const Dataset& dataset) {
  const std::size_t labels = dataset.layout.labels.size();
  for (std::size_t l = 0; l < labels; ++l) {
    bool zero = false, one = false, known = false;
    for (const TaskRows& task : dataset.tasks) {
      for (std::int64_t row = task.begin; row < task.train_end && !(zero && one); ++row) {
        const float label = dataset.label(row, l);
        if (std::isnan(label)) continue;
        known = true;
        if (dataset.weight(row) > 0) (label > 0.5F ? one : zero) = true;
      }
      if (zero && one) break;
    }
    if (!known && dataset.train_rows() > 0) {
      throw InputError("data.labels.{}: no training row has it", dataset.layout.labels[l]);
    }
    if (!zero && !one) {
      throw InputError(
          "data.weight: the weight is 0 in every training row; nothing can be learned");
    }
    if (!zero || !one) {
      throw InputError(
          "data.labels.{}: the label is {} in every training row; nothing can be "
          "learned from it",
          dataset.layout.labels[l], one ? 1 : 0);
    }
  }
}

}  // namespace

Dataset build_dataset(const Config& config, const fs::path& folder,
                      const std::vector<FeatureEncoder>* encoders,
                      const LabelThresholds* thresholds, Fit fit) {
  const DataOptions& data = config.data;
  if (encoders == nullptr) fit = Fit::anew;
  const bool skip = data.on_bad_row == "skip";
  const std::vector<SourceFiles> files = find_sources(data, fit == Fit::fixed);
  need_column(files[0], data.task, "data.task");
  if (!data.time.empty()) need_column(files[0], data.time, "data.time");
  if (!data.weight.empty()) need_column(files[0], data.weight, "data.weight");

  Dataset dataset;
  dataset.encoders = encoders != nullptr ? *encoders : new_encoders(config, files);
  std::vector<SourceBuilder> builders(files.size());
  for (std::size_t f = 0; f < dataset.encoders.size(); ++f) {
    const FeatureEncoder& encoder = dataset.encoders[f];
    std::size_t s = 0;
    while (s < files.size() && files[s].name != encoder.table) ++s;
    if (s == files.size()) {
      throw InputError(
          "features.{}: data.tables has no table '{}', which the model was trained with",
          encoder.name, encoder.table);
    }
    SourceBuilder& builder = builders[s];
    builder.features.push_back(static_cast<int>(f));
    if (encoder.kind != FeatureKind::sequence)
      need_column(files[s], encoder.column, "features." + encoder.name);
  }

  // Side tables first: their rows must be known when the interactions point at them.
  for (std::size_t s = 1; s < files.size(); ++s) {
    SourceBuilder& builder = builders[s];
    builder.use(files[s].key);
    for (const int f : builder.features) {
      const FeatureEncoder& encoder = dataset.encoders[static_cast<std::size_t>(f)];
      builder.view_of.push_back(builder.use(encoder.column));
      builder.raw.emplace_back(encoder, fit, folder / (files[s].name + "." + encoder.name));
    }
    for_each_row(files[s].files, builder.columns, skip, "reading " + files[s].name,
                 dataset.bad_rows,
                 [&](std::vector<ColumnView>& views, std::int64_t i, std::size_t& at) {
                   if (views[0].is_null(i)) throw BadValue("the key is missing");
                   const Key key = views[0].key(i);
                   if (builder.keys.find(key) != Vocabulary::unknown) {
                     throw BadValue("the key occurs twice");
                   }
                   for (std::size_t k = 0; k < builder.raw.size(); ++k) {
                     at = builder.view_of[k];
                     builder.raw[k].read(views[at], i);
                   }
                   builder.keys.add(views[0].key(i));
                   for (RawFeature& raw : builder.raw) raw.store();
                 });
  }

  // The interactions, in one pass.
  SourceBuilder& main = builders[0];
  const std::size_t task_view = main.use(data.task);
  const std::optional<std::size_t> time_view =
      data.time.empty() ? std::nullopt : std::optional(main.use(data.time));
  const std::optional<std::size_t> weight_view =
      data.weight.empty() ? std::nullopt : std::optional(main.use(data.weight));
  std::vector<std::string> label_names;
  std::vector<LabelExpression> expressions;
  std::vector<std::size_t> label_views;
  std::vector<PercentileLabel> percentile_labels;
  for (const auto& [name, expression] : data.labels) {
    label_names.push_back(name);
    expressions.emplace_back(name, expression);
    need_column(files[0], expressions.back().column(), "data.labels." + name);
    label_views.push_back(main.use(expressions.back().column()));
    if (!expressions.back().has_percentile()) continue;
    std::vector<std::size_t> clusters;
    for (const std::string& column : expressions.back().clusters()) {
      need_column(files[0], column, "data.labels." + name);
      clusters.push_back(main.use(column));
    }
    percentile_labels.emplace_back(name, expressions.back(), expressions.size() - 1,
                                   label_views.back(), std::move(clusters), folder);
  }
  std::vector<std::size_t> key_views;
  for (std::size_t s = 1; s < files.size(); ++s) key_views.push_back(main.use(files[s].key));
  std::vector<int> main_features;
  for (const int f : main.features) {
    const FeatureEncoder& encoder = dataset.encoders[static_cast<std::size_t>(f)];
    if (encoder.kind == FeatureKind::sequence) continue;
    main_features.push_back(f);
    main.view_of.push_back(main.use(encoder.column));
    main.raw.emplace_back(encoder, fit, folder / ("interactions." + encoder.name));
  }
  main.features = main_features;

  ColumnFile<std::int32_t> raw_tasks(folder / "raw_tasks");
  ColumnFile<std::int64_t> raw_times(folder / "raw_times");
  ColumnFile<float> raw_labels(folder / "raw_labels");
  ColumnFile<float> raw_weights(folder / "raw_weights");
  std::vector<ColumnFile<std::int32_t>> raw_side;
  for (std::size_t s = 1; s < files.size(); ++s) {
    raw_side.emplace_back(folder / ("raw_side." + files[s].name));
  }
  std::vector<float> labels(expressions.size());
  const bool absent_allowed = data.missing_labels == "absent";
  std::int64_t count = 0;
  for_each_row(files[0].files, main.columns, skip, "reading interactions", dataset.bad_rows,
               [&](std::vector<ColumnView>& views, std::int64_t i, std::size_t& at) {
                 at = task_view;
                 if (views[at].is_null(i)) throw BadValue("the task is missing");
                 std::int64_t time = 0;
                 if (time_view) {
                   at = *time_view;
                   time = views[at].time(i);
                 }
                 for (std::size_t l = 0; l < labels.size(); ++l) {
                   at = label_views[l];
                   labels[l] = absent_allowed && views[at].is_null(i)
                                   ? std::numeric_limits<float>::quiet_NaN()
                                   : expressions[l].evaluate(views[at], i);
                 }
                 for (PercentileLabel& label : percentile_labels) label.read(views, i, at);
                 float weight = 1;
                 if (weight_view) {
                   at = *weight_view;
                   weight = sample_weight(views[at], i);
                 }
                 for (std::size_t k = 0; k < main.raw.size(); ++k) {
                   at = main.view_of[k];
                   main.raw[k].read(views[at], i);
                 }
                 at = task_view;
                 raw_tasks.append(dataset.task_keys.add(views[at].key(i)) - 1);
                 raw_times.append(time);
                 for (const float label : labels) raw_labels.append(label);
                 for (PercentileLabel& label : percentile_labels) label.store();
                 if (weight_view) raw_weights.append(weight);
                 for (std::size_t s = 0; s < key_views.size(); ++s) {
                   at = key_views[s];
                   // A key that the side table lacks gets a row of its own there, all else missing.
                   const Key key = views[at].is_null(i) ? Key{} : views[at].key(i);
                   raw_side[s].append(builders[s + 1].keys.add(key) - 1);
                 }
                 for (RawFeature& raw : main.raw) raw.store();
                 ++count;
               });
  if (count == 0) throw InputError("{}: holds no usable row", files[0].files[0].string());
  dataset.rows = count;

  const MappedFile tasks_file = raw_tasks.finish();
  const MappedFile times_file = raw_times.finish();
  const MappedFile labels_file = raw_labels.finish();
  const MappedFile weights_file = raw_weights.finish();
  const SplitOptions split = split_options(data);
  dataset.split = split.kind;
  dataset.split_by_member = split.kind == "members";
  const MappedFile order_file =
      sort_rows(tasks_file.as<std::int32_t>(),
                time_view ? times_file.as<std::int64_t>() : std::span<const std::int64_t>{},
                dataset.task_keys.size() - 1, split, folder / "order", dataset.tasks);
  assign_parts(dataset.task_keys, split, dataset.tasks);
  const auto order = order_file.as<std::int64_t>();

  // Labels, times and side rows in sorted order; which rows train.
  dataset.layout.labels = label_names;
  dataset.labels = MappedFile::create(
      folder / "labels", static_cast<std::size_t>(count) * labels.size() * sizeof(float));
  const auto sorted_labels = dataset.labels.as<float>();
  const auto unsorted_labels = labels_file.as<float>();
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::copy_n(unsorted_labels.begin() + order[i] * static_cast<std::int64_t>(labels.size()),
                labels.size(),
                sorted_labels.begin() + static_cast<std::ptrdiff_t>(i * labels.size()));
  }
  if (weight_view) {
    dataset.weights = MappedFile::create(folder / "weights", order.size() * sizeof(float));
    const auto weights = dataset.weights.as<float>();
    for (std::size_t i = 0; i < order.size(); ++i) {
      weights[i] = weights_file.as<float>()[static_cast<std::size_t>(order[i])];
    }
  }
  if (time_view) {
    dataset.times = MappedFile::create(folder / "times", order.size() * sizeof(std::int64_t));
    const auto times = dataset.times.as<std::int64_t>();
    for (std::size_t i = 0; i < order.size(); ++i) {
      times[i] = times_file.as<std::int64_t>()[static_cast<std::size_t>(order[i])];
    }
  }
  MappedFile trains_file = MappedFile::create(folder / "trains", order.size());
  const auto trains = trains_file.as<std::uint8_t>();
  bool any_time = false;
  for (const TaskRows& task : dataset.tasks) {
    for (std::int64_t row = task.begin; row < task.train_end; ++row) {
      trains[static_cast<std::size_t>(row)] = 1;
      if (!time_view) continue;
      const std::int64_t time = dataset.times.as<std::int64_t>()[static_cast<std::size_t>(row)];
      dataset.first_time = any_time ? std::min(dataset.first_time, time) : time;
      dataset.last_time = any_time ? std::max(dataset.last_time, time) : time;
      any_time = true;
    }
  }
  LabelThresholds label_thresholds;
  const LabelThresholds stored = thresholds != nullptr ? *thresholds : LabelThresholds{};
  for (PercentileLabel& label : percentile_labels) {
    ClusterThresholds& used = label_thresholds[label.name()];
    used = fit == Fit::fixed ? thresholds_of(stored, label.name(), label.expression())
                             : label.measure(order, trains);
    label.evaluate(used, order, sorted_labels, labels.size());
  }
  std::vector<std::vector<std::int64_t>> side_weights;
  for (std::size_t s = 0; s < raw_side.size(); ++s) {
    const MappedFile raw = raw_side[s].finish();
    dataset.side_rows.push_back(MappedFile::create(folder / ("side." + files[s + 1].name),
                                                   order.size() * sizeof(std::int32_t)));
    const auto rows = dataset.side_rows.back().as<std::int32_t>();
    auto& weights =
        side_weights.emplace_back(static_cast<std::size_t>(builders[s + 1].keys.size() - 1), 0);
    for (std::size_t i = 0; i < order.size(); ++i) {
      rows[i] = raw.as<std::int32_t>()[static_cast<std::size_t>(order[i])];
      weights[static_cast<std::size_t>(rows[i])] += trains[i];
    }
  }

  std::map<std::string, const FeatureOptions*> options;
  for (const FeatureOptions& feature : config.features) options[feature.name] = &feature;
  for (std::size_t s = 0; s < builders.size(); ++s) {
    SourceBuilder& builder = builders[s];
    DataSource& source = dataset.sources.emplace_back();
    source.name = files[s].name;
    source.features = builder.features;
    source.rows = s == 0 ? count : builder.keys.size() - 1;
    for (std::size_t k = 0; k < builder.raw.size(); ++k) {
      FeatureEncoder& encoder = dataset.encoders[static_cast<std::size_t>(builder.features[k])];
      // Rows that only the interactions know.
      if (s > 0) {
        for (std::int64_t row = builder.raw[k].stored(); row < source.rows; ++row) {
          if (encoder.column == files[s].key) {
            builder.raw[k].read_key(builder.keys.key(static_cast<std::int32_t>(row + 1)));
          } else {
            builder.raw[k].read_missing();
          }
          builder.raw[k].store();
        }
      }
      static const FeatureOptions defaults;
      const auto found = options.find(encoder.name);
      source.columns.push_back(builder.raw[k].finish(
          encoder, found == options.end() ? defaults : *found->second,
          s == 0 ? order : std::span<const std::int64_t>{},
          [&, s](std::int64_t row) -> std::int64_t {
            return s == 0 ? trains[static_cast<std::size_t>(row)]
                          : side_weights[s - 1][static_cast<std::size_t>(row)];
          }));
    }
  }
  std::vector<std::string> tables;
  for (std::size_t s = 1; s < files.size(); ++s) tables.push_back(files[s].name);
  dataset.layout = make_layout(dataset.encoders, tables, label_names);
  dataset.layout.label_thresholds = std::move(label_thresholds);
  if (fit != Fit::fixed) check_labels(dataset);
  for (const char* name :
       {"raw_tasks", "raw_times", "raw_labels", "raw_weights", "order", "trains"}) {
    fs::remove(folder / name);
  }
  for (std::size_t s = 1; s < files.size(); ++s) fs::remove(folder / ("raw_side." + files[s].name));
  return dataset;
}

}  // namespace limber
