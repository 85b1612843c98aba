#include <arrow/api.h>

#include "apps/serve_verbs.h"
#include "limber/core/base/check_output.h"
#include "limber/core/base/counted.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/progress.h"
#include "limber/core/data/table_writer.h"
#include "limber/serving/rows/log_rows.h"
#include "limber/serving/service/ranking_service.h"
#include "limber/serving/store/redis_address.h"

namespace limber {
namespace {

void check(const arrow::Status& status) {
  if (!status.ok()) throw Error("scores: {}", status.ToString());
}

/// The scored rows, in the order of the input: file, its row, member, a probability for each label.
class ScoreFile {
 public:
  ScoreFile(const std::string& path, const std::string& task,
            const std::vector<std::string>& labels)
      : labels_(labels.size()) {
    arrow::FieldVector fields{arrow::field("file", arrow::utf8(), false),
                              arrow::field("row", arrow::int64(), false),
                              arrow::field(task, arrow::utf8(), false)};
    for (const std::string& label : labels) {
      fields.push_back(arrow::field("score_" + label, arrow::float32(), false));
    }
    schema_ = arrow::schema(fields);
    writer_ = std::make_unique<TableWriter>(path, schema_);
    for (std::size_t l = 0; l < labels.size(); ++l) {
      scores_.push_back(std::make_unique<arrow::FloatBuilder>());
    }
  }

  void add(const std::string& file, std::int64_t row, const std::string& member,
           const std::vector<float>& scores) {
    check(files_.Append(file));
    check(rows_.Append(row));
    check(members_.Append(member));
    for (std::size_t l = 0; l < labels_; ++l) check(scores_[l]->Append(scores[l]));
    if (rows_.length() == 65536) flush();
  }
  void finish() {
    flush();
    writer_->finish();
  }

 private:
  void flush() {
    if (rows_.length() == 0) return;
    const std::int64_t count = rows_.length();
    std::vector<std::shared_ptr<arrow::Array>> columns(3 + labels_);
    check(files_.Finish(&columns[0]));
    check(rows_.Finish(&columns[1]));
    check(members_.Finish(&columns[2]));
    for (std::size_t l = 0; l < labels_; ++l) check(scores_[l]->Finish(&columns[3 + l]));
    writer_->write(*arrow::RecordBatch::Make(schema_, count, columns));
  }

  std::size_t labels_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<TableWriter> writer_;
  arrow::Int64Builder rows_;
  arrow::StringBuilder files_, members_;
  std::vector<std::unique_ptr<arrow::FloatBuilder>> scores_;
};

}  // namespace

int run_predict(const PredictArguments& arguments) {
  check_output_file("--output", arguments.output);
  ServedModel::Options options;
  options.tables = named_paths(arguments.tables, "--table");
  const auto model = ServedModel::load(arguments.model, options);
  const RequestSchema& schema = model->schema();
  if (model->has_sequences() && arguments.store.empty()) {
    throw InputError("the model reads sequences of a member's past; --store says where that is");
  }
  check_store_is_there(arguments.store);
  const auto store = open_member_store(arguments.store.empty() ? "memory:" : arguments.store);
  Personaliser personaliser(*store, 100000);
  const auto files = expand_paths(arguments.inputs);
  std::vector<std::filesystem::path> read = files;
  for (const auto& [table, path] : options.tables) read.emplace_back(path);
  check_output_apart("--output", arguments.output, read);
  ScoreFile output(arguments.output, schema.name(schema.task()), model->runtime().layout.labels);

  // Consecutive rows of one member are scored together.
  constexpr std::int64_t most = 4096;
  const auto bench = model->borrow();
  bench->candidates.restart();
  std::string member;
  std::vector<std::pair<std::string, std::int64_t>> places;
  std::int64_t rows = 0, personalised = 0;
  std::vector<float> scores(schema.labels().size());
  const auto score = [&] {
    if (places.empty()) return;
    const auto entry = personaliser.entry(*model, *bench, member);
    // A live ranking makes do without the store; a file would keep the wrong scores.
    if (entry->unknown)
      throw Error("{}: the store could not be asked", store_without_password(arguments.store));
    bench->candidates.set_sequences(entry->sequences);
    const RowSet& set = bench->candidates.set();
    bench->logits.resize(places.size() * scores.size());
    bench->scorer.score(entry->vector, set, bench->logits);
    for (std::size_t i = 0; i < places.size(); ++i) {
      for (std::size_t l = 0; l < scores.size(); ++l) {
        scores[l] = 1.0F / (1.0F + std::exp(-bench->logits[i * scores.size() + l]));
      }
      output.add(places[i].first, places[i].second, member, scores);
    }
    rows += static_cast<std::int64_t>(places.size());
    if (entry->interactions > 0) personalised += static_cast<std::int64_t>(places.size());
    places.clear();
    bench->candidates.restart();
  };
  std::string room;
  const Stopwatch time;
  const std::int64_t skipped = for_each_log_row(
      files, schema, arguments.skip_bad_rows, "scoring", [&](FieldRow& row, const LogPlace& place) {
        const std::string name = member_name(key_of(row[schema.task()], room));
        if (name != member || static_cast<std::int64_t>(places.size()) == most) score();
        member = name;
        bench->candidates.add(row);
        places.emplace_back(place.file->string(), place.row);
      });
  score();
  output.finish();
  fmt::print(
      "scored {}, {} of them of members with known interactions{}, in {:.2f} s "
      "({:.0f} rows/s): {}\n",
      rows, personalised,
      skipped > 0 ? fmt::format(", {} left out", counted(skipped, "bad row")) : "", time.seconds(),
      static_cast<double>(rows) / time.seconds(), arguments.output);
  return 0;
}

}  // namespace limber
