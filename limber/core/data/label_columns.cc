#include "limber/core/data/label_columns.h"

#include <algorithm>
#include <limits>

namespace limber {
namespace fs = std::filesystem;

LabelColumns::LabelColumns(const DataOptions& data, const SourceFiles& files, SourceBuilder& source,
                           const fs::path& folder)
    : absent_allowed_(data.missing_labels == "absent"),
      raw_path_(folder / "raw_labels"),
      raw_(raw_path_) {
  for (const auto& [name, text] : data.labels) {
    names_.push_back(name);
    const LabelExpression& expression = expressions_.emplace_back(name, text);
    need_column(files, expression.column(), "data.labels." + name);
    views_.push_back(source.use(expression.column()));
    if (!expression.has_percentile()) continue;
    std::vector<std::size_t> clusters;
    for (const std::string& column : expression.clusters()) {
      need_column(files, column, "data.labels." + name);
      clusters.push_back(source.use(column));
    }
    percentiles_.emplace_back(name, expression, expressions_.size() - 1, views_.back(),
                              std::move(clusters), folder);
  }
  row_.resize(names_.size());
}

void LabelColumns::read(const std::vector<ColumnView>& views, std::int64_t i, std::size_t& at) {
  for (std::size_t l = 0; l < row_.size(); ++l) {
    at = views_[l];
    row_[l] = absent_allowed_ && views[at].is_null(i) ? std::numeric_limits<float>::quiet_NaN()
                                                      : expressions_[l].evaluate(views[at], i);
  }
  for (PercentileLabel& label : percentiles_) label.read(views, i, at);
}

void LabelColumns::store() {
  for (const float label : row_) raw_.append(label);
  for (PercentileLabel& label : percentiles_) label.store();
}

void LabelColumns::save() {
  raw_.finish();
  for (PercentileLabel& label : percentiles_) label.save();
}

void LabelColumns::append(const fs::path& folder) {
  const MappedFile saved = MappedFile::open(folder / raw_path_.filename());
  raw_.append(saved.as<float>());
  for (PercentileLabel& label : percentiles_) label.append(folder);
}

MappedFile LabelColumns::sorted(std::span<const std::int64_t> order, const fs::path& path) {
  MappedFile file = MappedFile::create(path, order.size() * names_.size() * sizeof(float));
  {
    const MappedFile raw = raw_.finish();
    const auto from = raw.as<float>();
    const auto to = file.as<float>();
    const auto stride = static_cast<std::int64_t>(names_.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      std::copy_n(from.begin() + order[i] * stride, stride,
                  to.begin() + static_cast<std::int64_t>(i) * stride);
    }
  }
  fs::remove(raw_path_);
  return file;
}

LabelThresholds LabelColumns::evaluate(Fit fit, const LabelThresholds& stored,
                                       std::span<const std::int64_t> order,
                                       std::span<const std::uint8_t> trains,
                                       std::span<float> labels) {
  LabelThresholds thresholds;
  for (PercentileLabel& label : percentiles_) {
    ClusterThresholds& used = thresholds[label.name()];
    used = fit == Fit::fixed ? thresholds_of(stored, label.name(), label.expression())
                             : label.measure(order, trains);
    label.evaluate(used, order, labels, names_.size());
  }
  return thresholds;
}

}  // namespace limber
