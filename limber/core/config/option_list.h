#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include "limber/core/config/config_node.h"
#include "limber/core/config/constraint.h"
#include "limber/core/config/options.h"

namespace limber {

/// One option as the documentation shows it.
struct Option {
  std::string name;
  std::string type;  ///< "text", "whole number", "list of texts", ...
  ConfigNode default_value;
  Constraint constraint;
  bool required = false;  ///< has no usable default
  std::string sentence;
};

/// The options of one struct; structs inside it are sections of their own.
struct OptionSection {
  enum class Form { one, list, map };

  std::string path;  ///< as --set spells it: "train", "features.NAME"; empty for the whole config
  Form form = Form::one;  ///< list, map: there may be many, each with a NAME
  std::string sentence;
  std::vector<Option> options;
};

/// Every section, each before those inside it, in the order of `describe`.
std::vector<OptionSection> list_options();

/// Whether the option must be given: its constraint wants it and its default is empty, or its
/// default is none of its choices.
template <class T>
bool is_required(const T& default_value, const Constraint& constraint) {
  if constexpr (requires { default_value.empty(); }) {
    if (constraint.required && default_value.empty()) return true;
  }
  if constexpr (std::is_same_v<T, std::string>) {
    bool chosen = constraint.choices.empty();
    for (const std::string& choice : constraint.choices) chosen |= choice == default_value;
    return !chosen;
  }
  return false;
}

}  // namespace limber
