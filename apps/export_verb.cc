#include <arrow/api.h>

#include <set>

#include "apps/support_statistics.h"
#include "apps/train_verbs.h"
#include "limber/core/base/check_output.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/progress.h"
#include "limber/core/config/config.h"
#include "limber/core/data/dataset_builder.h"
#include "limber/core/data/loader.h"
#include "limber/core/data/table_writer.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

void check(const arrow::Status& status) {
  if (!status.ok()) throw Error("export: {}", status.ToString());
}

template <class Builder>
std::shared_ptr<arrow::Array> finish(Builder& builder) {
  std::shared_ptr<arrow::Array> array;
  check(builder.Finish(&array));
  return array;
}

bool is_list(const InputFeature& feature) {
  return feature.kind == FeatureKind::ids || feature.kind == FeatureKind::sequence;
}

/// The columns of the files: member, support_rows, activity, sample_weight (where the data have
/// it), the labels, the support statistics by label, then the features as the model sees them
/// (numbers transformed, NaN = missing; an id as its row of the embedding table, 0 = unknown; ids
/// and sequences as lists of such rows).
std::shared_ptr<arrow::Schema> schema_of(const Dataset& dataset) {
  std::vector<std::shared_ptr<arrow::Field>> fields = {arrow::field("member", arrow::utf8()),
                                                       arrow::field("support_rows", arrow::int64()),
                                                       arrow::field("activity", arrow::int64())};
  if (dataset.weights.size() > 0) fields.push_back(arrow::field("sample_weight", arrow::float32()));
  for (const std::string& label : dataset.layout.labels) {
    fields.push_back(arrow::field(label, arrow::float32()));
    fields.push_back(arrow::field(label + "_support_mean", arrow::float32()));
    fields.push_back(arrow::field(label + "_support_residual", arrow::float32()));
  }
  for (const InputFeature& feature : dataset.layout.features) {
    fields.push_back(arrow::field(feature.name, is_list(feature)     ? arrow::list(arrow::int32())
                                                : feature.table >= 0 ? arrow::int32()
                                                                     : arrow::float32()));
  }
  std::set<std::string> names;
  for (const auto& field : fields) {
    if (!names.insert(field->name()).second) {
      throw InputError("features: {} is a column of the exported files already; rename the feature",
                       field->name());
    }
  }
  return arrow::schema(fields);
}

std::shared_ptr<arrow::Array> feature_array(const Dataset& dataset, const RowBatch& rows,
                                            std::size_t which, std::int64_t first) {
  const InputFeature& feature = dataset.layout.features[which];
  const SourceBatch& source = rows.sources[static_cast<std::size_t>(feature.source)];
  const FeatureBatch& values = source.features[which];
  const auto place = [&](std::int64_t row) {
    const auto at = static_cast<std::size_t>(row);
    return source.positions.empty() ? at : static_cast<std::size_t>(source.positions[at]);
  };
  if (feature.table < 0) {
    arrow::FloatBuilder numbers;
    for (std::int64_t row = first; row < rows.rows; ++row) {
      check(numbers.Append(values.numbers[place(row)]));
    }
    return finish(numbers);
  }
  const auto& used = rows.table_rows[static_cast<std::size_t>(feature.table)];
  const auto code = [&](std::int64_t at) {
    return static_cast<std::int32_t>(
        used[static_cast<std::size_t>(values.indices[static_cast<std::size_t>(at)])]);
  };
  if (!is_list(feature)) {
    arrow::Int32Builder codes;
    for (std::int64_t row = first; row < rows.rows; ++row) {
      check(codes.Append(code(static_cast<std::int64_t>(place(row)))));
    }
    return finish(codes);
  }
  auto codes = std::make_shared<arrow::Int32Builder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), codes);
  for (std::int64_t row = first; row < rows.rows; ++row) {
    check(lists.Append());
    for (std::int64_t at = values.offsets[place(row)]; at < values.offsets[place(row) + 1]; ++at) {
      check(codes->Append(code(at)));
    }
  }
  return finish(lists);
}

/// The query rows of a batch.
std::shared_ptr<arrow::RecordBatch> query_rows(const Dataset& dataset, const TaskBatch& batch,
                                               const SupportStatistics& statistics,
                                               const std::shared_ptr<arrow::Schema>& schema) {
  const std::size_t labels = dataset.layout.labels.size();
  const std::vector<SupportStatistics::Values> by_task = statistics.of(batch);
  const std::int64_t first = batch.support_rows();
  arrow::StringBuilder members;
  arrow::Int64Builder support, activity;
  arrow::FloatBuilder weights;
  std::vector<arrow::FloatBuilder> numbers(3 * labels);
  for (std::size_t t = 0; t < batch.tasks.size(); ++t) {
    const TaskRows& task = dataset.tasks[static_cast<std::size_t>(batch.tasks[t])];
    const std::string member =
        dataset.task_keys.text(static_cast<std::int32_t>(batch.tasks[t] + 1));
    for (std::int64_t q = batch.query_offsets[t]; q < batch.query_offsets[t + 1]; ++q) {
      check(members.Append(member));
      check(weights.Append(batch.rows.weight(first + q)));
      check(support.Append(batch.support_offsets[t + 1] - batch.support_offsets[t]));
      const std::int64_t trained = task.train_end - task.begin;
      check(activity.Append(trained > 0 ? trained : task.end - task.begin));
      for (std::size_t l = 0; l < labels; ++l) {
        const SupportStatistics::Values& values = by_task[t * labels + l];
        check(numbers[3 * l].Append(
            batch.rows.labels[static_cast<std::size_t>(first + q) * labels + l]));
        check(numbers[3 * l + 1].Append(static_cast<float>(values.mean)));
        check(numbers[3 * l + 2].Append(static_cast<float>(values.residual)));
      }
    }
  }
  std::vector<std::shared_ptr<arrow::Array>> columns = {finish(members), finish(support),
                                                        finish(activity)};
  if (dataset.weights.size() > 0) columns.push_back(finish(weights));
  for (arrow::FloatBuilder& builder : numbers) columns.push_back(finish(builder));
  for (std::size_t f = 0; f < dataset.layout.features.size(); ++f) {
    columns.push_back(feature_array(dataset, batch.rows, f, first));
  }
  return arrow::RecordBatch::Make(schema, batch.query_rows(), columns);
}

class Exporter {
 public:
  Exporter(const Config& config, const Dataset& dataset, const std::string& item, fs::path folder)
      : config_(config),
        dataset_(dataset),
        statistics_(dataset, item),
        schema_(schema_of(dataset)),
        folder_(std::move(folder)) {}

  /// The episodes that a model with support is trained on in its first epochs.
  void write_training(std::int64_t epochs) const {
    TableWriter writer(folder_ / "train.parquet", schema_);
    for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
      TaskSampler::Options options;
      options.tasks_per_batch = config_.meta.tasks_per_batch;
      options.support = config_.meta.support;
      options.support_sizes = config_.meta.support_sizes;
      options.query = config_.meta.query;
      options.seed = config_.train.seed;
      write(TaskSampler(dataset_, options, epoch), writer);
    }
    writer.finish();
  }

  /// A held-out part; `support` < meta.support leaves each member only their latest rows, with the
  /// same query rows.
  void write_part(Part part, std::int64_t support, const std::string& name) const {
    EvaluationSampler::Options options;
    options.part = part;
    options.support = support;
    options.support_limit = config_.meta.support;
    TableWriter writer(folder_ / name, schema_);
    write(EvaluationSampler(dataset_, options), writer);
    writer.finish();
  }

 private:
  void write(const EpisodeSampler& sampler, TableWriter& writer) const {
    Loader loader(dataset_, sampler);
    while (auto batch = loader.next()) {
      writer.write(*query_rows(dataset_, *batch, statistics_, schema_));
      loader.recycle(std::move(batch));
    }
  }

  const Config& config_;
  const Dataset& dataset_;
  SupportStatistics statistics_;
  std::shared_ptr<arrow::Schema> schema_;
  fs::path folder_;
};

}  // namespace

int run_export(const ExportArguments& arguments) {
  check_output_folder("--output", arguments.output);
  const Config config = load_config(arguments.config, arguments.settings);
  const TemporaryFolder cache;
  const Dataset dataset = build_dataset(config, cache.path());
  const std::string item = arguments.item.empty()
                               ? SupportStatistics::guess_item(dataset, config.data.task)
                               : arguments.item;
  fs::create_directories(arguments.output);
  const Exporter exporter(config, dataset, item, arguments.output);
  exporter.write_training(arguments.epochs);
  exporter.write_part(Part::validation, config.meta.support, "validation.parquet");
  exporter.write_part(Part::test, config.meta.support, "test.parquet");
  for (const std::int64_t support : support_sizes) {
    if (support > config.meta.support) continue;
    exporter.write_part(Part::test, support, fmt::format("test_support_{}.parquet", support));
  }
  fmt::print("wrote train, validation and test rows to {} (split: {}, item: {})\n",
             arguments.output, dataset.split, item);
  if (dataset.bad_rows > 0) fmt::print("{}\n", left_out(dataset));
  return 0;
}

}  // namespace limber
