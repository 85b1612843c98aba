#include "limber/companions/screen/column_source.h"

#include <algorithm>

#include "limber/companions/screen/csv_fields.h"
#include "limber/companions/screen/parquet_columns.h"
#include "limber/companions/screen/sample_labels.h"
#include "limber/core/base/error.h"
#include "limber/core/base/main.h"
#include "limber/core/base/progress.h"
#include "limber/core/data/column_file.h"
#include "limber/core/data/table_source.h"

namespace limber::screen {
namespace {

/// What both kinds of file have in common.
class ColumnSource : public FeatureSource {
 public:
  explicit ColumnSource(const SourceOptions& options) : options_(options) {}

  const std::vector<std::string>& samples() const override { return samples_; }
  const std::vector<std::string>& labels() const override { return labels_; }
  void rewind() override { done_ = 0; }
  std::string origin() const override { return options_.files[0].string(); }
  double share_done() const override {
    return features_ == 0 ? 1.0 : static_cast<double>(done_) / static_cast<double>(features_);
  }

  bool next(FeatureBlock& block) override {
    const std::int64_t width = static_cast<std::int64_t>(samples_.size());
    const std::int64_t count = std::min(
        features_ - done_, std::clamp<std::int64_t>(kBlockValues / width, 1, kBlockFeatures));
    block.first = done_;
    block.names.clear();
    block.values.resize(static_cast<std::size_t>(count * width));
    if (count == 0) return false;
    fill(block, count);
    done_ += count;
    return true;
  }

 protected:
  virtual void fill(FeatureBlock& block, std::int64_t count) = 0;

  /// Which column is what: kFeature, or one of the others.
  enum class Role { kFeature, kLabel, kSample, kIgnored };
  Role role(std::string_view name) const {
    if (options_.labels.empty() && name == options_.label) return Role::kLabel;
    if (!options_.sample.empty() && name == options_.sample) return Role::kSample;
    const bool ignored =
        std::find(options_.ignore.begin(), options_.ignore.end(), name) != options_.ignore.end();
    return ignored ? Role::kIgnored : Role::kFeature;
  }

  /// Columns that the options name must be there, each once; `seen` are those that were.
  void check_named(const std::vector<std::string>& seen,
                   const std::vector<std::string>& some_columns) const {
    std::vector<std::string> wanted = options_.ignore;
    if (!options_.sample.empty()) wanted.push_back(options_.sample);
    if (options_.labels.empty() &&
        (options_.labels_required || std::count(seen.begin(), seen.end(), options_.label) > 1)) {
      wanted.push_back(options_.label);
    }
    for (const std::string& name : wanted) {
      if (std::find(seen.begin(), seen.end(), name) == seen.end()) {
        check_columns({name}, some_columns, options_.files[0]);
      }
      check_columns({name}, seen, options_.files[0]);
    }
  }

  void finish_samples() {
    if (samples_.empty()) throw InputError("{}: has no samples, only a header", origin());
    if (features_ == 0) throw InputError("{}: has no features besides the named columns", origin());
    check_unique(samples_, "sample", origin());
    if (!options_.labels.empty()) labels_ = labels_from_table(options_, samples_);
    if (!options_.labels_required) return;
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      if (labels_[i].empty()) {
        throw InputError(
            "{}: row {}: column {}: the sample has no label; fill it in or leave the "
            "row out",
            origin(), i + 1, options_.label);
      }
    }
  }

  SourceOptions options_;
  std::vector<std::string> samples_, labels_;
  std::int64_t features_ = 0, done_ = 0;
};

class CsvColumns : public ColumnSource {
 public:
  explicit CsvColumns(const SourceOptions& options) : ColumnSource(options) {
    CsvFields fields(options.files[0]);
    read_header(fields);
    read_rows(fields);
    finish_samples();
  }

 protected:
  void fill(FeatureBlock& block, std::int64_t count) override {
    for (std::int64_t j = done_; j < done_ + count; ++j) block.names.add(name(j));
    const auto values = values_.as<double>();
    const std::size_t n = samples_.size();
    for (std::size_t i = 0; i < n; ++i) {
      const double* const row = values.data() + i * static_cast<std::size_t>(features_) + done_;
      for (std::int64_t j = 0; j < count; ++j) {
        block.values[static_cast<std::size_t>(j) * n + i] = row[j];
      }
    }
  }

 private:
  std::string_view name(std::int64_t j) const {
    const auto ends = ends_.as<std::uint64_t>();
    const auto at = static_cast<std::size_t>(j);
    const std::uint64_t begin = at == 0 ? 0 : ends[at - 1];
    return {names_.as<char>().data() + begin, static_cast<std::size_t>(ends[at] - begin)};
  }

  void read_header(CsvFields& fields) {
    if (!fields.next_row()) {
      throw InputError("{}: is empty; the first line must name the columns", origin());
    }
    ColumnFile<char> text(folder_.path() / "names");
    ColumnFile<std::uint64_t> ends(folder_.path() / "ends");
    std::vector<std::string> seen;
    std::vector<std::string> some;
    for (std::string_view field; fields.next_field(field); ++columns_) {
      if (some.size() < 1000) some.emplace_back(field);
      const Role what = role(field);
      if (what != Role::kFeature) {
        special_.push_back({columns_, what});
        seen.emplace_back(field);
        continue;
      }
      for (const char letter : field) text.append(letter);
      ends.append(static_cast<std::uint64_t>(text.size()));
      ++features_;
    }
    check_named(seen, some);
    names_ = text.finish();
    ends_ = ends.finish();
  }

  void read_rows(CsvFields& fields) {
    const bool has_labels =
        std::any_of(special_.begin(), special_.end(),
                    [](const Special& column) { return column.role == Role::kLabel; });
    ColumnFile<double> values(folder_.path() / "values");
    Progress progress("reading " + options_.files[0].filename().string(), 0, "samples");
    std::string why;
    while (fields.next_row()) {
      if (stop_requested()) throw Error("stopped by a signal; nothing was written");
      std::string sample = std::to_string(samples_.size() + 1);
      std::string label;
      std::int64_t column = 0;
      auto special = special_.begin();
      for (std::string_view field; fields.next_field(field); ++column) {
        if (special != special_.end() && column == special->column) {
          if (special->role == Role::kLabel) label = text_of(key_of(field));
          if (special->role == Role::kSample) sample = text_of(key_of(field));
          ++special;
          continue;
        }
        double value = 0;
        if (column < columns_ && !parse_value(field, value, why)) {
          const auto before = special - special_.begin();
          throw InputError("{}: row {}: column {}: {}", origin(), fields.row(),
                           name(column - before), why);
        }
        values.append(value);
      }
      if (column != columns_) {
        throw InputError("{}: row {}: {} column{}, expected {}", origin(), fields.row(), column,
                         column == 1 ? "" : "s", columns_);
      }
      samples_.push_back(std::move(sample));
      if (has_labels) labels_.push_back(std::move(label));
      progress.add(1);
    }
    values_ = values.finish();
  }

  struct Special {
    std::int64_t column;
    Role role;
  };

  TemporaryFolder folder_;
  std::vector<Special> special_;
  std::int64_t columns_ = 0;
  MappedFile values_;  ///< [samples, features]
  MappedFile names_, ends_;
};

class ParquetColumnSource : public ColumnSource {
 public:
  explicit ParquetColumnSource(const SourceOptions& options)
      : ColumnSource(options), file_(options.files[0]) {
    const std::vector<std::string>& names = file_.names();
    std::vector<std::string> seen;
    int label_column = -1;
    int sample_column = -1;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const Role what = role(names[i]);
      if (what == Role::kFeature) {
        feature_columns_.push_back(static_cast<int>(i));
        continue;
      }
      seen.push_back(names[i]);
      if (what == Role::kLabel) label_column = static_cast<int>(i);
      if (what == Role::kSample) sample_column = static_cast<int>(i);
    }
    check_named(seen, names);
    features_ = static_cast<std::int64_t>(feature_columns_.size());
    if (label_column >= 0) labels_ = file_.texts(label_column);
    if (sample_column >= 0) {
      samples_ = file_.texts(sample_column);
    } else {
      for (std::int64_t i = 1; i <= file_.rows(); ++i) samples_.push_back(std::to_string(i));
    }
    finish_samples();
  }

 protected:
  void fill(FeatureBlock& block, std::int64_t count) override {
    for (std::int64_t j = 0; j < count; ++j) {
      const int column = feature_columns_[static_cast<std::size_t>(done_ + j)];
      block.names.add(file_.names()[static_cast<std::size_t>(column)]);
      file_.numbers(column,
                    std::span(block.values)
                        .subspan(static_cast<std::size_t>(j) * samples_.size(), samples_.size()));
    }
  }

 private:
  ParquetColumns file_;
  std::vector<int> feature_columns_;
};

}  // namespace

std::unique_ptr<FeatureSource> open_column_source(const SourceOptions& options) {
  if (is_parquet(options.files[0])) return std::make_unique<ParquetColumnSource>(options);
  return std::make_unique<CsvColumns>(options);
}

}  // namespace limber::screen
