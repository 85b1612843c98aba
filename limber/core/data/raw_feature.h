#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "limber/core/data/column.h"
#include "limber/core/data/column_file.h"
#include "limber/core/data/dataset.h"
#include "limber/core/data/fit.h"
#include "limber/core/data/raw_values.h"

namespace limber {

/// Collects the raw values of one feature while its source is read: numbers as they are, ids as
/// indices into a provisional vocabulary of everything seen, which begins with the values that the
/// encoder has where it is to grow, or as 64-bit hashes where no vocabulary is wanted.
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

  /// Ends the storing and leaves all of it in files, for append() of another process.
  void save();
  /// Stores what one that was made alike has saved in `folder`, behind what is there.
  void append(const std::filesystem::path& folder);

  /// Final columns in the order `order` (empty: as they were stored). Weights the rows by
  /// `weights` (how often each counts as training data) to fit or grow `encoder`. Throws InputError
  /// that names the feature where that cannot be.
  FeatureColumn finish(FeatureEncoder& encoder, const FeatureOptions& options,
                       std::span<const std::int64_t> order,
                       const std::function<std::int64_t(std::int64_t)>& weight_of_sorted_row);

 private:
  struct Rows;
  /// How an id's values are kept until all are known.
  enum class Keep { final_rows, provisional, hashes };

  void add_value(const Key& key);
  FeatureColumn finish_numbers(FeatureEncoder& encoder, const FeatureOptions& options,
                               const Rows& rows);
  void finish_indices(FeatureEncoder& encoder, const FeatureOptions& options, const Rows& rows,
                      FeatureColumn& column);
  void finish_hashes(FeatureEncoder& encoder, const Rows& rows, FeatureColumn& column);

  FeatureKind kind_;
  bool bucketize_;
  Fit fit_;
  Keep keep_;
  const FeatureEncoder encoder_;
  std::string stem_;
  Vocabulary provisional_;
  std::int64_t stored_ = 0;
  float number_ = 0;
  std::vector<Key> keys_;
  std::vector<std::int32_t> row_indices_;  ///< of the row read last
  std::vector<std::uint64_t> row_hashes_;
  ColumnFile<float> numbers_;
  RawValues<std::int32_t> indices_;
  RawValues<std::uint64_t> hashes_;  ///< empty row: missing
};

}  // namespace limber
