#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace limber::screen {

/// Names of many features without an allocation each.
class FeatureNames {
 public:
  void add(std::string_view name);
  void clear();
  std::int64_t size() const { return static_cast<std::int64_t>(ends_.size()); }
  std::string_view operator[](std::int64_t i) const;

 private:
  std::string text_;
  std::vector<std::size_t> ends_;
};

/// Consecutive features, each with its value for every sample.
struct FeatureBlock {
  std::int64_t first = 0;  ///< number of feature 0 of the block
  FeatureNames names;
  std::vector<double> values;  ///< [features, samples], NaN = missing

  std::int64_t features() const { return names.size(); }
  std::span<double> feature(std::int64_t i);
  std::span<const double> feature(std::int64_t i) const;
};

/// Features of one block at most: enough to hide the cost of a call, few enough to stay small.
inline constexpr std::int64_t kBlockFeatures = 4096;
/// Values of one block at most, where samples are many.
inline constexpr std::int64_t kBlockValues = 1 << 20;

/// Hands out the features of a data set in order, block by block. Memory depends on the number of
/// samples, not on the number of features.
class FeatureSource {
 public:
  virtual ~FeatureSource() = default;

  virtual const std::vector<std::string>& samples() const = 0;
  /// [samples]; empty where the data have none.
  virtual const std::vector<std::string>& labels() const = 0;
  /// False at the end; a block is never empty.
  virtual bool next(FeatureBlock& block) = 0;
  /// Starts again at the first feature.
  virtual void rewind() = 0;
  virtual double share_done() const = 0;
  /// What to call the data in a message.
  virtual std::string origin() const = 0;
};

enum class Layout { kColumns, kRows };

struct SourceOptions {
  std::vector<std::filesystem::path> files;
  /// kColumns: a row is a sample, a column a feature. kRows: a row is a feature, a column a sample.
  Layout layout = Layout::kColumns;
  std::string label = "label";  ///< name of the label's column; in `labels` if that is given
  std::string sample;  ///< name of the column of sample names; "" = samples are numbered from 1
  std::vector<std::string> ignore;  ///< columns that are neither
  std::string feature;              ///< kRows: the column of feature names; "" = the first
  std::filesystem::path labels;     ///< a table of samples and labels; "" = the data's own column
  bool labels_required = true;
};

/// Opens CSV, CSV.gz or Parquet by the files' names. Several files of kRows are blocks of features
/// of the same samples; kColumns takes one file. Failures are InputErrors that name the file, and
/// where there is one the row and the column: a cell that is no number, infinite, or larger than
/// 1e100 in magnitude; a row too long or too short; a sample without a label. Empty, NA and NaN
/// cells are missing values.
std::unique_ptr<FeatureSource> open_features(const SourceOptions& options);

/// The number that a cell spells; NaN for an empty one, "NA", "N/A", "NaN", "null". False where it
/// is no number, or one that cannot be used: `why` then says so.
bool parse_value(std::string_view cell, double& value, std::string& why);
/// False, with the reason, for infinities and magnitudes above 1e100, whose squares overflow.
bool check_value(double value, std::string& why);

}  // namespace limber::screen
