#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace limber {

/// A value of a column as an application holds it: nothing (missing), a truth value, a number, a
/// text, or a list of those. It owns what it holds.
class Value {
 public:
  using List = std::vector<Value>;
  using Held = std::variant<std::monostate, bool, std::int64_t, double, std::string, List>;

  Value() = default;
  Value(bool value) : held_(value) {}
  template <std::integral Number>
  Value(Number value) : held_(held(value)) {}
  template <std::floating_point Number>
  Value(Number value) : held_(static_cast<double>(value)) {}
  Value(const char* text) : held_(std::string(text)) {}
  Value(std::string_view text) : held_(std::string(text)) {}
  Value(std::string text) : held_(std::move(text)) {}
  Value(List values) : held_(std::move(values)) {}
  /// Any other pointer would be a truth value.
  template <class Other>
  Value(const Other*) = delete;

  const Held& held() const { return held_; }

 private:
  /// Numbers beyond 64 signed bits are known by their digits, as in a log.
  template <std::integral Number>
  static Held held(Number value) {
    if (std::in_range<std::int64_t>(value)) return static_cast<std::int64_t>(value);
    return std::to_string(value);
  }

  Held held_;
};

/// Values of a row by column, such as {{"movie_id", 50}, {"rating", 4}}. Columns that the model
/// does not read are left aside; those that it reads and the row lacks are missing.
using Fields = std::vector<std::pair<std::string, Value>>;

}  // namespace limber
