#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace arrow {
class Array;
class RecordBatch;
}  // namespace arrow

namespace limber {

bool is_utf8(std::string_view bytes);

/// Rows of `array`, ascending, whose text is not UTF-8. Looks into dictionaries and lists; arrays
/// without text have none. Costs one pass over the bytes when all is well.
std::vector<std::int64_t> rows_with_bad_text(const arrow::Array& array);

/// `batch` without `rows` (ascending). Throws Error when out of memory.
std::shared_ptr<arrow::RecordBatch> without_rows(const std::shared_ptr<arrow::RecordBatch>& batch,
                                                 const std::vector<std::int64_t>& rows);

}  // namespace limber
