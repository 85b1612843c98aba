#include "limber/core/data/parquet_metadata.h"

#include <arrow/util/key_value_metadata.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include "limber/core/base/error.h"
#include "limber/core/base/one_line.h"

namespace limber {

std::string stored_metadata(const std::filesystem::path& path, const std::string& key) {
  try {
    const auto file = parquet::ParquetFileReader::OpenFile(path.string(), /*memory_map=*/false);
    const auto stored = file->metadata()->key_value_metadata();
    if (stored == nullptr || !stored->Contains(key)) return "";
    return stored->Get(key).ValueOrDie();
  } catch (const std::exception& error) {
    throw InputError("{}: cannot be read: {}", path.string(), one_short_line(error.what(), 120));
  }
}

}  // namespace limber
