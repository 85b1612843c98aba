#include "limber/core/data/popularity.h"

#include <algorithm>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/core/base/nearest_word.h"

namespace limber {

std::size_t id_feature(const InputLayout& layout, const std::string& name,
                       const std::string& option) {
  std::vector<std::string> ids;
  for (std::size_t f = 0; f < layout.features.size(); ++f) {
    const InputFeature& feature = layout.features[f];
    if (feature.kind == FeatureKind::id && feature.name == name) return f;
    if (feature.kind == FeatureKind::id) ids.push_back(feature.name);
  }
  const bool known = std::ranges::any_of(
      layout.features, [&](const InputFeature& feature) { return feature.name == name; });
  const std::string near = known ? "" : did_you_mean(name, ids);
  throw InputError(
      "{}: {}{}", option,
      known ? fmt::format("{} is not a feature of kind id whose values have a row each", name)
            : fmt::format("the model has no feature '{}'", name),
      !near.empty() ? near
      : ids.empty() ? "; the model has none of kind id"
                    : fmt::format("; it can be {}", fmt::join(ids, ", ")));
}

std::int32_t id_index(const Dataset& dataset, std::size_t feature, std::int64_t row) {
  const auto s = static_cast<std::size_t>(dataset.layout.features[feature].source);
  const DataSource& source = dataset.sources[s];
  const auto place = std::ranges::find(source.features, static_cast<int>(feature));
  const FeatureColumn& column =
      source.columns[static_cast<std::size_t>(place - source.features.begin())];
  const std::int64_t at =
      s == 0 ? row : dataset.side_rows[s - 1].as<std::int32_t>()[static_cast<std::size_t>(row)];
  return column.indices.as<std::int32_t>()[static_cast<std::size_t>(at)];
}

std::optional<Popularity> Popularity::find(const Artifact& artifact, const InputLayout& layout) {
  if (!artifact.has_tensor(kTensor)) return std::nullopt;
  const std::string origin = (artifact.folder() / kManifestName).string();
  Popularity found;
  try {
    found.feature =
        id_feature(layout, artifact.contents().fields.encoders.at("popularity").at("feature"),
                   origin + ": popularity");
  } catch (const nlohmann::json::exception& error) {
    throw InputError("{}: encoders: {}; the manifest is damaged", origin, error.what());
  }
  const auto& table = layout.tables[static_cast<std::size_t>(layout.features[found.feature].table)];
  found.labels = static_cast<std::int64_t>(layout.labels.size());
  const Tensor& tensor = artifact.tensor(kTensor);
  if (tensor.type != DataType::kF32 ||
      tensor.shape != std::vector<std::int64_t>{table.rows, found.labels}) {
    throw InputError("{}: tensor {} does not have the shape that the model asks for", origin,
                     kTensor);
  }
  found.values = tensor.values<float>();
  return found;
}

}  // namespace limber
