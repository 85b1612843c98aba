#include "limber/core/config/scalar_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>

#include "limber/core/base/nearest_word.h"
#include "limber/core/config/constraint_text.h"

namespace limber {
namespace {

[[noreturn]] void fail_type(const ConfigNode& node, const std::string& path,
                            std::string_view expected) {
  fail(node.where, path, fmt::format("expected {}, found {}", expected, shown(node)));
}

template <class Number>
void read_number(const ConfigNode& node, const std::string& path, const Constraint& constraint,
                 std::string_view expected, Number& value) {
  if (node.kind != ConfigNode::Kind::plain) fail_type(node, path, expected);
  std::string_view digits = node.text;
  // YAML allows the sign that from_chars does not.
  if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') digits.remove_prefix(1);
  Number number{};
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = end == digits.data() + digits.size();
  if (whole && code == std::errc::result_out_of_range) {
    fail(node.where, path, fmt::format("{} is out of the range of numbers", shown(node)));
  }
  if (!whole || code != std::errc() || !std::isfinite(static_cast<double>(number))) {
    fail_type(node, path, expected);
  }
  if (!in_range(constraint, static_cast<double>(number))) {
    fail(node.where, path, fmt::format("{} is not {}", shown(node), constraint_text(constraint)));
  }
  value = number;
}

}  // namespace

void read_scalar(const ConfigNode& node, const std::string& path, const Constraint& constraint,
                 std::string& value) {
  if (node.kind == ConfigNode::Kind::nothing) {
    fail(node.where, path, "has no value; write \"\" for empty text, or leave the line out");
  }
  if (!node.is_scalar()) fail_type(node, path, "one text");
  if (constraint.required && node.text.empty()) fail(node.where, path, "must not be empty");
  const auto& choices = constraint.choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), node.text) == choices.end()) {
    fail(node.where, path,
         fmt::format("{} is not {}{}", shown(node), constraint_text(constraint),
                     did_you_mean(node.text, choices)));
  }
  value = node.text;
}

void read_scalar(const ConfigNode& node, const std::string& path, const Constraint&, bool& value) {
  const auto is = [&node](std::string_view lower, std::string_view title, std::string_view upper) {
    return node.kind == ConfigNode::Kind::plain &&
           (node.text == lower || node.text == title || node.text == upper);
  };
  if (is("true", "True", "TRUE")) {
    value = true;
  } else if (is("false", "False", "FALSE")) {
    value = false;
  } else {
    fail_type(node, path, "true or false");
  }
}

void read_scalar(const ConfigNode& node, const std::string& path, const Constraint& constraint,
                 double& value) {
  read_number(node, path, constraint, "a number", value);
}

void read_scalar(const ConfigNode& node, const std::string& path, const Constraint& constraint,
                 std::int64_t& value) {
  read_number(node, path, constraint, "a whole number", value);
}

void read_scalar(const ConfigNode& node, const std::string& path, const Constraint& constraint,
                 std::uint64_t& value) {
  read_number(node, path, constraint, "a whole number of at least 0", value);
}

}  // namespace limber
