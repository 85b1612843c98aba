#include "limber/core/data/label_expression.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "limber/core/base/error.h"
#include "limber/core/base/one_line.h"
#include "limber/core/data/value_text.h"

namespace limber {
namespace {

constexpr std::string_view kOperatorLetters = "<>=!";

bool equal_but_case(std::string_view one, std::string_view lower) {
  return std::equal(one.begin(), one.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
  });
}

std::optional<bool> truth_of(std::string_view text) {
  if (equal_but_case(text, "true")) return true;
  if (equal_but_case(text, "false")) return false;
  return std::nullopt;
}

/// 0, 1, true or false, in whatever type the column has.
std::optional<bool> truth_of(const Key& key) {
  if (!key.is_number) return truth_of(key.text);
  if (key.number == 0 || key.number == 1) return key.number == 1;
  return std::nullopt;
}

std::string spelled(const Key& key) {
  return key.is_number ? std::to_string(key.number) : std::string(key.text);
}

/// What stands at the front of `text`: a quoted text without its quotes, or what comes before an
/// operator. Empty optional: a quote is not closed.
struct Term {
  std::string_view text;
  bool is_quoted = false;
};

std::optional<Term> take_term(std::string_view& rest) {
  rest = trimmed(rest);
  if (!rest.empty() && (rest.front() == '\'' || rest.front() == '"')) {
    const std::size_t end = rest.find(rest.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    const Term quoted{rest.substr(1, end - 1), true};
    rest = trimmed(rest.substr(end + 1));
    return quoted;
  }
  const std::size_t end = std::min(rest.find_first_of(kOperatorLetters), rest.size());
  const Term plain{trimmed(rest.substr(0, end)), false};
  rest = rest.substr(end);
  return plain;
}

}  // namespace

LabelExpression::LabelExpression(std::string_view label, std::string_view expression) {
  const auto fail = [&](const std::string& reason) -> InputError {
    return InputError("label '{}': \"{}\": {}", label, expression, reason);
  };
  const auto term = [&](std::string_view& text) {
    const std::optional<Term> taken = take_term(text);
    if (!taken) throw fail("a quote is not closed");
    return *taken;
  };

  std::string_view rest = expression;
  const Term left = term(rest);
  if (left.text.empty()) {
    throw fail("the column is missing; write a column, or a comparison such as \"rating >= 4\"");
  }
  column_ = left.text;
  if (rest.empty()) return;

  const std::size_t length = std::min(rest.find_first_not_of(kOperatorLetters), rest.size());
  const std::string_view spelling = rest.substr(0, length);
  constexpr std::array<std::pair<std::string_view, Operator>, 6> kOperators{
      {{">=", Operator::kAtLeast},
       {">", Operator::kMore},
       {"<=", Operator::kAtMost},
       {"<", Operator::kLess},
       {"==", Operator::kEqual},
       {"!=", Operator::kUnequal}}};
  const auto* found = std::find_if(kOperators.begin(), kOperators.end(),
                                   [&](const auto& entry) { return entry.first == spelling; });
  if (found == kOperators.end()) {
    throw fail(length == 0
                   ? fmt::format("an operator is missing before \"{}\"", rest)
                   : fmt::format("'{}' is no operator; use >=, >, <=, <, == or !=", spelling));
  }
  operator_ = found->second;
  rest.remove_prefix(length);

  const Term right = term(rest);
  if (!rest.empty()) throw fail(fmt::format("\"{}\" follows the comparison", rest));
  if (right.text.empty()) throw fail(fmt::format("nothing follows '{}'", spelling));
  const bool is_equality = operator_ == Operator::kEqual || operator_ == Operator::kUnequal;
  if (!right.is_quoted) {
    try {
      number_ = number_of(right.text);
      operand_ = Operand::kNumber;
      return;
    } catch (const BadValue&) {
      // A word, then.
    }
  }
  if (!is_equality) {
    throw fail(fmt::format("'{}' compares with a number, and '{}' is none", spelling, right.text));
  }
  word_ = right.text;
  operand_ = Operand::kWord;
  if (const auto truth = truth_of(right.text); truth && !right.is_quoted) {
    truth_ = *truth;
    operand_ = Operand::kTruth;
  }
}

float LabelExpression::evaluate(const ColumnView& column, std::int64_t i) const {
  if (column.is_null(i)) throw BadValue("missing label");
  return wants_number() ? evaluate_number(column.number(i)) : evaluate_key(column.key(i));
}

float LabelExpression::evaluate_key(const Key& key) const {
  if (operator_ == Operator::kNone || operand_ == Operand::kTruth) {
    const std::optional<bool> truth = truth_of(key);
    if (!truth) {
      throw BadValue(fmt::format(
          "'{}' is not 0, 1, true or false{}", one_short_line(spelled(key), 60),
          operator_ == Operator::kNone ? "; write a comparison such as \"rating >= 4\"" : ""));
    }
    if (operator_ == Operator::kNone) return *truth ? 1.0F : 0.0F;
    return (*truth == truth_) == (operator_ == Operator::kEqual) ? 1.0F : 0.0F;
  }
  const bool equal = key == key_of(word_);
  return equal == (operator_ == Operator::kEqual) ? 1.0F : 0.0F;
}

float LabelExpression::evaluate_number(double value) const {
  switch (operator_) {
    case Operator::kAtLeast:
      return value >= number_ ? 1.0F : 0.0F;
    case Operator::kMore:
      return value > number_ ? 1.0F : 0.0F;
    case Operator::kAtMost:
      return value <= number_ ? 1.0F : 0.0F;
    case Operator::kLess:
      return value < number_ ? 1.0F : 0.0F;
    case Operator::kUnequal:
      return value != number_ ? 1.0F : 0.0F;
    default:
      return value == number_ ? 1.0F : 0.0F;
  }
}

}  // namespace limber
