#include "limber/core/data/starter_tables.h"

#include <algorithm>
#include <cctype>
#include <tuple>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/data/column_words.h"
#include "limber/core/data/reader.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

/// The file's name up to the first dot, in letters that need no quotes.
std::string table_name(const fs::path& file) {
  std::string name = file.filename().string();
  name.resize(std::min(name.find('.'), name.size()));
  for (char& letter : name) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
  }
  return name.empty() ? "table" : name;
}

std::vector<StarterTable> tables_in(std::span<const std::string> paths, std::int64_t most_rows) {
  std::vector<std::vector<std::string>> columns;
  std::vector<std::vector<fs::path>> files;
  for (const fs::path& file : expand_paths(paths)) {
    const std::vector<std::string> names = column_names({file});
    const auto place = std::find(columns.begin(), columns.end(), names);
    if (place == columns.end()) {
      columns.push_back(names);
      files.push_back({file});
    } else {
      auto& table = files[static_cast<std::size_t>(place - columns.begin())];
      if (std::find(table.begin(), table.end(), file) == table.end()) table.push_back(file);
    }
  }
  std::vector<StarterTable> tables;
  for (const std::vector<fs::path>& table : files) {
    std::string name = table_name(table.front());
    while (std::any_of(tables.begin(), tables.end(),
                       [&](const StarterTable& other) { return other.name == name; })) {
      name += "_2";
    }
    tables.push_back({name, "", profile_table(table, most_rows)});
  }
  return tables;
}

/// The column by which `side` can be joined to `main`: unique in `side`, repeated in `main`.
std::string key_between(const TableProfile& main, const TableProfile& side) {
  std::string key;
  for (const ColumnProfile& column : side.columns) {
    const ColumnProfile* same = main.find(column.name);
    if (same == nullptr || !column.is_unique() || same->is_unique()) continue;
    if (key.empty() || (!is_id_name(key) && is_id_name(column.name))) key = column.name;
  }
  return key;
}

std::uintmax_t bytes_of(const TableProfile& table) {
  std::uintmax_t bytes = 0;
  for (const fs::path& file : table.files) bytes += fs::file_size(file);
  return bytes;
}

}  // namespace

StarterTables find_tables(std::span<const std::string> paths, std::int64_t most_rows) {
  std::vector<StarterTable> tables = tables_in(paths, most_rows);
  const auto rank = [&](const StarterTable& table) {
    const auto joined = std::count_if(tables.begin(), tables.end(), [&](const StarterTable& side) {
      return !key_between(table.profile, side.profile).empty();
    });
    return std::tuple(joined, table.profile.rows, bytes_of(table.profile));
  };
  const auto best = std::max_element(
      tables.begin(), tables.end(),
      [&](const StarterTable& one, const StarterTable& other) { return rank(one) < rank(other); });
  if (best->profile.rows == 0) {
    throw InputError("{}: has no rows to learn from", best->profile.files.front().string());
  }
  StarterTables found;
  for (StarterTable& table : tables) {
    if (&table == &*best) continue;
    table.key = key_between(best->profile, table.profile);
    (table.key.empty() ? found.others : found.side_tables).push_back(std::move(table));
  }
  found.interactions = std::move(*best);
  return found;
}

std::vector<std::string> patterns_for(const std::vector<fs::path>& files) {
  std::vector<std::string> names;
  for (const fs::path& file : files) names.push_back(file.string());
  if (files.size() == 1) return names;
  const auto is_exact = [&](const std::string& pattern) {
    auto expanded = expand_paths(std::vector<std::string>{pattern});
    auto wanted = files;
    std::sort(expanded.begin(), expanded.end());
    std::sort(wanted.begin(), wanted.end());
    return expanded == wanted;
  };
  const std::string& first = names.front();
  std::size_t head = first.size();
  std::size_t tail = first.size();
  for (const std::string& name : names) {
    head = std::min(head,
                    static_cast<std::size_t>(
                        std::mismatch(first.begin(), first.end(), name.begin(), name.end()).first -
                        first.begin()));
    tail = std::min(
        tail, static_cast<std::size_t>(
                  std::mismatch(first.rbegin(), first.rend(), name.rbegin(), name.rend()).first -
                  first.rbegin()));
  }
  tail = std::min(tail, first.size() - head);
  const std::string glob = first.substr(0, head) + "*" + first.substr(first.size() - tail);
  if (glob.find_first_of("?[") == std::string::npos && is_exact(glob)) return {glob};
  return names;
}

}  // namespace limber
