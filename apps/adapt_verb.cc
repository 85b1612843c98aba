#include <arrow/api.h>

#include <array>
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "apps/serve_verbs.h"
#include "limber/core/base/check_output.h"
#include "limber/core/base/counted.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/main.h"
#include "limber/core/base/one_line.h"
#include "limber/core/base/progress.h"
#include "limber/core/config/config.h"
#include "limber/core/data/dataset_builder.h"
#include "limber/core/data/table_writer.h"
#include "limber/serving/rows/log_rows.h"
#include "limber/serving/rows/row_encoder.h"
#include "limber/serving/runtime/adapter.h"
#include "limber/serving/runtime/dataset_rows.h"
#include "limber/serving/service/ranking_service.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

void check(const arrow::Status& status) {
  if (!status.ok()) throw Error("embeddings: {}", status.ToString());
}

std::size_t thread_count(std::size_t asked) {
  return asked > 0 ? asked : std::max(1U, std::thread::hardware_concurrency());
}

/// What is written of a member.
struct Adapted {
  std::int64_t task = 0, rows = 0;
  MemberVector vector;
};

std::shared_ptr<arrow::Schema> embedding_schema() {
  return arrow::schema({arrow::field("member", arrow::utf8(), false),
                        arrow::field("meta_embedding", arrow::list(arrow::float32()), false),
                        arrow::field("support_rows", arrow::int64(), false),
                        arrow::field("model", arrow::utf8(), false),
                        arrow::field("version", arrow::utf8(), false)});
}

std::shared_ptr<arrow::RecordBatch> batch_of(const RuntimeModel& model, const Dataset& dataset,
                                             std::span<const Adapted> members) {
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
  return arrow::RecordBatch::Make(embedding_schema(), static_cast<std::int64_t>(members.size()),
                                  columns);
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
        "{}: the model has no meta block (model.meta_block.enabled), so there is nothing to adapt",
        arguments.model);
  }
  const Config config =
      parse_config(config_to_yaml(model->config), arguments.model, arguments.settings);
  const TemporaryFolder folder;
  const Dataset dataset =
      build_dataset(config, folder.path(), &model->encoders, &model->layout.label_thresholds);
  if (dataset.layout.labels != model->layout.labels) {
    throw InputError("data.labels: the model was trained with other labels");
  }
  std::vector<fs::path> read = expand_paths(config.data.interactions);
  for (const auto& [name, table] : config.data.tables) {
    for (const fs::path& path : expand_paths(std::array{table.path})) read.push_back(path);
  }
  check_output_apart("--output", output, read);
  if (parts) fs::create_directories(output);
  const auto count = static_cast<std::int64_t>(dataset.tasks.size());
  constexpr std::int64_t part = 65536;
  Progress progress("adapting", static_cast<std::uint64_t>(count), "members");
  const Stopwatch time;
  std::unique_ptr<TableWriter> writer;
  if (!parts) writer = std::make_unique<TableWriter>(output, embedding_schema());
  std::int64_t adapted = 0;
  const std::size_t threads = thread_count(arguments.threads);
  for (std::int64_t first = 0; first < count; first += part) {
    const std::int64_t size = std::min(part, count - first);
    const fs::path path = output / fmt::format("{}-{:06}.parquet", model->version(), first / part);
    if (!parts || !fs::exists(path)) {
      if (stop_requested()) throw Error("stopped after {}", counted(first, "member"));
      std::vector<Adapted> members(static_cast<std::size_t>(size));
      adapt_tasks(model, dataset, threads, first, members);
      const auto batch = batch_of(*model, dataset, members);
      if (parts) {
        TableWriter one(path, embedding_schema());
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
  fmt::print("adapted {} in {:.2f} s ({:.0f} members/s){} under {} version {}: {}\n",
             counted(adapted, "member"), time.seconds(),
             static_cast<double>(adapted) / time.seconds(),
             adapted < count ? fmt::format(", {} were there already", count - adapted) : "",
             model->name(), model->version(), arguments.output);
  if (dataset.bad_rows > 0) {
    fmt::print("{} left out (data.on_bad_row: skip)\n", counted(dataset.bad_rows, "row"));
  }
  return 0;
}

/// Drops interactions older than the newest that the store has of their member: a log that is
/// loaded again must not bring back what was pushed out. Returns how many.
std::int64_t leave_out_older(MemberStore& store, std::vector<MemberInteraction>& interactions) {
  std::set<std::string> names;
  for (const MemberInteraction& one : interactions) names.insert(one.member);
  const std::vector<std::string> members(names.begin(), names.end());
  std::map<std::string, std::int64_t> newest;
  constexpr std::size_t together = 1024;
  for (std::size_t first = 0; first < members.size(); first += together) {
    const auto some = std::span(members).subspan(first, std::min(together, members.size() - first));
    const auto recent = store.recent_many(some, 1);
    for (std::size_t m = 0; m < some.size(); ++m) {
      if (!recent[m].empty()) newest[some[m]] = recent[m].back().interaction.time_ms;
    }
  }
  return static_cast<std::int64_t>(std::erase_if(interactions, [&](const MemberInteraction& one) {
    const auto found = newest.find(one.member);
    return found != newest.end() && one.interaction.time_ms < found->second;
  }));
}

/// Puts the log's interactions into the store: in the order of time where the config knows it, for
/// which all of them are held in memory at once; else in the order of the files.
void load_interactions(const ServedModel& model, const Config& config, MemberStore& store) {
  const RequestSchema& schema = model.schema();
  std::vector<MemberInteraction> waiting;
  constexpr std::size_t together = 4096;
  std::int64_t stored = 0, known = 0;
  const auto write = [&] {
    for (std::size_t first = 0; first < waiting.size(); first += together) {
      const std::size_t size = std::min(together, waiting.size() - first);
      for (const AppendResult& result :
           store.append_many(std::span(waiting).subspan(first, size))) {
        ++(result.stored() ? stored : known);
      }
    }
    waiting.clear();
  };
  std::string room;
  const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
  const int time_column = config.data.time.empty() ? -1 : schema.find(config.data.time);
  const Stopwatch time;
  const std::int64_t skipped = for_each_log_row(
      expand_paths(config.data.interactions), schema, config.data.on_bad_row == "skip", "loading",
      [&](FieldRow& row, const LogPlace& place) {
        MemberInteraction one;
        one.member = member_name(key_of(row[schema.task()], room));
        // The same row of the same file is stored once.
        one.interaction.event_id = fmt::format("{}:{}", place.file->filename().string(), place.row);
        one.interaction.time_ms = now_ms;
        if (time_column >= 0) {
          const FieldValue& value = row[static_cast<std::size_t>(time_column)];
          if (value.missing()) throw BadField(config.data.time, "the time is missing");
          const double seconds = value.kind == FieldValue::Kind::kText
                                     ? static_cast<double>(time_of(value.text))
                                     : number_of(value);
          // What a store keeps expires by this time, so milliseconds must not pass for seconds.
          constexpr double year_3000 = 32503680000;
          if (!(std::abs(seconds) < year_3000)) {
            throw BadField(config.data.time,
                           fmt::format("{} is no time in seconds since 1970", seconds));
          }
          one.interaction.time_ms = static_cast<std::int64_t>(1000 * seconds);
        }
        NamedFields fields;
        for (std::size_t c = 0; c < schema.columns(); ++c) {
          if (c != schema.task() && !row[c].missing()) fields.emplace_back(schema.name(c), row[c]);
        }
        one.interaction.body = to_json(fields);
        waiting.push_back(std::move(one));
        if (time_column < 0 && waiting.size() == together) write();
      });
  if (time_column >= 0) {
    std::stable_sort(waiting.begin(), waiting.end(),
                     [](const MemberInteraction& a, const MemberInteraction& b) {
                       return a.interaction.time_ms < b.interaction.time_ms;
                     });
    known += leave_out_older(store, waiting);
  }
  write();
  fmt::print("loaded {}{}{} in {:.2f} s\n", counted(stored, "interaction"),
             known > 0 ? fmt::format(", {} were there already", known) : "",
             skipped > 0 ? fmt::format(", {} bad rows skipped", skipped) : "", time.seconds());
}

/// Members of the store whose interactions are newer than their embedding. What is done is done:
/// a run that was cut off goes on where it stopped when it is started again.
int adapt_store(const AdaptArguments& arguments) {
  ServedModel::Options options;
  options.tables = named_paths(arguments.tables, "--table");
  const auto model = ServedModel::load(arguments.model, options);
  const RuntimeModel& runtime = model->runtime();
  const Config config =
      parse_config(config_to_yaml(runtime.config), arguments.model, arguments.settings);
  StoreOptions kept;
  kept.most_interactions = arguments.most_interactions > 0
                               ? arguments.most_interactions
                               : std::max<std::int64_t>(200, 2 * model->interactions_wanted());
  kept.interaction_ttl = std::chrono::hours(24) * arguments.interaction_days;
  const auto store = open_member_store(arguments.store, kept);
  if (arguments.load) load_interactions(*model, config, *store);
  if (!runtime.uses_support()) {
    throw InputError("{}: the model has no part that is adapted to members", arguments.model);
  }
  Personaliser personaliser(*store, 0);
  Progress progress("adapting", 0, "members");
  const Stopwatch time;
  std::mutex mutex;
  std::string cursor;
  bool finished = false;
  std::exception_ptr failure;
  std::int64_t adapted = 0;
  // An unknown version has no embeddings, so that all members count as changed.
  const std::string version = arguments.all ? "" : runtime.version();
  const auto adapt_pages = [&] {
    const auto bench = model->borrow();
    while (true) {
      std::vector<std::string> members;
      {
        const std::lock_guard lock(mutex);
        if (finished || failure || stop_requested()) return;
        const ScanPage page = store->scan(cursor, 256, runtime.name(), version);
        cursor = page.next_cursor;
        finished = cursor.empty();
        for (const ScanEntry& entry : page.entries) members.push_back(entry.member);
      }
      if (!members.empty()) personaliser.refresh_many(*model, *bench, members);
      const std::lock_guard lock(mutex);
      adapted += static_cast<std::int64_t>(members.size());
      progress.set(static_cast<std::uint64_t>(adapted));
    }
  };
  const auto work = [&] {
    try {
      adapt_pages();
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  };
  std::vector<std::thread> pool;
  for (std::size_t t = 0; t < thread_count(arguments.threads); ++t) pool.emplace_back(work);
  for (std::thread& thread : pool) thread.join();
  progress.finish();
  if (failure) std::rethrow_exception(failure);
  fmt::print("adapted {} in {:.2f} s ({:.0f} members/s) under {} version {}: {}{}\n",
             counted(adapted, "member"), time.seconds(),
             static_cast<double>(adapted) / time.seconds(), runtime.name(), runtime.version(),
             arguments.store, finished ? "" : "; stopped, start again to go on");
  return finished ? 0 : 1;
}

}  // namespace

int run_adapt(const AdaptArguments& arguments) {
  if (arguments.store.empty() == arguments.output.empty()) {
    throw InputError("limber adapt: give --output for a file, or --store for a member store");
  }
  if (arguments.store.empty() && (arguments.load || arguments.all)) {
    throw InputError("limber adapt: --load and --all need --store");
  }
  for (const std::string& setting : arguments.settings) {
    if (setting.starts_with("data.")) continue;
    throw InputError(
        "--set {}: limber adapt reads options of data.* alone; the model keeps what it was trained "
        "with",
        one_short_line(setting, 80));
  }
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
