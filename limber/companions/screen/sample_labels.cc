#include "limber/companions/screen/sample_labels.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "limber/core/base/error.h"
#include "limber/core/data/reader.h"

namespace limber::screen {

std::string text_of(const Key& key) {
  return key.is_number ? std::to_string(key.number) : std::string(key.text);
}

std::vector<std::string> labels_from_table(const SourceOptions& options,
                                           const std::vector<std::string>& samples) {
  const std::string sample_column = options.sample.empty() ? "sample" : options.sample;
  const std::string origin = options.labels.string();
  std::unordered_map<std::string, std::string> labels;
  TableReader reader({options.labels}, {sample_column, options.label}, false);
  for (Chunk chunk; reader.next(chunk);) {
    const ColumnView names(chunk.batch->column(0));
    const ColumnView values(chunk.batch->column(1));
    for (std::int64_t i = 0; i < chunk.batch->num_rows(); ++i) {
      if (names.is_null(i)) {
        throw InputError("{}: row {}: column {}: is empty", origin, chunk.row(i), sample_column);
      }
      std::string name = text_of(names.key(i));
      std::string label = values.is_null(i) ? "" : text_of(values.key(i));
      if (!labels.emplace(name, std::move(label)).second) {
        throw InputError("{}: row {}: sample '{}' has two labels", origin, chunk.row(i), name);
      }
    }
  }
  std::vector<std::string> result;
  for (const std::string& sample : samples) {
    const auto found = labels.find(sample);
    if ((found == labels.end() || found->second.empty()) && options.labels_required) {
      throw InputError("{}: has no label for sample '{}'", origin, sample);
    }
    result.push_back(found == labels.end() ? "" : found->second);
  }
  return result;
}

void check_unique(const std::vector<std::string>& names, const char* what,
                  const std::string& origin) {
  std::unordered_set<std::string_view> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second) {
      throw InputError("{}: two {}s are named '{}'; rename one", origin, what, name);
    }
  }
}

}  // namespace limber::screen
