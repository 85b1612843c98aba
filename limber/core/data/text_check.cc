#include "limber/core/data/text_check.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/record_batch.h>
#include <arrow/util/utf8.h>

#include "limber/core/base/error.h"

namespace limber {

bool is_utf8(std::string_view bytes) {
  static const bool initialized = [] {
    arrow::util::InitializeUTF8();
    return true;
  }();
  return initialized && arrow::util::ValidateUTF8(bytes);
}

namespace {

bool texts_are_valid(const arrow::Array& array, std::int64_t start, std::int64_t count);

/// The texts lie one after the other, so they are checked as one; what that cannot see is a
/// character that is cut in two by the border between two texts.
template <class ArrayType>
bool packed_texts_are_valid(const ArrayType& array, std::int64_t start, std::int64_t count) {
  const auto begin = array.value_offset(start);
  const std::string_view bytes(reinterpret_cast<const char*>(array.raw_data()) + begin,
                               static_cast<std::size_t>(array.value_offset(start + count) - begin));
  if (!is_utf8(bytes)) return false;
  for (std::int64_t i = start; i < start + count; ++i) {
    const auto offset = static_cast<std::size_t>(array.value_offset(i) - begin);
    if (offset < bytes.size() && (static_cast<unsigned char>(bytes[offset]) & 0xC0) == 0x80) {
      return false;
    }
  }
  return true;
}

template <class ArrayType>
bool listed_texts_are_valid(const ArrayType& array, std::int64_t start, std::int64_t count) {
  const auto begin = array.value_offset(start);
  return texts_are_valid(*array.values(), begin, array.value_offset(start + count) - begin);
}

bool coded_texts_are_valid(const arrow::DictionaryArray& array, std::int64_t start,
                           std::int64_t count) {
  const arrow::Array& values = *array.dictionary();
  if (count > 1 && texts_are_valid(values, 0, values.length())) return true;
  for (std::int64_t i = start; i < start + count; ++i) {
    if (array.IsValid(i) && !texts_are_valid(values, array.GetValueIndex(i), 1)) return false;
  }
  return true;
}

bool texts_are_valid(const arrow::Array& array, std::int64_t start, std::int64_t count) {
  if (count == 0) return true;
  switch (array.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return packed_texts_are_valid(static_cast<const arrow::BinaryArray&>(array), start, count);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return packed_texts_are_valid(static_cast<const arrow::LargeBinaryArray&>(array), start,
                                    count);
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW: {
      const auto& views = static_cast<const arrow::BinaryViewArray&>(array);
      for (std::int64_t i = start; i < start + count; ++i) {
        if (views.IsValid(i) && !is_utf8(views.GetView(i))) return false;
      }
      return true;
    }
    case arrow::Type::DICTIONARY:
      return coded_texts_are_valid(static_cast<const arrow::DictionaryArray&>(array), start, count);
    case arrow::Type::LIST:
      return listed_texts_are_valid(static_cast<const arrow::ListArray&>(array), start, count);
    case arrow::Type::LARGE_LIST:
      return listed_texts_are_valid(static_cast<const arrow::LargeListArray&>(array), start, count);
    case arrow::Type::FIXED_SIZE_LIST:
      return listed_texts_are_valid(static_cast<const arrow::FixedSizeListArray&>(array), start,
                                    count);
    default:
      return true;
  }
}

}  // namespace

std::vector<std::int64_t> rows_with_bad_text(const arrow::Array& array) {
  std::vector<std::int64_t> rows;
  if (texts_are_valid(array, 0, array.length())) return rows;
  for (std::int64_t i = 0; i < array.length(); ++i) {
    if (!texts_are_valid(array, i, 1)) rows.push_back(i);
  }
  return rows;
}

std::shared_ptr<arrow::RecordBatch> without_rows(const std::shared_ptr<arrow::RecordBatch>& batch,
                                                 const std::vector<std::int64_t>& rows) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> kept;
  std::int64_t start = 0;
  for (const std::int64_t row : rows) {
    if (row > start) kept.push_back(batch->Slice(start, row - start));
    start = row + 1;
  }
  if (start < batch->num_rows() || kept.empty()) kept.push_back(batch->Slice(start));
  auto joined = arrow::ConcatenateRecordBatches(kept);
  if (!joined.ok()) throw Error("cannot leave out bad rows: {}", joined.status().message());
  return *joined;
}

}  // namespace limber
