#include "apps/scores_file.h"

#include <arrow/api.h>

#include "limber/core/base/error.h"
#include "limber/core/data/table_writer.h"

namespace limber {
namespace {

template <class Builder, class Value>
std::shared_ptr<arrow::Array> column(const std::vector<Value>& values) {
  Builder builder;
  std::shared_ptr<arrow::Array> array;
  if (!builder.AppendValues(values).ok() || !builder.Finish(&array).ok()) {
    throw Error("scores: out of memory");
  }
  return array;
}

}  // namespace

void write_scores(const std::filesystem::path& path, const Dataset& dataset,
                  const ScoredRows& scored) {
  std::vector<std::shared_ptr<arrow::Field>> fields = {arrow::field("member", arrow::utf8()),
                                                       arrow::field("support_rows", arrow::int64()),
                                                       arrow::field("activity", arrow::int64())};
  std::vector<std::string> members;
  members.reserve(scored.members.size());
  for (const std::int64_t task : scored.members) {
    members.push_back(dataset.task_keys.text(static_cast<std::int32_t>(task + 1)));
  }
  std::vector<std::shared_ptr<arrow::Array>> columns = {
      column<arrow::StringBuilder>(members), column<arrow::Int64Builder>(scored.support),
      column<arrow::Int64Builder>(scored.activity)};
  for (std::size_t l = 0; l < scored.labels.size(); ++l) {
    fields.push_back(arrow::field(scored.labels[l] + "_logit", arrow::float32()));
    fields.push_back(arrow::field(scored.labels[l], arrow::float32()));
    columns.push_back(column<arrow::FloatBuilder>(scored.logits[l]));
    columns.push_back(column<arrow::FloatBuilder>(scored.truth[l]));
  }
  if (!scored.weights.empty()) {
    fields.push_back(arrow::field("sample_weight", arrow::float32()));
    columns.push_back(column<arrow::FloatBuilder>(scored.weights));
  }
  const auto schema = arrow::schema(fields);
  TableWriter writer(path, schema);
  writer.write(
      *arrow::RecordBatch::Make(schema, static_cast<std::int64_t>(members.size()), columns));
  writer.finish();
}

}  // namespace limber
