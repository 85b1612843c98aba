#include "limber/serving/rows/request_schema.h"

namespace limber {

RequestSchema::RequestSchema(const RuntimeModel& model, const Catalogue& catalogue) {
  const DataOptions& data = model.config.data;
  task_ = use(data.task);
  for (const FeatureEncoder& encoder : model.encoders) {
    features_.push_back(encoder.kind == FeatureKind::sequence ? names_.size()
                                                              : use(encoder.column));
  }
  std::vector<int> items;
  for (std::size_t t = 0; t < catalogue.tables().size(); ++t) {
    const CatalogueTable& table = catalogue.tables()[t];
    keys_.push_back(use(table.key));
    if (!table.of_member) items.push_back(static_cast<int>(t));
  }
  if (items.size() == 1) item_table_ = items[0];
  for (const std::string& label : model.layout.labels) {
    LabelExpression expression(label, data.labels.at(label));
    Label& added = labels_.emplace_back(Label{std::move(expression), 0, {}});
    added.column = use(added.expression.column());
    if (!added.expression.has_percentile()) continue;
    added.thresholds = &thresholds_of(model.layout.label_thresholds, label, added.expression);
    for (const std::string& column : added.expression.clusters()) {
      added.clusters.push_back(use(column));
    }
  }
  if (!data.weight.empty()) weight_ = static_cast<int>(use(data.weight));
  if (!data.time.empty()) use(data.time);
}

float RequestSchema::Label::evaluate(const FieldRow& row, std::size_t& at) const {
  at = column;
  std::string room;
  if (!expression.wants_number()) return expression.evaluate_key(key_of(row[at], room));
  const double value = number_of(row[at]);
  if (thresholds == nullptr) return expression.evaluate_number(value);
  ClusterName cluster;
  for (const std::size_t field : clusters) {
    at = field;
    row[at].missing() ? cluster.add_missing() : cluster.add(key_of(row[at], room));
  }
  return expression.compare(value, thresholds->of(cluster.close()));
}

std::size_t RequestSchema::use(const std::string& name) {
  const auto [place, added] = numbers_.try_emplace(name, static_cast<int>(names_.size()));
  if (added) names_.push_back(name);
  return static_cast<std::size_t>(place->second);
}

int RequestSchema::find(std::string_view name) const {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? -1 : found->second;
}

}  // namespace limber
