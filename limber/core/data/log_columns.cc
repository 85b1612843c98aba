#include "limber/core/data/log_columns.h"

#include "limber/core/data/label_expression.h"
#include "limber/core/data/source_files.h"

namespace limber {

void check_log_columns(const DataOptions& data, const std::vector<FeatureEncoder>& encoders) {
  DataOptions log = data;
  log.tables.clear();  // where they are is another's concern
  const SourceFiles files = find_sources(log, /*trained=*/true).front();
  need_column(files, data.task, "data.task");
  if (!data.time.empty()) need_column(files, data.time, "data.time");
  if (!data.weight.empty()) need_column(files, data.weight, "data.weight");
  for (const auto& [name, table] : data.tables) {
    need_column(files, table.key, "data.tables." + name);
  }
  for (const auto& [name, text] : data.labels) {
    const LabelExpression expression(name, text);
    need_column(files, expression.column(), "data.labels." + name);
    for (const std::string& column : expression.clusters()) {
      need_column(files, column, "data.labels." + name);
    }
  }
  for (const FeatureEncoder& encoder : encoders) {
    if (encoder.kind == FeatureKind::sequence || !encoder.table.empty()) continue;
    need_column(files, encoder.column, "features." + encoder.name);
  }
}

}  // namespace limber
