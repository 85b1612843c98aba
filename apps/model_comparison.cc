#include "apps/model_comparison.h"

#include <arrow/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <unordered_map>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/data/reader.h"
#include "limber/training/evaluate/metrics_json.h"

namespace limber {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::array<std::string_view, 3> table_metrics{"auc", "gauc", "log_loss"};

struct Scores {
  std::vector<float> logits, labels, weights;
  std::vector<std::int64_t> members;
  Predictions predictions() const { return {logits, labels, weights, members}; }
};

template <class ArrowArray>
const ArrowArray& typed(const Chunk& chunk, int column) {
  const auto* array = dynamic_cast<const ArrowArray*>(chunk.batch->column(column).get());
  if (array == nullptr || array->null_count() > 0) {
    throw InputError("{}: column {} is not what --scores writes", chunk.file.string(),
                     chunk.batch->column_name(column));
  }
  return *array;
}

Scores read_scores(const std::string& file, const std::string& label) {
  Scores scores;
  std::unordered_map<std::string, std::int64_t> numbers;
  std::vector<std::string> columns = {"member", label + "_logit", label};
  const std::vector<std::string> written = column_names({fs::path(file)});
  const bool weighed = std::find(written.begin(), written.end(), "sample_weight") != written.end();
  if (weighed) columns.emplace_back("sample_weight");
  TableReader reader({fs::path(file)}, columns, false);
  for (Chunk chunk; reader.next(chunk);) {
    const auto& members = typed<arrow::StringArray>(chunk, 0);
    const auto& logits = typed<arrow::FloatArray>(chunk, 1);
    const auto& labels = typed<arrow::FloatArray>(chunk, 2);
    for (std::int64_t i = 0; i < chunk.batch->num_rows(); ++i) {
      const auto next = static_cast<std::int64_t>(numbers.size());
      scores.members.push_back(numbers.try_emplace(members.GetString(i), next).first->second);
      scores.logits.push_back(logits.Value(i));
      scores.labels.push_back(labels.Value(i));
    }
    if (!weighed) continue;
    const auto& weights = typed<arrow::FloatArray>(chunk, 3);
    scores.weights.insert(scores.weights.end(), weights.raw_values(),
                          weights.raw_values() + weights.length());
  }
  return scores;
}

const MetricDescription& described(std::string_view key) {
  for (const MetricDescription& metric : metric_descriptions) {
    if (metric.key == key) return metric;
  }
  throw Error("no metric is called {}", key);
}

std::string number(const json& value, bool sign) {
  if (!value.is_number()) return "-";
  return sign ? fmt::format("{:+.4f}", value.get<double>())
              : fmt::format("{:.4f}", value.get<double>());
}

std::string cell(const json& metric, bool sign) {
  std::string text = number(metric.at("value"), sign);
  if (metric.contains("low")) {
    text += fmt::format(" [{}, {}]", number(metric["low"], sign), number(metric["high"], sign));
  }
  return text;
}

std::string_view verdict(const json& difference, Best best) {
  const json& low = difference.value("low", json());
  const json& high = difference.value("high", json());
  if (!low.is_number() || !high.is_number()) return "";
  if (low.get<double>() <= 0 && high.get<double>() >= 0) return "unclear";
  return (low.get<double>() > 0) == (best == Best::highest) ? "better" : "worse";
}

}  // namespace

ComparedModel read_compared_model(const std::string& argument) {
  ComparedModel model;
  const std::size_t equals = argument.find('=');
  model.file = equals == std::string::npos ? argument : argument.substr(equals + 1);
  model.name =
      equals == std::string::npos ? fs::path(argument).stem().string() : argument.substr(0, equals);
  model.metrics = json::parse(read_file(model.file), nullptr, false);
  const auto damaged = [&] {
    return InputError("{}: not what `limber evaluate --metrics` writes", model.file);
  };
  const json& metrics = model.metrics;
  if (!metrics.is_object() || !metrics.value("split", json()).is_string()) throw damaged();
  const json& labels = metrics.value("labels", json());
  if (!labels.is_object() || labels.empty()) throw damaged();
  for (const auto& [label, values] : labels.items()) {
    const json& numbers = values.is_object() ? values.value("metrics", json()) : json();
    if (!numbers.is_object()) throw damaged();
    for (const std::string_view key : table_metrics) {
      const json& metric = numbers.value(std::string(key), json());
      if (!metric.is_object() || !metric.contains("value")) throw damaged();
    }
  }
  const std::string scores = fs::path(model.file).replace_extension(".parquet").string();
  if (fs::exists(scores)) model.scores = scores;
  return model;
}

void check_comparable(const std::vector<ComparedModel>& models) {
  const auto shape_of = [](const ComparedModel& model) {
    json shape{{"split", model.metrics.at("split")}};
    for (const auto& [label, values] : model.metrics.at("labels").items()) {
      const json& metrics = values.at("metrics");
      shape[label] = {metrics.value("rows", json()), metrics.value("groups", json()),
                      metrics.value("base_rate", json())};
    }
    return shape;
  };
  for (std::size_t m = 0; m < models.size(); ++m) {
    if (shape_of(models[m]) != shape_of(models[0])) {
      throw InputError(
          "{}: other labels, split or test rows than {}; evaluate both on the same data",
          models[m].file, models[0].file);
    }
    for (std::size_t other = 0; other < m; ++other) {
      if (models[other].name == models[m].name) {
        throw InputError("{}: two models are called {}; give one another name: NAME={}",
                         models[m].file, models[m].name, models[m].file);
      }
    }
  }
}

json paired_differences(const std::vector<ComparedModel>& models, std::size_t baseline,
                        const std::string& label, std::size_t resamples) {
  const Scores first = read_scores(models[baseline].scores, label);
  json differences{{"baseline", models[baseline].name}, {"models", json::array()}};
  for (std::size_t m = 0; m < models.size(); ++m) {
    if (m == baseline) continue;
    const Scores second = read_scores(models[m].scores, label);
    if (second.labels != first.labels || second.members != first.members ||
        second.weights != first.weights) {
      throw InputError("{}: other rows than {}; evaluate both on the same data", models[m].scores,
                       models[baseline].scores);
    }
    const MetricDifference difference = bootstrap_difference(
        first.predictions(), second.predictions(), {}, {.resamples = resamples});
    differences["models"].push_back(
        {{"name", models[m].name}, {"metrics", difference_to_json(difference)}});
  }
  return differences;
}

std::string comparison_table(const std::vector<ComparedModel>& models, const std::string& label,
                             const json& differences) {
  std::size_t width = 12;
  for (const ComparedModel& model : models) width = std::max(width, model.name.size());
  std::string text;
  const auto line = [&](std::string_view name, const auto& cell_of) {
    text += fmt::format("  {:<{}}", name, width);
    for (const std::string_view key : table_metrics) {
      text += fmt::format("  {:<34}", cell_of(described(key)));
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  };
  const json& rows = models[0].metrics["labels"][label]["metrics"]["rows"];
  text += fmt::format("Test of '{}': {} rows, {} members, split: {}\n\n", label, rows.dump(),
                      models[0].metrics["labels"][label]["metrics"]["groups"].dump(),
                      models[0].metrics["split"].get<std::string>());
  const auto title = [](const MetricDescription& metric) { return metric.title; };
  line("", title);
  for (const ComparedModel& model : models) {
    const json& metrics = model.metrics["labels"][label]["metrics"];
    line(model.name, [&](const MetricDescription& metric) {
      return cell(metrics.at(std::string(metric.key)), false);
    });
  }
  if (differences.is_null()) return text;
  text += fmt::format("\nEach minus '{}', paired by member:\n\n",
                      differences.at("baseline").get<std::string>());
  for (const json& model : differences.at("models")) {
    line(model.at("name").get<std::string>(), [&](const MetricDescription& metric) {
      const json& difference = model.at("metrics").at(std::string(metric.key));
      return fmt::format("{} {}", cell(difference, true), verdict(difference, metric.best));
    });
  }
  return text;
}

}  // namespace limber
