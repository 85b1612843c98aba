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
    const std::size_t column = use(expression.column());
    labels_.push_back({std::move(expression), column});
  }
  if (!data.weight.empty()) weight_ = static_cast<int>(use(data.weight));
  if (!data.time.empty()) use(data.time);
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
