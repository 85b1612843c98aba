#include "limber/companions/screen/row_source.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <cmath>

#include "limber/companions/screen/csv_fields.h"
#include "limber/companions/screen/sample_labels.h"
#include "limber/core/base/error.h"
#include "limber/core/data/column.h"
#include "limber/core/data/reader.h"
#include "limber/core/data/table_source.h"

namespace limber::screen {
namespace {

/// One file of features, read row by row.
class RowFile {
 public:
  virtual ~RowFile() = default;
  virtual const std::vector<std::string>& columns() const = 0;
  /// Reads one feature; `values` has one place a sample. False at the end.
  virtual bool next(std::size_t name_column, std::string& name, std::span<double> values) = 0;
  virtual double share_done() const = 0;
};

class CsvRowFile : public RowFile {
 public:
  explicit CsvRowFile(const std::filesystem::path& path) : path_(path), fields_(path) {
    if (!fields_.next_row()) {
      throw InputError("{}: is empty; the first line must name the samples", path.string());
    }
    for (std::string_view field; fields_.next_field(field);) columns_.emplace_back(field);
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  bool next(std::size_t name_column, std::string& name, std::span<double> values) override {
    if (!fields_.next_row()) return false;
    std::size_t column = 0;
    std::size_t sample = 0;
    std::string why;
    for (std::string_view field; fields_.next_field(field); ++column) {
      if (column == name_column) {
        name = field;
        continue;
      }
      if (column < columns_.size() && !parse_value(field, values[sample++], why)) {
        throw InputError("{}: row {}: column {}: {}", path_.string(), fields_.row(),
                         columns_[column], why);
      }
    }
    if (column != columns_.size()) {
      throw InputError("{}: row {}: {} column{}, expected {}", path_.string(), fields_.row(),
                       column, column == 1 ? "" : "s", columns_.size());
    }
    if (name.empty()) {
      throw InputError("{}: row {}: column {}: the feature has no name", path_.string(),
                       fields_.row(), columns_[name_column]);
    }
    return true;
  }

  double share_done() const override { return fields_.share_done(); }

 private:
  std::filesystem::path path_;
  CsvFields fields_;
  std::vector<std::string> columns_;
};

class ParquetRowFile : public RowFile {
 public:
  explicit ParquetRowFile(const std::filesystem::path& path)
      : path_(path), reader_({path}, {}, false) {}

  const std::vector<std::string>& columns() const override { return reader_.columns(); }

  bool next(std::size_t name_column, std::string& name, std::span<double> values) override {
    if (chunk_.batch == nullptr || row_ == chunk_.batch->num_rows()) {
      views_.clear();
      plain_.clear();
      if (!reader_.next(chunk_)) return false;
      row_ = 0;
      for (int column = 0; column < chunk_.batch->num_columns(); ++column) {
        try {
          views_.emplace_back(chunk_.batch->column(column));
          plain_.push_back(plain(*chunk_.batch->column(column)));
        } catch (const BadValue& bad) {
          throw InputError("{}: column {}: {}", path_.string(),
                           columns()[static_cast<std::size_t>(column)], bad.what());
        }
      }
    }
    std::size_t sample = 0;
    std::string why;
    for (std::size_t column = 0; column < views_.size(); ++column) {
      try {
        if (column == name_column) {
          if (views_[column].is_null(row_)) throw BadValue("the feature has no name");
          name = text_of(views_[column].key(row_));
          continue;
        }
        values[sample] = number(column);
        if (!check_value(values[sample++], why)) throw BadValue(why);
      } catch (const BadValue& bad) {
        throw InputError("{}: row {}: column {}: {}", path_.string(), chunk_.row(row_),
                         columns()[column], bad.what());
      }
    }
    ++row_;
    return true;
  }

  double share_done() const override { return reader_.share_done(); }

 private:
  /// Doubles and floats, which most tables hold, are read where they lie: a column's array is
  /// looked up once a chunk, not once a value.
  struct Plain {
    const double* doubles = nullptr;
    const float* floats = nullptr;
  };

  static Plain plain(const arrow::Array& array) {
    Plain result;
    if (array.null_count() > 0) return result;
    if (array.type_id() == arrow::Type::DOUBLE) {
      result.doubles = static_cast<const arrow::DoubleArray&>(array).raw_values();
    } else if (array.type_id() == arrow::Type::FLOAT) {
      result.floats = static_cast<const arrow::FloatArray&>(array).raw_values();
    }
    return result;
  }

  double number(std::size_t column) const {
    const Plain& here = plain_[column];
    if (here.doubles) return here.doubles[row_];
    if (here.floats) return static_cast<double>(here.floats[row_]);
    const arrow::Array& array = *chunk_.batch->column(static_cast<int>(column));
    if (!array.IsNull(row_) && array.type_id() == arrow::Type::DOUBLE) {
      return static_cast<const arrow::DoubleArray&>(array).Value(row_);
    }
    if (!array.IsNull(row_) && array.type_id() == arrow::Type::FLOAT) {
      return static_cast<double>(static_cast<const arrow::FloatArray&>(array).Value(row_));
    }
    return views_[column].number(row_);
  }

  std::filesystem::path path_;
  TableReader reader_;
  Chunk chunk_;
  std::vector<ColumnView> views_;
  std::vector<Plain> plain_;  ///< [columns]
  std::int64_t row_ = 0;
};

std::unique_ptr<RowFile> open_row_file(const std::filesystem::path& path) {
  if (is_parquet(path)) return std::make_unique<ParquetRowFile>(path);
  return std::make_unique<CsvRowFile>(path);
}

class RowSource : public FeatureSource {
 public:
  explicit RowSource(const SourceOptions& options) : options_(options) {
    open(0);
    columns_ = file_->columns();
    check_unique(columns_, "column", origin());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i != name_column_) samples_.push_back(columns_[i]);
    }
    if (samples_.empty()) {
      throw InputError("{}: has no column besides the features' names", origin());
    }
    if (!options_.labels.empty()) labels_ = labels_from_table(options_, samples_);
    if (labels_.empty() && options_.labels_required) {
      throw InputError("{}: features in rows need a table of labels; give one with --labels",
                       origin());
    }
  }

  const std::vector<std::string>& samples() const override { return samples_; }
  const std::vector<std::string>& labels() const override { return labels_; }

  bool next(FeatureBlock& block) override {
    const std::int64_t width = static_cast<std::int64_t>(samples_.size());
    const std::int64_t most = std::clamp<std::int64_t>(kBlockValues / width, 1, kBlockFeatures);
    block.first = done_;
    block.names.clear();
    block.values.resize(static_cast<std::size_t>(most * width));
    std::int64_t count = 0;
    std::string name;
    while (count < most && file_ != nullptr) {
      const std::span<double> place =
          std::span(block.values)
              .subspan(static_cast<std::size_t>(count * width), static_cast<std::size_t>(width));
      if (file_->next(name_column_, name, place)) {
        block.names.add(name);
        ++count;
      } else if (++number_ < options_.files.size()) {
        open(number_);
        if (file_->columns() != columns_) {
          throw InputError("{}: its columns are not those of {}", options_.files[number_].string(),
                           options_.files[0].string());
        }
      } else {
        file_.reset();
      }
    }
    block.values.resize(static_cast<std::size_t>(count * width));
    done_ += count;
    if (done_ == 0) throw InputError("{}: has no features, only a header", origin());
    return count > 0;
  }

  void rewind() override {
    done_ = 0;
    open(0);
  }

  double share_done() const override {
    const double before = static_cast<double>(number_);
    return (before + (file_ ? file_->share_done() : 0)) /
           static_cast<double>(options_.files.size());
  }

  std::string origin() const override { return options_.files[0].string(); }

 private:
  void open(std::size_t number) {
    number_ = number;
    file_ = open_row_file(options_.files[number]);
    if (options_.feature.empty()) return;
    const auto& names = file_->columns();
    check_columns({options_.feature}, names, options_.files[number]);
    name_column_ = static_cast<std::size_t>(
        std::find(names.begin(), names.end(), options_.feature) - names.begin());
  }

  SourceOptions options_;
  std::vector<std::string> columns_, samples_, labels_;
  std::size_t name_column_ = 0, number_ = 0;
  std::unique_ptr<RowFile> file_;
  std::int64_t done_ = 0;
};

}  // namespace

std::unique_ptr<FeatureSource> open_row_source(const SourceOptions& options) {
  return std::make_unique<RowSource>(options);
}

}  // namespace limber::screen
