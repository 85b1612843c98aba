#include "limber/core/data/dataset_builder.h"

#include <algorithm>
#include <map>
#include <optional>

#include "limber/core/base/error.h"
#include "limber/core/data/check_labels.h"
#include "limber/core/data/new_encoders.h"
#include "limber/core/data/raw_interactions.h"
#include "limber/core/data/sorted_column.h"
#include "limber/core/data/source_builder.h"
#include "limber/core/data/source_files.h"
#include "limber/core/data/source_reader.h"
#include "limber/core/data/split.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

/// A data set while it is built: the steps are called in the order in which they stand here.
class DatasetBuilder {
 public:
  DatasetBuilder(const Config& config, const fs::path& folder, Fit fit)
      : config_(config),
        data_(config.data),
        folder_(folder),
        fit_(fit),
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
  /// Then the interactions, by what this makes ready.
  void begin_interactions();
  RawInteractions& interactions() { return *raw_; }
  Dataset build(const LabelThresholds* stored);

 private:
  void add_features(std::size_t source);
  void end_interactions();
  void sort();
  void find_training_rows();
  void evaluate_labels(const LabelThresholds* stored);
  void sort_side_rows();
  void finish_features();
  Dataset finish();

  const Config& config_;
  const DataOptions& data_;
  const fs::path& folder_;
  Fit fit_;
  bool skip_;
  std::vector<SourceFiles> files_;
  std::vector<SourceBuilder> builders_;
  Dataset dataset_;
  std::vector<std::vector<int>> features_;  ///< by source: indices of encoders
  std::optional<RawInteractions> raw_;
  MappedFile order_file_, trains_file_;
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

void DatasetBuilder::begin_interactions() {
  add_features(0);
  raw_.emplace(data_, files_, builders_, folder_);
}

void DatasetBuilder::end_interactions() {
  raw_->finish();
  dataset_.rows = raw_->rows;
  dataset_.bad_rows += raw_->bad_rows;
  dataset_.task_keys = std::move(raw_->task_keys);
  // All may be rows of other members.
  if (dataset_.rows == 0 && raw_->passed_over == 0) {
    throw InputError("{}: holds no usable row", files_[0].files[0].string());
  }
}

void DatasetBuilder::sort() {
  const SplitOptions split = split_options(data_);
  dataset_.split = split.kind;
  dataset_.split_by_member = split.kind == "members";
  const std::span<const std::int64_t> times = data_.time.empty()
                                                  ? std::span<const std::int64_t>{}
                                                  : std::as_const(raw_->times).as<std::int64_t>();
  order_file_ = sort_rows(std::as_const(raw_->tasks).as<std::int32_t>(), times,
                          std::as_const(raw_->numbers).as<std::int64_t>(),
                          dataset_.task_keys.size() - 1, split, folder_ / "order", dataset_.tasks);
  assign_parts(dataset_.task_keys, split, dataset_.tasks);
  dataset_.layout.labels = raw_->labels.names();
  dataset_.labels = raw_->labels.sorted(order(), folder_ / "labels");
  if (!data_.weight.empty()) {
    dataset_.weights = sorted_column<float>(folder_ / "weights",
                                            std::as_const(raw_->weights).as<float>(), order());
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
  dataset_.layout.label_thresholds = raw_->labels.evaluate(
      fit_, stored != nullptr ? *stored : LabelThresholds{}, order(),
      std::as_const(trains_file_).as<std::uint8_t>(), dataset_.labels.as<float>());
}

void DatasetBuilder::sort_side_rows() {
  const auto trains = std::as_const(trains_file_).as<std::uint8_t>();
  for (std::size_t s = 0; s < raw_->side_rows.size(); ++s) {
    dataset_.side_rows.push_back(
        sorted_column<std::int32_t>(folder_ / ("side." + files_[s + 1].name),
                                    std::as_const(raw_->side_rows[s]).as<std::int32_t>(), order()));
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
  dataset_.layout = make_layout(dataset_.encoders, tables, raw_->labels.names());
  dataset_.layout.label_thresholds = std::move(thresholds);
  if (fit_ == Fit::anew) check_labels(dataset_);
  for (const char* name :
       {"raw_tasks", "raw_times", "raw_weights", "raw_numbers", "order", "trains"}) {
    fs::remove(folder_ / name);
  }
  for (const std::string& table : tables) fs::remove(folder_ / ("raw_side." + table));
  return std::move(dataset_);
}

Dataset DatasetBuilder::build(const LabelThresholds* stored) {
  end_interactions();
  if (dataset_.rows == 0) return finish();
  sort();
  find_training_rows();
  evaluate_labels(stored);
  sort_side_rows();
  finish_features();
  return finish();
}

}  // namespace

Dataset build_dataset(const Config& config, const fs::path& folder,
                      const std::vector<FeatureEncoder>* encoders,
                      const LabelThresholds* thresholds, Fit fit, const MemberShard& members) {
  DatasetBuilder builder(config, folder, encoders != nullptr ? fit : Fit::anew);
  builder.take_encoders(encoders);
  builder.read_side_tables();
  builder.begin_interactions();
  builder.interactions().read(members, {});
  return builder.build(thresholds);
}

void read_dataset_piece(const Config& config, const fs::path& folder, ReadShare share) {
  DatasetBuilder builder(config, folder, Fit::anew);
  builder.take_encoders(nullptr);
  builder.begin_interactions();
  builder.interactions().read({}, share);
  builder.interactions().save();
}

Dataset build_dataset_of_pieces(const Config& config, const fs::path& folder, std::int64_t pieces,
                                const std::function<fs::path(std::int64_t)>& piece) {
  DatasetBuilder builder(config, folder, Fit::anew);
  builder.take_encoders(nullptr);
  builder.read_side_tables();
  builder.begin_interactions();
  builder.interactions().read({}, {0, pieces});
  for (std::int64_t i = 1; i < pieces; ++i) builder.interactions().append(piece(i));
  return builder.build(nullptr);
}

}  // namespace limber
