#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "limber/core/data/column.h"
#include "limber/core/data/column_file.h"
#include "limber/core/data/dataset.h"
#include "limber/core/data/fit.h"
#include "limber/core/data/reader.h"

namespace limber {

/// Reads rows and hands them out one at a time as column views, turning every BadValue into an
/// error that names file, row and column, or into a counted skip.
///
/// `row(views, i)` must read everything that can be bad before it stores anything, so that a
/// skipped row leaves no trace; it sets `at` to the index of the column that it is reading.
void for_each_row(std::vector<std::filesystem::path> files, std::vector<std::string> columns,
                  bool skip_bad_rows, const std::string& progress_label, std::int64_t& bad_rows,
                  const std::function<void(std::vector<ColumnView>& views, std::int64_t i,
                                           std::size_t& at)>& row);

/// Collects the raw values of one feature while its source is read: numbers as they are, ids as
/// indices into a provisional vocabulary of everything seen, which begins with the values that the
/// encoder has where it is to grow.
class RawFeature {
 public:
  RawFeature(const FeatureEncoder& encoder, Fit fit, const std::filesystem::path& stem);

  /// Reads row `i` without storing it. Throws BadValue.
  void read(const ColumnView& view, std::int64_t i);
  void read_missing();
  /// As read, of a key that came from elsewhere (the key column of a row that a side table lacks).
  void read_key(const Key& key);
  /// Stores what was read last.
  void store();
  std::int64_t stored() const { return stored_; }

  /// Final columns in the order `order` (empty: as they were stored). Weights the rows by
  /// `weights` (how often each counts as training data) to fit or grow `encoder`.
  FeatureColumn finish(FeatureEncoder& encoder, const FeatureOptions& options,
                       std::span<const std::int64_t> order,
                       const std::function<std::int64_t(std::int64_t)>& weight_of_sorted_row);

 private:
  /// The encoder's own index, or the provisional one.
  std::int32_t index_of(const Key& key);

  FeatureKind kind_;
  bool bucketize_;
  Fit fit_;
  bool provisional_used_;  ///< new values are numbered as they come, and sorted out at the end
  const FeatureEncoder encoder_;
  std::filesystem::path stem_;
  Vocabulary provisional_;
  float number_ = 0;
  std::int64_t stored_ = 0;
  std::vector<std::int32_t> indices_;
  std::vector<Key> keys_;
  ColumnFile<float> numbers_;
  ColumnFile<std::int32_t> ids_;
  ColumnFile<std::int64_t> starts_;
  ColumnFile<std::int32_t> lengths_;
};

}  // namespace limber
