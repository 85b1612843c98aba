#include "limber/core/data/dataset_builder.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "limber/core/base/error.h"
#include "limber/core/data/check_labels.h"
#include "limber/core/data/label_columns.h"
#include "limber/core/data/new_encoders.h"
#include "limber/core/data/sorted_column.h"
#include "limber/core/data/source_builder.h"
#include "limber/core/data/source_files.h"
#include "limber/core/data/source_reader.h"
#include "limber/core/data/split.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

float sample_weight(const ColumnView& view, std::int64_t i) {
  const auto weight = static_cast<float>(view.number(i));
  if (std::isnan(weight)) throw BadValue("the weight is missing");
  if (weight < 0) throw BadValue("the weight is negative");
  if (std::isinf(weight)) throw BadValue("the weight is too large");
  return weight;
}

/// A data set while it is built: the steps are called in the order in which they stand here.
class DatasetBuilder {
 public:
  DatasetBuilder(const Config& config, const fs::path& folder, Fit fit, const MemberShard& members)
      : config_(config),
        data_(config.data),
        folder_(folder),
        fit_(fit),
        members_(members),
        skip_(data_.on_bad_row == "skip"),
        files_(find_sources(data_, fit == Fit::fixed)),
        builders_(files_.size()) {
    need_column(files_[0], data_.task, "data.task");
    if (!data_.time.empty()) need_column(files_[0], data_.time, "data.time");
    if (!data_.weight.empty()) need_column(files_[0], data_.weight, "data.weight");
  }

  void take_encoders(const std::vector<FeatureEncoder>* encoders);
  /// Side tables first: their rows must be known when the interactions point at them.
  void read_side_tables();
  void read_interactions();
  bool empty() const { return dataset_.rows == 0; }
  void sort();
  void find_training_rows();
  void evaluate_labels(const LabelThresholds* stored);
  void sort_side_rows();
  void finish_features();
  Dataset finish();

 private:
  void add_features(std::size_t source);

  const Config& config_;
  const DataOptions& data_;
  const fs::path& folder_;
  Fit fit_;
  MemberShard members_;
  bool skip_;
  std::vector<SourceFiles> files_;
  std::vector<SourceBuilder> builders_;
  Dataset dataset_;
  std::vector<std::vector<int>> features_;  ///< by source: indices of encoders
  std::optional<LabelColumns> labels_;
  std::vector<MappedFile> raw_side_;
  MappedFile tasks_, raw_times_, raw_weights_, raw_numbers_, order_file_, trains_file_;
  std::vector<std::vector<std::int64_t>> side_weights_;  ///< training rows of each side row

  std::span<const std::int64_t> order() const {
    return std::as_const(order_file_).as<std::int64_t>();
  }
};

void DatasetBuilder::take_encoders(const std::vector<FeatureEncoder>* encoders) {
  dataset_.encoders = encoders != nullptr ? *encoders : new_encoders(config_, files_);
  features_.resize(files_.size());
  for (std::size_t f = 0; f < dataset_.encoders.size(); ++f) {
    const FeatureEncoder& encoder = dataset_.encoders[f];
    std::size_t s = 0;
    while (s < files_.size() && files_[s].name != encoder.table) ++s;
    if (s == files_.size()) {
      throw InputError(
          "features.{}: data.tables has no table '{}', which the model was trained with",
          encoder.name, encoder.table);
    }
    if (encoder.kind == FeatureKind::sequence) continue;
    need_column(files_[s], encoder.column, "features." + encoder.name);
    features_[s].push_back(static_cast<int>(f));
  }
}

void DatasetBuilder::add_features(std::size_t source) {
  const std::string name = source == 0 ? "interactions" : files_[source].name;
  for (const int f : features_[source]) {
    const FeatureEncoder& encoder = dataset_.encoders[static_cast<std::size_t>(f)];
    builders_[source].add(f, encoder, fit_, folder_ / (name + "." + encoder.name));
  }
}

void DatasetBuilder::read_side_tables() {
  for (std::size_t s = 1; s < files_.size(); ++s) {
    builders_[s].use(files_[s].key);
    add_features(s);
    read_side_table(files_[s], skip_, builders_[s], dataset_.bad_rows);
  }
}

void DatasetBuilder::read_interactions() {
  SourceBuilder& main = builders_[0];
  const std::size_t task_view = main.use(data_.task);
  const auto view_of = [&](const std::string& column) {
    return column.empty() ? std::nullopt : std::optional(main.use(column));
  };
  const std::optional<std::size_t> time_view = view_of(data_.time);
  const std::optional<std::size_t> weight_view = view_of(data_.weight);
  LabelColumns& labels = labels_.emplace(data_, files_[0], main, folder_);
  std::vector<std::size_t> key_views;
  std::vector<ColumnFile<std::int32_t>> raw_side;
  for (std::size_t s = 1; s < files_.size(); ++s) {
    key_views.push_back(main.use(files_[s].key));
    raw_side.emplace_back(folder_ / ("raw_side." + files_[s].name));
  }
  add_features(0);

  ColumnFile<std::int32_t> raw_tasks(folder_ / "raw_tasks");
  ColumnFile<std::int64_t> raw_times(folder_ / "raw_times");
  ColumnFile<float> raw_weights(folder_ / "raw_weights");
  ColumnFile<std::int64_t> raw_numbers(folder_ / "raw_numbers");
  std::int64_t number = 0;
  for_each_row(files_[0].files, main.columns, skip_, "reading interactions", dataset_.bad_rows,
               [&](std::vector<ColumnView>& views, std::int64_t i, std::size_t& at) {
                 at = task_view;
                 if (views[at].is_null(i)) throw BadValue("the task is missing");
                 if (!members_.has(views[at].key(i))) {
                   ++number;
                   return;
                 }
                 std::int64_t time = 0;
                 if (time_view) {
                   at = *time_view;
                   time = views[at].time(i);
                 }
                 labels.read(views, i, at);
                 float weight = 1;
                 if (weight_view) {
                   at = *weight_view;
                   weight = sample_weight(views[at], i);
                 }
                 main.read(views, i, at);
                 at = task_view;
                 raw_tasks.append(dataset_.task_keys.add(views[at].key(i)) - 1);
                 raw_times.append(time);
                 labels.store();
                 if (weight_view) raw_weights.append(weight);
                 if (!members_.all()) raw_numbers.append(number);
                 ++number;
                 for (std::size_t s = 0; s < key_views.size(); ++s) {
                   at = key_views[s];
                   // A key that the side table lacks gets a row of its own there, all else missing.
                   const Key key = views[at].is_null(i) ? Key{} : views[at].key(i);
                   raw_side[s].append(builders_[s + 1].keys.add(key) - 1);
                 }
                 main.store();
                 ++dataset_.rows;
               });
  if (dataset_.rows == 0) {
    if (number > 0) return;  // all of them rows of other members
    throw InputError("{}: holds no usable row", files_[0].files[0].string());
  }
  tasks_ = raw_tasks.finish();
  raw_times_ = raw_times.finish();
  raw_weights_ = raw_weights.finish();
  raw_numbers_ = raw_numbers.finish();
  for (ColumnFile<std::int32_t>& side : raw_side) raw_side_.push_back(side.finish());
}

void DatasetBuilder::sort() {
  const SplitOptions split = split_options(data_);
  dataset_.split = split.kind;
  dataset_.split_by_member = split.kind == "members";
  const std::span<const std::int64_t> times = data_.time.empty()
                                                  ? std::span<const std::int64_t>{}
                                                  : std::as_const(raw_times_).as<std::int64_t>();
  order_file_ = sort_rows(std::as_const(tasks_).as<std::int32_t>(), times,
                          std::as_const(raw_numbers_).as<std::int64_t>(),
                          dataset_.task_keys.size() - 1, split, folder_ / "order", dataset_.tasks);
  assign_parts(dataset_.task_keys, split, dataset_.tasks);
  dataset_.layout.labels = labels_->names();
  dataset_.labels = labels_->sorted(order(), folder_ / "labels");
  if (!data_.weight.empty()) {
    dataset_.weights =
        sorted_column<float>(folder_ / "weights", std::as_const(raw_weights_).as<float>(), order());
  }
  if (!data_.time.empty()) {
    dataset_.times = sorted_column<std::int64_t>(folder_ / "times", times, order());
  }
}

void DatasetBuilder::find_training_rows() {
  trains_file_ = MappedFile::create(folder_ / "trains", order().size());
  const auto trains = trains_file_.as<std::uint8_t>();
  const auto times = std::as_const(dataset_.times).as<std::int64_t>();
  bool any_time = false;
  for (const TaskRows& task : dataset_.tasks) {
    for (std::int64_t row = task.begin; row < task.train_end; ++row) {
      trains[static_cast<std::size_t>(row)] = 1;
      if (times.empty()) continue;
      const std::int64_t time = times[static_cast<std::size_t>(row)];
      dataset_.first_time = any_time ? std::min(dataset_.first_time, time) : time;
      dataset_.last_time = any_time ? std::max(dataset_.last_time, time) : time;
      any_time = true;
    }
  }
}

void DatasetBuilder::evaluate_labels(const LabelThresholds* stored) {
  dataset_.layout.label_thresholds = labels_->evaluate(
      fit_, stored != nullptr ? *stored : LabelThresholds{}, order(),
      std::as_const(trains_file_).as<std::uint8_t>(), dataset_.labels.as<float>());
}

void DatasetBuilder::sort_side_rows() {
  const auto trains = std::as_const(trains_file_).as<std::uint8_t>();
  for (std::size_t s = 0; s < raw_side_.size(); ++s) {
    dataset_.side_rows.push_back(
        sorted_column<std::int32_t>(folder_ / ("side." + files_[s + 1].name),
                                    std::as_const(raw_side_[s]).as<std::int32_t>(), order()));
    const auto rows = std::as_const(dataset_.side_rows.back()).as<std::int32_t>();
    auto& weights =
        side_weights_.emplace_back(static_cast<std::size_t>(builders_[s + 1].keys.size() - 1), 0);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      weights[static_cast<std::size_t>(rows[i])] += trains[i];
    }
  }
}

void DatasetBuilder::finish_features() {
  static const FeatureOptions defaults;
  std::map<std::string, const FeatureOptions*> options;
  for (const FeatureOptions& feature : config_.features) options[feature.name] = &feature;
  const auto trains = std::as_const(trains_file_).as<std::uint8_t>();
  for (std::size_t s = 0; s < builders_.size(); ++s) {
    SourceBuilder& builder = builders_[s];
    if (s > 0) add_unlisted_keys(builder, files_[s].key, dataset_.encoders);
    DataSource& source = dataset_.sources.emplace_back();
    source.name = files_[s].name;
    source.features = builder.features;
    source.rows = s == 0 ? dataset_.rows : builder.keys.size() - 1;
    const auto weight = [&, s](std::int64_t row) -> std::int64_t {
      const auto at = static_cast<std::size_t>(row);
      return s == 0 ? trains[at] : side_weights_[s - 1][at];
    };
    for (std::size_t k = 0; k < builder.raw.size(); ++k) {
      FeatureEncoder& encoder = dataset_.encoders[static_cast<std::size_t>(builder.features[k])];
      const auto found = options.find(encoder.name);
      source.columns.push_back(
          builder.raw[k].finish(encoder, found == options.end() ? defaults : *found->second,
                                s == 0 ? order() : std::span<const std::int64_t>{}, weight));
    }
  }
}

Dataset DatasetBuilder::finish() {
  std::vector<std::string> tables;
  for (std::size_t s = 1; s < files_.size(); ++s) tables.push_back(files_[s].name);
  LabelThresholds thresholds = std::move(dataset_.layout.label_thresholds);
  dataset_.layout = make_layout(dataset_.encoders, tables, labels_->names());
  dataset_.layout.label_thresholds = std::move(thresholds);
  if (fit_ == Fit::anew) check_labels(dataset_);
  for (const char* name :
       {"raw_tasks", "raw_times", "raw_weights", "raw_numbers", "order", "trains"}) {
    fs::remove(folder_ / name);
  }
  for (const std::string& table : tables) fs::remove(folder_ / ("raw_side." + table));
  return std::move(dataset_);
}

}  // namespace

Dataset build_dataset(const Config& config, const fs::path& folder,
                      const std::vector<FeatureEncoder>* encoders,
                      const LabelThresholds* thresholds, Fit fit, const MemberShard& members) {
  DatasetBuilder builder(config, folder, encoders != nullptr ? fit : Fit::anew, members);
  builder.take_encoders(encoders);
  builder.read_side_tables();
  builder.read_interactions();
  if (builder.empty()) return builder.finish();
  builder.sort();
  builder.find_training_rows();
  builder.evaluate_labels(thresholds);
  builder.sort_side_rows();
  builder.finish_features();
  return builder.finish();
}

}  // namespace limber
