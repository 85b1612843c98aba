#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "limber/core/data/percentile_label.h"
#include "limber/core/data/source_builder.h"

namespace limber {

/// The labels of the interactions while these are read.
class LabelColumns {
 public:
  /// Asks `source` for the columns that the labels are made of. Throws InputError that names the
  /// label for one that is not there.
  LabelColumns(const DataOptions& data, const SourceFiles& files, SourceBuilder& source,
               const std::filesystem::path& folder);

  const std::vector<std::string>& names() const { return names_; }

  /// Reads row `i` without storing it. Throws BadValue, with `at` the view.
  void read(const std::vector<ColumnView>& views, std::int64_t i, std::size_t& at);
  /// Stores what was read last.
  void store();

  /// Ends the storing and leaves all of it in its folder, for append() of another process.
  void save();
  /// Stores what one that was made alike has saved in `folder`, behind what is there.
  void append(const std::filesystem::path& folder);

  /// Labels [rows, labels] in the order `order`, in the file `path`. Those that are compared with a
  /// percentile follow with evaluate().
  MappedFile sorted(std::span<const std::int64_t> order, const std::filesystem::path& path);
  /// Writes these into `labels`. Their thresholds are the `stored` ones with Fit::fixed, else
  /// measured on the rows that `trains` [rows]. Returns them.
  LabelThresholds evaluate(Fit fit, const LabelThresholds& stored,
                           std::span<const std::int64_t> order,
                           std::span<const std::uint8_t> trains, std::span<float> labels);

 private:
  bool absent_allowed_;
  std::filesystem::path raw_path_;
  std::vector<std::string> names_;
  std::vector<LabelExpression> expressions_;
  std::vector<std::size_t> views_;
  std::vector<PercentileLabel> percentiles_;
  std::vector<float> row_;  ///< read last
  ColumnFile<float> raw_;
};

}  // namespace limber
