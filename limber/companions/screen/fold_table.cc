#include "limber/companions/screen/fold_table.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "limber/companions/screen/sample_labels.h"
#include "limber/core/base/error.h"
#include "limber/core/data/reader.h"
#include "limber/core/data/table_source.h"
#include "limber/core/data/table_writer.h"

namespace limber::screen {
namespace {

void check(const arrow::Status& status) {
  if (!status.ok()) throw Error("predictions: {}", status.message());
}

}  // namespace

Folds read_folds(const std::filesystem::path& path, const std::vector<std::string>& samples) {
  std::vector<std::string> columns = column_names({path});
  check_columns({"sample"}, columns, path);
  std::erase(columns, "sample");
  if (columns.empty()) {
    throw InputError("{}: has no column of folds besides sample", path.string());
  }
  check_unique(columns, "column", path.string());
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < samples.size(); ++i) places.emplace(samples[i], i);
  Folds folds(columns.size(), std::vector<int>(samples.size(), -1));
  columns.insert(columns.begin(), "sample");
  TableReader reader({path}, columns, false);
  for (Chunk chunk; reader.next(chunk);) {
    std::vector<ColumnView> views;
    for (int c = 0; c < chunk.batch->num_columns(); ++c) {
      views.emplace_back(chunk.batch->column(c));
    }
    for (std::int64_t i = 0; i < chunk.batch->num_rows(); ++i) {
      const std::string sample = views[0].is_null(i) ? "" : text_of(views[0].key(i));
      const auto place = places.find(sample);
      if (place == places.end() || folds[0][place->second] >= 0) {
        throw InputError("{}: row {}: sample '{}' {}", path.string(), chunk.row(i), sample,
                         place == places.end() ? "is not in the data" : "occurs twice");
      }
      for (std::size_t c = 1; c < views.size(); ++c) {
        double fold = -1;
        try {
          fold = views[c].number(i);
        } catch (const BadValue& bad) {
          throw InputError("{}: row {}: column {}: {}", path.string(), chunk.row(i), columns[c],
                           bad.what());
        }
        if (!(fold >= 0 && fold < 1e6) || fold != std::floor(fold)) {
          throw InputError("{}: row {}: column {}: expected a fold number, 0 or more",
                           path.string(), chunk.row(i), columns[c]);
        }
        folds[c - 1][place->second] = static_cast<int>(fold);
      }
    }
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (folds[0][i] < 0) {
      throw InputError("{}: has no row for sample '{}'", path.string(), samples[i]);
    }
  }
  return folds;
}

void write_validation(const Validation& validation, const Classes& classes,
                      const std::vector<std::string>& samples, const std::filesystem::path& path) {
  arrow::FieldVector fields{
      arrow::field("repeat", arrow::int64()), arrow::field("sample", arrow::utf8()),
      arrow::field("label", arrow::utf8()), arrow::field("predicted", arrow::utf8())};
  arrow::Int64Builder repeats;
  arrow::StringBuilder names;
  arrow::StringBuilder labels;
  arrow::StringBuilder predicted;
  const std::size_t k_count = classes.names.size();
  std::vector<arrow::DoubleBuilder> probabilities(k_count);
  const auto name = [&](int k) { return classes.names[static_cast<std::size_t>(k)]; };
  for (std::size_t repeat = 0; repeat < validation.predicted.size(); ++repeat) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
      check(repeats.Append(static_cast<std::int64_t>(repeat)));
      check(names.Append(samples[i]));
      check(labels.Append(name(classes.of_sample[i])));
      check(predicted.Append(name(validation.predicted[repeat][i])));
      for (std::size_t k = 0; k < k_count; ++k) {
        check(probabilities[k].Append(validation.probability[repeat][i * k_count + k]));
      }
    }
  }
  arrow::ArrayVector arrays(4);
  check(repeats.Finish(&arrays[0]));
  check(names.Finish(&arrays[1]));
  check(labels.Finish(&arrays[2]));
  check(predicted.Finish(&arrays[3]));
  for (std::size_t k = 0; k < k_count; ++k) {
    fields.push_back(arrow::field("probability_" + classes.names[k], arrow::float64()));
    check(probabilities[k].Finish(&arrays.emplace_back()));
  }
  const auto schema = arrow::schema(fields);
  const std::int64_t rows = arrays[0]->length();
  TableWriter writer(path, schema);
  writer.write(*arrow::RecordBatch::Make(schema, rows, std::move(arrays)));
  writer.finish();
}

nlohmann::json validation_to_json(const Validation& validation, const Classes& classes) {
  return {{"error", validation.error},
          {"low", validation.low},
          {"high", validation.high},
          {"log_loss", validation.log_loss},
          {"samples", classes.of_sample.size()},
          {"repeats", validation.predicted.size()},
          {"classes", classes.names},
          {"confusion", validation.confusion}};
}

void check_validation(const nlohmann::json& json, const ScreenModel& model,
                      const std::string& origin) {
  try {
    bool good = json.at("classes").get<std::vector<std::string>>() == model.classes;
    for (const char* key : {"error", "low", "high", "log_loss"}) {
      good = good && std::isfinite(json.at(key).get<double>());
    }
    good = good && json.at("samples").get<std::int64_t>() > 0 &&
           json.at("repeats").get<std::int64_t>() > 0 &&
           json.at("confusion").size() == model.classes.size();
    for (const auto& row : json.at("confusion")) {
      good = good && row.get<std::vector<std::int64_t>>().size() == model.classes.size();
    }
    if (good) return;
  } catch (const nlohmann::json::exception&) {
  }
  throw InputError(
      "{}: is not what `screen cross-validate --metrics` writes for this model's "
      "classes",
      origin);
}

}  // namespace limber::screen
