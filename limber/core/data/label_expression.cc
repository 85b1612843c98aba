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

/// What stands at the front of `text`: a quoted text without its quotes, or what comes before one
/// of the letters `stops`. Empty optional: a quote is not closed.
struct Term {
  std::string_view text;
  bool is_quoted = false;
};

std::optional<Term> take_term(std::string_view& rest, std::string_view stops = kOperatorLetters) {
  rest = trimmed(rest);
  if (!rest.empty() && (rest.front() == '\'' || rest.front() == '"')) {
    const std::size_t end = rest.find(rest.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    const Term quoted{rest.substr(1, end - 1), true};
    rest = trimmed(rest.substr(end + 1));
    return quoted;
  }
  const std::size_t end = std::min(rest.find_first_of(stops), rest.size());
  const Term plain{trimmed(rest.substr(0, end)), false};
  rest = rest.substr(end);
  return plain;
}

constexpr bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

constexpr bool is_blank(char letter) {
  return letter == ' ' || letter == '\t';
}

/// "p90" and what may follow it, as against a column's or a person's name.
bool begins_with_percentile(std::string_view text) {
  return text.size() > 1 && text[0] == 'p' && (is_digit(text[1]) || text[1] == '.');
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
  rest = trimmed(rest.substr(length));
  const bool is_equality = operator_ == Operator::kEqual || operator_ == Operator::kUnequal;
  if (!is_equality && begins_with_percentile(rest)) {
    if (const std::string problem = take_percentile(rest); !problem.empty()) throw fail(problem);
    return;
  }

  const Term right = term(rest);
  if (!rest.empty()) throw fail(fmt::format("\"{}\" follows the comparison", rest));
  if (right.text.empty()) throw fail(fmt::format("nothing follows '{}'", spelling));
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

std::string LabelExpression::take_percentile(std::string_view rest) {
  operand_ = Operand::kPercentile;
  const auto* blank = std::find_if(rest.begin(), rest.end(), is_blank);
  const std::string_view spelling = rest.substr(0, static_cast<std::size_t>(blank - rest.begin()));
  // In whole ten thousandths, so that ranks are exact.
  const std::string_view digits = spelling.substr(1);
  const std::size_t point = std::min(digits.find('.'), digits.size());
  const std::string_view decimals = digits.substr(std::min(point + 1, digits.size()));
  const bool spelled = std::all_of(digits.begin(), digits.begin() + point, is_digit) &&
                       std::all_of(decimals.begin(), decimals.end(), is_digit) && point > 0 &&
                       point <= 3 && (point == digits.size() || !decimals.empty());
  if (spelled && decimals.size() <= 4) {
    for (std::size_t i = 0; i < point; ++i) percentile_ = 10 * percentile_ + (digits[i] - '0');
    for (std::size_t i = 0; i < 4; ++i) {
      percentile_ = 10 * percentile_ + (i < decimals.size() ? decimals[i] - '0' : 0);
    }
  }
  if (percentile_ <= 0 || percentile_ >= 100 * 10000) {
    return fmt::format(
        "'{}' is no percentile; write p and a number between 0 and 100 with four decimals at most, "
        "such as p90",
        spelling);
  }
  rest = trimmed(rest.substr(spelling.size()));
  if (rest.empty()) return "";
  if (!rest.starts_with("by") || (rest.size() > 2 && !is_blank(rest[2]))) {
    return fmt::format("\"{}\" follows the percentile; write \"{} by COLUMN, COLUMN\"", rest,
                       spelling);
  }
  rest.remove_prefix(2);
  for (bool more = true; more;) {
    const std::optional<Term> column = take_term(rest, ",");
    if (!column) return "a quote is not closed";
    if (column->text.empty()) return "a column is missing after 'by' or ','";
    if (std::ranges::find(clusters_, column->text) != clusters_.end()) {
      return fmt::format("'{}' stands twice after 'by'", column->text);
    }
    clusters_.emplace_back(column->text);
    more = rest.starts_with(',');
    if (more) rest.remove_prefix(1);
  }
  return rest.empty() ? "" : fmt::format("\"{}\" follows the column '{}'", rest, clusters_.back());
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

float LabelExpression::compare(double value, double threshold) const {
  switch (operator_) {
    case Operator::kAtLeast:
      return value >= threshold ? 1.0F : 0.0F;
    case Operator::kMore:
      return value > threshold ? 1.0F : 0.0F;
    case Operator::kAtMost:
      return value <= threshold ? 1.0F : 0.0F;
    case Operator::kLess:
      return value < threshold ? 1.0F : 0.0F;
    case Operator::kUnequal:
      return value != threshold ? 1.0F : 0.0F;
    default:
      return value == threshold ? 1.0F : 0.0F;
  }
}

}  // namespace limber
