#include "limber/serving/rows/catalogue.h"

#include <utility>

#include "limber/core/base/error.h"
#include "limber/core/base/nearest_word.h"
#include "limber/core/data/source_builder.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

void read_table(const RuntimeModel& model, std::size_t source, const std::vector<fs::path>& files,
                const fs::path& folder, CatalogueTable& table) {
  SourceBuilder builder;
  builder.use(table.key);
  for (std::size_t f = 0; f < model.layout.features.size(); ++f) {
    const FeatureEncoder& encoder = model.encoders[f];
    if (static_cast<std::size_t>(model.layout.features[f].source) != source ||
        encoder.kind == FeatureKind::sequence) {
      continue;
    }
    builder.add(static_cast<int>(f), encoder, Fit::fixed,
                folder / (table.name + "." + encoder.name));
  }
  std::int64_t bad_rows = 0;
  read_side_table({table.name, table.key, files, {}}, model.config.data.on_bad_row == "skip",
                  builder, bad_rows);
  table.keys = std::move(builder.keys);
  table.rows.rows = table.keys.size() - 1;
  table.rows.features.resize(model.layout.features.size());
  for (std::size_t k = 0; k < builder.raw.size(); ++k) {
    const auto f = static_cast<std::size_t>(builder.features[k]);
    FeatureEncoder encoder = model.encoders[f];
    const FeatureColumn& column = table.columns.emplace_back(builder.raw[k].finish(
        encoder, FeatureOptions{}, {}, [](std::int64_t) { return std::int64_t{0}; }));
    FeatureValues& values = table.rows.features[f];
    values.numbers = column.numbers.as<float>().data();
    values.indices = column.indices.as<std::int32_t>().data();
    values.starts = column.starts.as<std::int64_t>().data();
    values.lengths = column.lengths.as<std::int32_t>().data();
    values.values = column.values.as<std::int32_t>().data();
  }
}

}  // namespace

Catalogue::Catalogue(const RuntimeModel& model, const std::map<std::string, std::string>& paths,
                     const fs::path& base, const std::string& table_option) {
  const auto& options = model.config.data.tables;
  std::vector<std::string> names;
  for (const auto& [name, table] : options) names.push_back(name);
  for (const auto& [name, path] : paths) {
    if (!options.contains(name)) {
      throw InputError("{} {}: the model has no table of that name{}", table_option, name,
                       did_you_mean(name, names));
    }
  }
  for (std::size_t s = 1; s < model.layout.sources.size(); ++s) {
    CatalogueTable& table = tables_.emplace_back();
    table.name = model.layout.sources[s];
    const auto configured = options.find(table.name);
    if (configured == options.end()) {
      throw InputError("data.tables has no table '{}', which the model was trained with",
                       table.name);
    }
    table.key = configured->second.key;
    table.of_member = table.key == model.config.data.task;
    const auto given = paths.find(table.name);
    const fs::path path =
        given != paths.end() ? fs::path(given->second) : base / configured->second.path;
    std::vector<fs::path> files;
    try {
      const std::string pattern = path.string();
      files = expand_paths(std::span(&pattern, 1));
    } catch (const InputError& error) {
      throw InputError("{} ({} {}=PATH says where the table is)", error.what(), table_option,
                       table.name);
    }
    read_table(model, s, files, folder_.path(), table);
  }
}

std::string Catalogue::summary() const {
  std::string text;
  for (const CatalogueTable& table : tables_) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", table.name, table.rows.rows);
  }
  return text;
}

}  // namespace limber
