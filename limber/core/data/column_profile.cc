#include "limber/core/data/column_profile.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "limber/core/data/column.h"
#include "limber/core/data/reader.h"
#include "limber/core/data/value_text.h"
#include "limber/core/data/vocabulary.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kFewValues = 50;

bool is_list_type(const arrow::DataType& type) {
  return type.id() == arrow::Type::LIST || type.id() == arrow::Type::LARGE_LIST ||
         type.id() == arrow::Type::FIXED_SIZE_LIST;
}

bool is_time_type(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP || type.id() == arrow::Type::DATE32 ||
         type.id() == arrow::Type::DATE64;
}

/// "007": a number to arithmetic, but a code to whoever wrote it.
bool is_padded(std::string_view text) {
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

class Profiler {
 public:
  explicit Profiler(std::string name) {
    profile_.name = std::move(name);
    profile_.is_number = profile_.is_whole = profile_.is_truth = profile_.is_time = true;
  }

  void add(const std::shared_ptr<arrow::Array>& array, std::int64_t rows) {
    profile_.rows += rows;
    if (!profile_.problem.empty()) return;
    try {
      const ColumnView view(array);
      profile_.is_list = is_list_type(*array->type());
      profile_.is_typed_time = is_time_type(*array->type());
      for (std::int64_t i = 0; i < rows; ++i) add(view, i);
    } catch (const BadValue& bad) {
      profile_.problem = bad.what();
    }
  }

  ColumnProfile finish() {
    const bool has_parts = profile_.is_list || profile_.separated > 0;
    profile_.distinct = static_cast<std::int64_t>((has_parts ? parts_ : values_).size());
    if (profile_.present() == 0 || !profile_.problem.empty()) {
      profile_.is_number = profile_.is_whole = profile_.is_truth = profile_.is_time = false;
    }
    profile_.is_typed_time = profile_.is_typed_time && profile_.is_time;
    if (!profile_.is_number) return profile_;
    std::sort(numbers_.begin(), numbers_.end());
    profile_.least = numbers_.front();
    profile_.most = numbers_.back();
    profile_.median = numbers_[numbers_.size() / 2];
    if (values_.size() <= kFewValues) {
      for (const double number : numbers_) ++profile_.counts[number];
    }
    return profile_;
  }

 private:
  void add(const ColumnView& view, std::int64_t i) {
    if (view.is_null(i)) {
      ++profile_.missing;
      return;
    }
    if (profile_.is_list) {
      profile_.is_number = profile_.is_whole = profile_.is_truth = profile_.is_time = false;
      add_parts(view, i);
      return;
    }
    const Key key = view.key(i);
    values_.insert(hash_key(key));
    if (!key.is_number && key.text.find('|') != std::string_view::npos) ++profile_.separated;
    add_parts(view, i);
    if (profile_.is_truth) {
      profile_.is_truth = key.is_number ? key.number == 0 || key.number == 1
                                        : key.text == "true" || key.text == "false" ||
                                              key.text == "True" || key.text == "False";
    }
    if (profile_.is_time) profile_.is_time = !key.is_number && is_time(view, i);
    if (profile_.is_number) add_number(view, i, key);
  }

  void add_parts(const ColumnView& view, std::int64_t i) {
    view.keys(i, "|", keys_);
    for (const Key& key : keys_) parts_.insert(hash_key(key));
  }

  static bool is_time(const ColumnView& view, std::int64_t i) {
    try {
      view.time(i);
      return true;
    } catch (const BadValue&) {
      return false;
    }
  }

  void add_number(const ColumnView& view, std::int64_t i, const Key& key) {
    try {
      if (!key.is_number && is_padded(key.text)) throw BadValue("padded");
      const double number = view.number(i);
      profile_.is_whole = profile_.is_whole && number == std::trunc(number);
      numbers_.push_back(number);
    } catch (const BadValue&) {
      profile_.is_number = profile_.is_whole = false;
    }
  }

  ColumnProfile profile_;
  std::unordered_set<std::uint64_t> values_;
  std::unordered_set<std::uint64_t> parts_;
  std::vector<double> numbers_;
  std::vector<Key> keys_;
};

}  // namespace

const ColumnProfile* TableProfile::find(const std::string& name) const {
  for (const ColumnProfile& column : columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

TableProfile profile_table(const std::vector<fs::path>& files, std::int64_t most_rows) {
  TableProfile table;
  table.files = files;
  TableReader reader(files, {}, true);
  std::vector<Profiler> profilers;
  for (const std::string& name : reader.columns()) profilers.emplace_back(name);
  Chunk chunk;
  while (table.rows < most_rows && reader.next(chunk)) {
    const std::int64_t rows = std::min(chunk.batch->num_rows(), most_rows - table.rows);
    for (std::size_t c = 0; c < profilers.size(); ++c) {
      profilers[c].add(chunk.batch->column(static_cast<int>(c)), rows);
    }
    table.rows += rows;
  }
  table.bad_rows = reader.bad_rows();
  table.is_whole = table.rows < most_rows;
  for (Profiler& profiler : profilers) table.columns.push_back(profiler.finish());
  return table;
}

}  // namespace limber
