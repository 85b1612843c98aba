#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "limber/core/data/column.h"
#include "limber/core/data/column_file.h"
#include "limber/core/data/label_thresholds.h"

namespace limber {

/// A label that is compared with a percentile, while a data set is built. Which rows train is known
/// only when all rows were read and sorted, so values and clusters wait in files until then.
class PercentileLabel {
 public:
  /// `which` is its place among the labels; `value` and `clusters` are the columns that it reads,
  /// as numbers of views; `folder` is where its files lie.
  PercentileLabel(std::string name, LabelExpression expression, std::size_t which,
                  std::size_t value, std::vector<std::size_t> clusters,
                  const std::filesystem::path& folder);

  const std::string& name() const { return name_; }
  const LabelExpression& expression() const { return expression_; }

  /// Reads row `i` without storing it. Throws BadValue, with `at` the view that it read.
  void read(const std::vector<ColumnView>& views, std::int64_t i, std::size_t& at);
  /// Stores what was read last.
  void store();

  /// Ends the storing and leaves all of it in its folder, for append() of another process.
  void save();
  /// Stores what one that was made alike has saved in `folder`, behind what is there.
  void append(const std::filesystem::path& folder);

  /// Measures the thresholds on the training rows. `order` int64 [rows]: the row as it was stored
  /// of each row of the data set; `trains` [rows]: whether that one trains. Throws InputError where
  /// no training row has a value.
  ClusterThresholds measure(std::span<const std::int64_t> order,
                            std::span<const std::uint8_t> trains);
  /// Writes the labels, NaN where the value is missing, into `labels` [rows, stride]. The files are
  /// gone afterwards.
  void evaluate(const ClusterThresholds& thresholds, std::span<const std::int64_t> order,
                std::span<float> labels, std::size_t stride);

 private:
  /// Ends the storing.
  void map();
  std::int32_t number_of(const std::string& cluster);

  std::string name_;
  LabelExpression expression_;
  std::size_t which_, value_;
  std::vector<std::size_t> views_;
  std::filesystem::path stem_;
  ClusterName cluster_;
  double number_ = 0;
  std::unordered_map<std::string, std::int32_t> clusters_;  ///< numbers by name
  std::vector<const std::string*> names_;                   ///< by number; keys of `clusters_`
  ColumnFile<double> raw_values_;
  ColumnFile<std::int32_t> raw_clusters_;
  bool mapped_ = false;
  MappedFile values_;      ///< double [rows], as stored; NaN = missing
  MappedFile cluster_of_;  ///< int32 [rows]
};

}  // namespace limber
