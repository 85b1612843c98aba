#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "limber/core/data/column.h"

namespace limber {

/// A binary label as the config writes it: a column of zeros and ones ("clicked"), or one column
/// compared with a number, a truth value or a word ("rating >= 4", "clicked == true",
/// "status != 'not ok'").
///
/// A quoted operand is a word; an unquoted one is a number or a truth value where it spells one.
/// Against a number or a truth value the column must hold such values; words are compared exactly
/// and know only == and !=. Column names with operators in them are quoted likewise.
class LabelExpression {
 public:
  /// Throws InputError, naming the label and the expression, where the syntax is wrong.
  LabelExpression(std::string_view label, std::string_view expression);

  const std::string& column() const { return column_; }

  /// 0 or 1 for row `i` of the column of that name. Throws BadValue for a null ("missing label"),
  /// for a plain column that is not 0, 1, true or false, and for a value that cannot be compared.
  float evaluate(const ColumnView& column, std::int64_t i) const;

  /// Whether a value is compared as a number; else as a key. For values that stand in no column.
  bool wants_number() const { return operator_ != Operator::kNone && operand_ == Operand::kNumber; }
  float evaluate_number(double value) const;
  /// Throws BadValue as evaluate().
  float evaluate_key(const Key& key) const;

 private:
  enum class Operator { kNone, kAtLeast, kMore, kAtMost, kLess, kEqual, kUnequal };
  enum class Operand { kNumber, kTruth, kWord };

  std::string column_;
  Operator operator_ = Operator::kNone;
  Operand operand_ = Operand::kNumber;
  double number_ = 0;
  bool truth_ = false;
  std::string word_;
};

}  // namespace limber
