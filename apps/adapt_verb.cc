#include <arrow/api.h>

#include <atomic>
#include <thread>

#include "apps/adapt_store.h"
#include "apps/refresh_parts.h"
#include "apps/serve_verbs.h"
#include "apps/thread_count.h"
#include "limber/core/base/check_output.h"
#include "limber/core/base/counted.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/main.h"
#include "limber/core/base/one_line.h"
#include "limber/core/base/progress.h"
#include "limber/core/config/config.h"
#include "limber/core/data/dataset_builder.h"
#include "limber/core/data/member_shard.h"
#include "limber/core/data/source_files.h"
#include "limber/core/data/table_writer.h"
#include "limber/serving/runtime/adapter.h"
#include "limber/serving/runtime/dataset_rows.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

void check(const arrow::Status& status) {
  if (!status.ok()) throw Error("embeddings: {}", status.ToString());
}

/// What is written of a member.
struct Adapted {
  std::int64_t task = 0, rows = 0;
  MemberVector vector;
};

std::shared_ptr<arrow::Schema> embedding_schema(const std::string& fingerprint) {
  return arrow::schema(
      {arrow::field("member", arrow::utf8(), false),
       arrow::field("meta_embedding", arrow::list(arrow::float32()), false),
       arrow::field("support_rows", arrow::int64(), false),
       arrow::field("model", arrow::utf8(), false), arrow::field("version", arrow::utf8(), false)},
      arrow::key_value_metadata({std::string(kLogKey)}, {fingerprint}));
}

std::shared_ptr<arrow::RecordBatch> batch_of(const RuntimeModel& model, const Dataset& dataset,
                                             std::span<const Adapted> members,
                                             const std::shared_ptr<arrow::Schema>& schema) {
  arrow::StringBuilder names, models, versions;
  arrow::Int64Builder support;
  auto values = std::make_shared<arrow::FloatBuilder>();
  arrow::ListBuilder vectors(arrow::default_memory_pool(), values);
  for (const Adapted& member : members) {
    check(names.Append(dataset.task_keys.text(static_cast<std::int32_t>(member.task + 1))));
    check(vectors.Append());
    check(values->AppendValues(member.vector.known.data(), model.embedding_width()));
    check(support.Append(member.rows));
    check(models.Append(model.name()));
    check(versions.Append(model.version()));
  }
  std::vector<std::shared_ptr<arrow::Array>> columns(5);
  check(names.Finish(&columns[0]));
  check(vectors.Finish(&columns[1]));
  check(support.Finish(&columns[2]));
  check(models.Finish(&columns[3]));
  check(versions.Finish(&columns[4]));
  return arrow::RecordBatch::Make(schema, static_cast<std::int64_t>(members.size()), columns);
}

/// Adapts tasks [first, last), divided among threads.
void adapt_tasks(const std::shared_ptr<const RuntimeModel>& model, const Dataset& dataset,
                 std::size_t threads, std::int64_t first, std::vector<Adapted>& members) {
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    Adapter adapter(model);
    DatasetRows rows(dataset);
    std::vector<std::int64_t> chosen;
    constexpr std::size_t step = 16;
    for (std::size_t begin; (begin = next.fetch_add(step)) < members.size();) {
      for (std::size_t m = begin; m < std::min(begin + step, members.size()); ++m) {
        Adapted& member = members[m];
        member.task = first + static_cast<std::int64_t>(m);
        const TaskRows& task = dataset.tasks[static_cast<std::size_t>(member.task)];
        chosen.clear();
        for (std::int64_t row = std::max(task.begin, task.end - model->config.meta.support);
             row < task.end; ++row) {
          chosen.push_back(row);
        }
        member.rows = static_cast<std::int64_t>(chosen.size());
        SupportRows support;
        support.rows = &rows.gather(chosen);
        support.labels = rows.labels();
        support.weights = rows.weights();
        adapter.adapt(support, model->config.meta.adaptation_steps, member.vector);
      }
    }
  };
  std::vector<std::thread> pool;
  std::exception_ptr failure;
  std::mutex mutex;
  for (std::size_t t = 0; t < threads; ++t) {
    pool.emplace_back([&] {
      try {
        work();
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = std::current_exception();
        next = members.size();
      }
    });
  }
  for (std::thread& thread : pool) thread.join();
  if (failure) std::rethrow_exception(failure);
}

/// From log files to a file, or to a folder of parts, of which those that exist are kept.
int adapt_files(const AdaptArguments& arguments) {
  const fs::path output = arguments.output;
  // A folder that is there, or a name that ends as a folder's: a file for every 65,536 members.
  const bool parts = !output.has_filename() || fs::is_directory(output);
  parts ? check_output_folder("--output", output) : check_output_file("--output", output);
  if (!parts && output.extension() != ".parquet") {
    throw InputError(
        "--output {}: a vector a member needs Parquet; name a .parquet file, or a folder",
        output.string());
  }
  const auto model = RuntimeModel::load(Artifact::open(arguments.model), {});
  if (!model->meta_block) {
    throw InputError(
        "{}: the model has no meta block (model.meta_block.enabled), so it has no embeddings to "
        "write; what else it knows of members is kept by --store",
        arguments.model);
  }
  const MemberShard shard = parse_member_shard(arguments.shard, "--shard");
  if (!shard.all() && !parts) {
    throw InputError(
        "--output {}: shards would write one file over another; name a folder (with a / at its "
        "end)",
        output.string());
  }
  Config config = parse_config(config_to_yaml(model->config), arguments.model, arguments.settings);
  for (const auto& [name, path] : named_paths(arguments.tables, "--table")) {
    const auto table = config.data.tables.find(name);
    if (table == config.data.tables.end()) {
      throw InputError("--table {}: the model has no side table of that name", name);
    }
    table->second.path = path;
  }
  std::vector<fs::path> read;
  for (const SourceFiles& source : find_sources(config.data, /*trained=*/true)) {
    read.insert(read.end(), source.files.begin(), source.files.end());
  }
  check_output_apart("--output", output, read);
  const std::string fingerprint = log_fingerprint(read, arguments.settings);
  if (parts && fs::is_directory(output))
    check_same_refresh(output, model->version(), shard, fingerprint);
  const TemporaryFolder folder;
  const Dataset dataset = build_dataset(config, folder.path(), &model->encoders,
                                        &model->layout.label_thresholds, Fit::fixed, shard);
  if (dataset.layout.labels != model->layout.labels) {
    throw InputError("data.labels: the model was trained with other labels");
  }
  if (parts) fs::create_directories(output);
  const auto count = static_cast<std::int64_t>(dataset.tasks.size());
  constexpr std::int64_t part = 65536;
  const auto schema = embedding_schema(fingerprint);
  Progress progress("adapting", static_cast<std::uint64_t>(count), "members");
  const Stopwatch time;
  std::unique_ptr<TableWriter> writer;
  if (!parts) writer = std::make_unique<TableWriter>(output, schema);
  std::int64_t adapted = 0;
  const std::size_t threads = thread_count(arguments.threads);
  for (std::int64_t first = 0; first < count; first += part) {
    const std::int64_t size = std::min(part, count - first);
    const fs::path path =
        output / fmt::format("{}{:06}.parquet", part_prefix(model->version(), shard), first / part);
    if (!parts || !fs::exists(path)) {
      if (stop_requested()) throw Error("stopped after {}", counted(first, "member"));
      std::vector<Adapted> members(static_cast<std::size_t>(size));
      adapt_tasks(model, dataset, threads, first, members);
      const auto batch = batch_of(*model, dataset, members, schema);
      if (parts) {
        TableWriter one(path, schema);
        one.write(*batch);
        one.finish();
      } else {
        writer->write(*batch);
      }
      adapted += size;
    }
    progress.set(static_cast<std::uint64_t>(first + size));
  }
  if (writer) writer->finish();
  progress.finish();
  fmt::print("adapted {} in {:.2f} s ({:.0f} members/s){}{} under {} version {}: {}\n",
             counted(adapted, "member"), time.seconds(),
             static_cast<double>(adapted) / time.seconds(),
             shard.all() ? "" : fmt::format(", shard {}/{}", shard.index, shard.count),
             adapted < count ? fmt::format(", {} were there already", count - adapted) : "",
             model->name(), model->version(), arguments.output);
  if (dataset.bad_rows > 0) {
    fmt::print("{} left out (data.on_bad_row: skip)\n", counted(dataset.bad_rows, "row"));
  }
  return 0;
}

}  // namespace

int run_adapt(const AdaptArguments& arguments) {
  if (arguments.store.empty() == arguments.output.empty()) {
    throw InputError("limber adapt: give --output for a file, or --store for a member store");
  }
  if (arguments.store.empty() && (arguments.load || arguments.all)) {
    throw InputError("limber adapt: --load and --all need --store");
  }
  check_data_settings(arguments.settings, "adapt");
  if (!arguments.store.empty() && !arguments.load) {
    check_store_is_there(arguments.store);
    for (const std::string& setting : arguments.settings) {
      if (setting.starts_with("data.interactions=")) {
        throw InputError(
            "limber adapt: --set data.interactions is read with --load alone; give it, too");
      }
    }
  }
  return arguments.store.empty() ? adapt_files(arguments) : adapt_store(arguments);
}

void check_data_settings(const std::vector<std::string>& settings, const std::string& verb) {
  for (const std::string& setting : settings) {
    if (setting.starts_with("data.")) continue;
    throw InputError(
        "--set {}: limber {} reads options of data.* alone; the model keeps what it was trained "
        "with",
        one_short_line(setting, 80), verb);
  }
}

void check_store_is_there(const std::string& url) {
  constexpr std::string_view rocksdb = "rocksdb:";
  if (!url.starts_with(rocksdb)) return;
  const fs::path folder = url.substr(rocksdb.size());
  if (fs::exists(folder)) return;
  throw InputError(
      "--store {}: there is no such folder; limber serve, or limber adapt --load, makes a store",
      url);
}

}  // namespace limber
