#pragma once

#include <limits>
#include <string>
#include <vector>

namespace limber {

/// What a value may be, beside its type. Declared with each option and used by the reader, by
/// --help and by the options page.
struct Constraint {
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  bool minimum_is_open = false;      ///< value > minimum instead of >=
  std::vector<std::string> choices;  ///< for text: the allowed words
  bool required = false;             ///< must be given (text or list: must not be empty)
};

inline Constraint any() {
  return {};
}
inline Constraint required() {
  Constraint constraint;
  constraint.required = true;
  return constraint;
}
inline Constraint at_least(double minimum) {
  Constraint constraint;
  constraint.minimum = minimum;
  return constraint;
}
inline Constraint between(double minimum, double maximum) {
  Constraint constraint;
  constraint.minimum = minimum;
  constraint.maximum = maximum;
  return constraint;
}
inline Constraint positive() {
  Constraint constraint;
  constraint.minimum = 0;
  constraint.minimum_is_open = true;
  return constraint;
}
inline Constraint one_of(std::vector<std::string> choices) {
  Constraint constraint;
  constraint.choices = std::move(choices);
  return constraint;
}

}  // namespace limber
