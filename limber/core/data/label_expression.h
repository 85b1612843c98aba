#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "limber/core/data/column.h"

namespace limber {

/// A binary label as the config writes it: a column of zeros and ones ("clicked"), or one column
/// compared with a number, a truth value or a word ("rating >= 4", "clicked == true",
/// "status != 'not ok'").
///
/// A quoted operand is a word; an unquoted one is a number or a truth value where it spells one.
/// Against a number or a truth value the column must hold such values; words are compared exactly
/// and know only == and !=. Column names with operators in them are quoted likewise.
///
/// Or the column is compared with a percentile of itself (long dwell in LiRank, arXiv 2402.06859):
///
///     COLUMN OPERATOR pNUMBER [by COLUMN, COLUMN, ...]       "dwell_seconds > p90 by surface"
///
/// with >=, >, <= or < and a NUMBER between 0 and 100 that has four decimals at most. The
/// percentile is that of the training rows whose columns after `by`, their cluster, hold the same
/// values; without `by`, of all (label_thresholds.h). Column names with a comma in them are quoted.
class LabelExpression {
 public:
  /// Throws InputError, naming the label and the expression, where the syntax is wrong.
  LabelExpression(std::string_view label, std::string_view expression);

  const std::string& column() const { return column_; }

  /// 0 or 1 for row `i` of the column of that name. Throws BadValue for a null ("missing label"),
  /// for a plain column that is not 0, 1, true or false, and for a value that cannot be compared.
  float evaluate(const ColumnView& column, std::int64_t i) const;

  /// Whether a value is compared as a number; else as a key. For values that stand in no column.
  bool wants_number() const {
    return operator_ != Operator::kNone &&
           (operand_ == Operand::kNumber || operand_ == Operand::kPercentile);
  }
  float evaluate_number(double value) const { return compare(value, number_); }
  /// Throws BadValue as evaluate().
  float evaluate_key(const Key& key) const;

  /// Whether the operand is a percentile. What it amounts to is not known here: evaluate() then
  /// only checks that the value is a number, and compare() gives the label.
  bool has_percentile() const { return operand_ == Operand::kPercentile; }
  /// In ten thousandths: p99.5 is 995,000.
  std::int64_t percentile() const { return percentile_; }
  /// The columns after `by`.
  const std::vector<std::string>& clusters() const { return clusters_; }
  /// Whether `value` stands to `threshold` as the operator says.
  float compare(double value, double threshold) const;

 private:
  enum class Operator { kNone, kAtLeast, kMore, kAtMost, kLess, kEqual, kUnequal };
  enum class Operand { kNumber, kTruth, kWord, kPercentile };

  /// Takes a percentile and its clusters where `rest` begins with one. Returns what is wrong with
  /// it, "" for nothing.
  std::string take_percentile(std::string_view rest);

  std::string column_;
  Operator operator_ = Operator::kNone;
  Operand operand_ = Operand::kNumber;
  double number_ = 0;
  bool truth_ = false;
  std::string word_;
  std::int64_t percentile_ = 0;
  std::vector<std::string> clusters_;
};

}  // namespace limber
