#include "limber/core/config/relative_paths.h"

namespace limber {
namespace {

void resolve(std::string& path, const std::filesystem::path& folder) {
  // An absolute path replaces the folder.
  if (!path.empty()) path = (folder / path).lexically_normal().string();
}

}  // namespace

void resolve_paths(DataOptions& data, const std::filesystem::path& folder) {
  if (folder.empty()) return;
  for (std::string& path : data.interactions) resolve(path, folder);
  for (auto& [name, table] : data.tables) resolve(table.path, folder);
  resolve(data.cache, folder);
}

}  // namespace limber
