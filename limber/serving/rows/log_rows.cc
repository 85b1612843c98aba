#include "limber/serving/rows/log_rows.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <deque>

#include "limber/core/base/error.h"
#include "limber/core/base/main.h"
#include "limber/core/base/nearest_word.h"
#include "limber/core/base/progress.h"
#include "limber/core/data/reader.h"
#include "limber/serving/rows/row_encoder.h"

namespace limber {
namespace {

/// A column's value as a field. Whatever the column's type, its key spells the value exactly.
FieldValue field_of(const ColumnView& view, std::int64_t i, std::vector<Key>& keys,
                    std::deque<std::string>& texts) {
  if (view.is_null(i)) return {};
  keys.clear();
  view.keys(i, "", keys);
  const auto scalar = [&](const Key& key) {
    if (key.is_number) return FieldValue::of(key.number);
    return FieldValue::of(std::string_view(texts.emplace_back(key.text)));
  };
  if (keys.size() == 1) return scalar(keys[0]);
  FieldValue list;
  list.kind = FieldValue::Kind::kList;
  for (const Key& key : keys) list.list.push_back(scalar(key));
  return list;
}

}  // namespace

std::int64_t for_each_log_row(const std::vector<std::filesystem::path>& files,
                              const RequestSchema& schema, bool skip_bad_rows,
                              const std::string& progress_label,
                              const std::function<void(FieldRow&, const LogPlace&)>& use) {
  const std::vector<std::string> present = column_names(files);
  std::vector<std::string> columns;
  std::vector<std::size_t> numbers;
  for (std::size_t c = 0; c < schema.columns(); ++c) {
    if (std::find(present.begin(), present.end(), schema.name(c)) == present.end()) continue;
    columns.push_back(schema.name(c));
    numbers.push_back(c);
  }
  const std::string& task = schema.name(schema.task());
  if (std::find(columns.begin(), columns.end(), task) == columns.end()) {
    throw InputError("{}: no column is named '{}', the model's task{}", files[0].string(), task,
                     did_you_mean(task, present));
  }
  TableReader reader(files, columns, skip_bad_rows);
  Progress progress(progress_label, 0);
  std::int64_t skipped = 0;
  std::vector<Key> keys;
  std::deque<std::string> texts;
  FieldRow row(schema);
  for (Chunk chunk; reader.next(chunk);) {
    if (stop_requested()) throw Error("stopped; nothing of the last rows was kept");
    std::vector<ColumnView> views;
    for (int c = 0; c < chunk.batch->num_columns(); ++c) {
      try {
        views.emplace_back(chunk.batch->column(c));
      } catch (const BadValue& bad) {
        throw InputError("{}: column {}: {}", chunk.file.string(),
                         columns[static_cast<std::size_t>(c)], bad.what());
      }
    }
    for (std::int64_t i = 0; i < chunk.batch->num_rows(); ++i) {
      texts.clear();
      std::string column;
      try {
        for (std::size_t c = 0; c < views.size(); ++c) {
          column = columns[c];
          row[numbers[c]] = field_of(views[c], i, keys, texts);
        }
        column = task;
        if (row[schema.task()].missing()) throw BadValue("the task is missing");
        const LogPlace place{&chunk.file, chunk.row(i)};
        use(row, place);
      } catch (const BadValue& bad) {
        if (const auto* field = dynamic_cast<const BadField*>(&bad)) column = field->column();
        if (!skip_bad_rows) {
          throw InputError(
              "{}: row {}, column {}: {} (such rows can be left out: "
              "--skip-bad-rows of predict and popularity, --set data.on_bad_row=skip of others)",
              chunk.file.string(), chunk.row(i), column, bad.what());
        }
        ++skipped;
      }
    }
    progress.add(static_cast<std::uint64_t>(chunk.batch->num_rows()));
  }
  return skipped + reader.bad_rows();
}

}  // namespace limber
