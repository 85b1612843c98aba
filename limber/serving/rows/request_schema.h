#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "limber/core/data/label_expression.h"
#include "limber/serving/rows/catalogue.h"
#include "limber/serving/rows/field_value.h"
#include "limber/serving/runtime/runtime_model.h"

namespace limber {

struct FieldRow;

/// The columns of a log that a model reads, numbered, so that a request's fields are looked up once
/// each and found by number afterwards.
class RequestSchema {
 public:
  RequestSchema(const RuntimeModel& model, const Catalogue& catalogue);

  std::size_t columns() const { return names_.size(); }
  const std::vector<std::string>& names() const { return names_; }
  const std::string& name(std::size_t column) const { return names_[column]; }
  /// Number of a column, or -1.
  int find(std::string_view name) const;

  std::size_t task() const { return task_; }
  /// Column of each feature, by layout feature; of a sequence, none.
  const std::vector<std::size_t>& features() const { return features_; }
  /// Key column of each side table.
  const std::vector<std::size_t>& keys() const { return keys_; }
  struct Label {
    LabelExpression expression;
    std::size_t column;
    std::vector<std::size_t> clusters;              ///< columns of its cluster
    const ClusterThresholds* thresholds = nullptr;  ///< where it is compared with a percentile

    /// 0 or 1, as the row's columns say, of which that of the label is not missing. Throws
    /// BadValue, with `at` the column that it read.
    float evaluate(const FieldRow& row, std::size_t& at) const;
  };
  const std::vector<Label>& labels() const { return labels_; }
  /// Column of the sample weight, or -1.
  int weight() const { return weight_; }
  /// The one side table whose keys candidates may be given as, or -1: there is just one that does
  /// not describe members.
  int item_table() const { return item_table_; }

 private:
  std::size_t use(const std::string& name);

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::vector<std::string> names_;
  std::unordered_map<std::string, int, Hash, std::equal_to<>> numbers_;
  std::size_t task_ = 0;
  std::vector<std::size_t> features_, keys_;
  std::vector<Label> labels_;
  int weight_ = -1, item_table_ = -1;
};

/// One row of a request: its values by column of the schema.
struct FieldRow {
  std::vector<FieldValue> values;

  explicit FieldRow(const RequestSchema& schema) : values(schema.columns()) {}
  const FieldValue& operator[](std::size_t column) const { return values[column]; }
  FieldValue& operator[](std::size_t column) { return values[column]; }
};

}  // namespace limber
