#include "limber/core/data/source_files.h"

#include <utility>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/nearest_word.h"
#include "limber/core/data/reader.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

/// The files behind an option. Where some are missing, the line also says what a relative path is
/// relative to, which the path alone does not tell.
std::vector<fs::path> files_of(const std::string& option, const std::vector<std::string>& paths,
                               bool trained) {
  try {
    return expand_paths(paths);
  } catch (const InputError& error) {
    const bool relative = std::ranges::any_of(
        paths, [](const std::string& path) { return fs::path(path).is_relative(); });
    if (!relative) throw InputError("{}: {}", option, error.what());
    throw InputError("{}: {}; {}, those of --set to the current folder", option, error.what(),
                     trained ? "paths that a model was trained with are relative to the folder "
                               "where it was trained"
                             : "paths in a config are relative to its folder");
  }
}

}  // namespace

std::vector<SourceFiles> find_sources(const DataOptions& data, bool trained) {
  std::vector<SourceFiles> sources(1);
  sources[0].files = files_of("data.interactions", data.interactions, trained);
  sources[0].columns = column_names(sources[0].files);
  for (const auto& [name, table] : data.tables) {
    SourceFiles source{name, table.key, {}, {}};
    source.files = files_of("data.tables." + name + ".path", {table.path}, trained);
    source.columns = column_names(source.files);
    for (const SourceFiles* place : {std::as_const(sources).data(), &std::as_const(source)}) {
      if (!place->has(table.key)) {
        throw InputError("{}: no column is named '{}', the key of data.tables.{}{}",
                         place->files[0].string(), table.key, name,
                         did_you_mean(table.key, place->columns));
      }
    }
    sources.push_back(std::move(source));
  }
  return sources;
}

void need_column(const SourceFiles& source, const std::string& column, const std::string& option) {
  if (source.has(column)) return;
  throw InputError("{}: no column is named '{}', which {} asks for{}", source.files[0].string(),
                   column, option, did_you_mean(column, source.columns));
}

std::string table_of(const std::vector<SourceFiles>& sources, const FeatureOptions& feature,
                     const std::string& column) {
  for (std::size_t s = 1; s < sources.size(); ++s) {
    if (sources[s].key == column) return sources[s].name;
  }
  std::vector<std::string> known;
  for (const SourceFiles& source : sources) {
    if (source.has(column)) return source.name;
    known.insert(known.end(), source.columns.begin(), source.columns.end());
  }
  throw InputError("features.{}: no column is named '{}' in the interactions or a side table{}",
                   feature.name, column, did_you_mean(column, known));
}

}  // namespace limber
