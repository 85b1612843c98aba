#include "limber/core/data/source_reader.h"

#include <arrow/record_batch.h>

#include <utility>

#include "limber/core/base/error.h"
#include "limber/core/base/progress.h"

namespace limber {
namespace fs = std::filesystem;

void for_each_row(
    std::vector<fs::path> files, std::vector<std::string> columns, bool skip_bad_rows,
    const std::string& progress_label, std::int64_t& bad_rows,
    const std::function<void(std::vector<ColumnView>&, std::int64_t, std::size_t&)>& row,
    ReadShare share) {
  TableReader reader(std::move(files), columns, skip_bad_rows, share);
  Progress progress(progress_label, 0);
  std::int64_t skipped = 0;
  for (Chunk chunk; reader.next(chunk);) {
    std::vector<ColumnView> views;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      try {
        views.emplace_back(chunk.batch->column(static_cast<int>(c)));
      } catch (const BadValue& bad) {
        throw InputError("{}: column {}: {}", chunk.file.string(), columns[c], bad.what());
      }
    }
    const std::int64_t count = chunk.batch->num_rows();
    for (std::int64_t i = 0; i < count; ++i) {
      std::size_t at = 0;
      try {
        row(views, i, at);
      } catch (const BadValue& bad) {
        if (!skip_bad_rows) {
          throw InputError("{}: row {}, column {}: {} (data.on_bad_row: skip leaves such rows out)",
                           chunk.file.string(), chunk.row(i), columns[at], bad.what());
        }
        ++skipped;
      }
    }
    progress.add(static_cast<std::uint64_t>(count));
  }
  bad_rows += skipped + reader.bad_rows();
}

}  // namespace limber
