#pragma once

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <map>
#include <string>
#include <vector>

#include "limber/core/base/error.h"
#include "limber/core/config/config_node.h"
#include "limber/core/config/section.h"

namespace limber {

/// The inverse of the option reader: a section, defaults included and in the order of `describe`,
/// or a single option's value. `describe` hands out members that may be written to, so sections
/// are not const; nothing is changed. Throws Error for a number that is not finite.
ConfigNode write_value(const std::string& value);

template <class T>
requires std::integral<T> || std::floating_point<T> ConfigNode write_value(const T& value) {
  if (!std::isfinite(static_cast<double>(value))) {
    throw Error("the config holds the number {}, which cannot be written", value);
  }
  // The shortest digits that read back as the same number.
  return ConfigNode::make(ConfigNode::Kind::plain, fmt::format("{}", value));
}

template <Section T>
ConfigNode write_value(T& section);

template <class T>
ConfigNode write_value(std::vector<T>& values) {
  ConfigNode node = ConfigNode::make(ConfigNode::Kind::list);
  for (T& value : values) node.items.push_back(write_value(value));
  return node;
}

template <class T>
ConfigNode write_value(std::map<std::string, T>& values) {
  ConfigNode node = ConfigNode::make(ConfigNode::Kind::map);
  for (auto& [name, value] : values) node.add(name, write_value(value));
  return node;
}

template <Section T>
ConfigNode write_value(T& section) {
  ConfigNode node = ConfigNode::make(ConfigNode::Kind::map);
  auto write = [&node](const char* name, auto& value, const auto&...) {
    node.add(name, write_value(value));
  };
  section.describe(write);
  return node;
}

inline ConfigNode write_value(const std::string& value) {
  return ConfigNode::make(ConfigNode::Kind::text, value);
}

}  // namespace limber
