#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace parquet::arrow {
class FileReader;
}

namespace limber::screen {

/// A Parquet file read one column at a time, however many there are. Failures are InputErrors that
/// name the file, the column and where there is one the row.
class ParquetColumns {
 public:
  explicit ParquetColumns(const std::filesystem::path& path);
  ~ParquetColumns();

  const std::vector<std::string>& names() const { return names_; }
  std::int64_t rows() const { return rows_; }

  /// Missing values are "".
  std::vector<std::string> texts(int column);
  /// [rows] into `values`; missing values are NaN.
  void numbers(int column, std::span<double> values);

 private:
  template <class Take>
  void each_value(int column, Take&& take);

  std::filesystem::path path_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::vector<std::string> names_;
  std::int64_t rows_ = 0;
};

}  // namespace limber::screen
