#include "limber/core/config/option_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "limber/core/base/nearest_word.h"
#include "limber/core/config/option_list.h"
#include "limber/core/config/scalar_reader.h"
#include "limber/core/config/section.h"

namespace limber {
namespace {

using Kind = ConfigNode::Kind;

/// The paths of all options and sections, by their last name.
std::multimap<std::string, std::string> paths_by_name() {
  std::multimap<std::string, std::string> paths;
  for (const OptionSection& section : list_options()) {
    std::string path = section.path;
    if (path.ends_with(".NAME")) path.resize(path.size() - std::string(".NAME").size());
    if (!path.empty()) paths.emplace(path.substr(path.rfind('.') + 1), path);
    for (const Option& option : section.options) {
      paths.emplace(option.name, join_path(section.path, option.name));
    }
  }
  return paths;
}

/// What the user may have meant by an unknown `key` of `path`: an option of that name elsewhere, a
/// similar name here, or a similar name elsewhere; empty when there is none.
std::string similar_option(const std::string& path, const std::string& key,
                           const std::vector<std::string>& names) {
  const auto elsewhere = paths_by_name();
  std::string name = key;
  if (!elsewhere.contains(key)) {
    const std::string near = nearest_word(key, names);
    if (!near.empty()) return join_path(path, near);
    std::vector<std::string> all;
    for (const auto& [other, other_path] : elsewhere) all.push_back(other);
    name = nearest_word(key, all);
  }
  const auto [begin, end] = elsewhere.equal_range(name);
  if (begin == end) return {};
  const std::string wanted = join_path(path, key);
  return std::min_element(begin, end,
                          [&wanted](const auto& first, const auto& second) {
                            return letters_apart(first.second, wanted) <
                                   letters_apart(second.second, wanted);
                          })
      ->second;
}

[[noreturn]] void fail_unknown(const ConfigNode& item, const std::string& path,
                               const std::string& key, const std::vector<std::string>& names) {
  const std::string similar = similar_option(path, key, names);
  fail(item.where, join_path(path, key),
       similar.empty() ? fmt::format("unknown option; {} has {}",
                                     path.empty() ? "the config" : path, fmt::join(names, ", "))
                       : fmt::format("unknown option; did you mean {}?", similar));
}

/// A map, or nothing: a section whose every line is commented out.
void check_map(const ConfigNode& node, const std::string& path) {
  if (node.kind != Kind::map && node.kind != Kind::nothing) {
    fail(node.where, path, fmt::format("expected a map of options, found {}", shown(node)));
  }
  std::map<std::string, const ConfigNode*> seen;
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const auto [first, is_new] = seen.try_emplace(node.keys[i], &node.items[i]);
    if (!is_new) {
      fail(node.items[i].where, join_path(path, node.keys[i]),
           fmt::format("given twice, first at {}", first->second->where));
    }
    if (node.keys[i].empty()) fail(node.items[i].where, path, "holds an empty name");
  }
}

template <Section T>
void read_section(const ConfigNode& node, const std::string& path, T& section);

template <class T>
void read_value(const ConfigNode& node, const std::string& path, const Constraint& constraint,
                T& value) {
  read_scalar(node, path, constraint, value);
}

template <class T>
void read_value(const ConfigNode& node, const std::string& path, const Constraint& constraint,
                std::vector<T>& values) {
  values.clear();
  if constexpr (!Section<T>) {
    if (node.is_scalar()) {
      read_value(node, path, constraint, values.emplace_back());
      return;
    }
  }
  if (node.kind == Kind::nothing) {
    fail(node.where, path, "has no value; write [] for an empty list, or leave the line out");
  }
  if (node.kind != Kind::list) {
    fail(node.where, path, fmt::format("expected a list, found {}", shown(node)));
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const std::string place = item_path(path, node.items[i], i);
    if constexpr (Section<T>) {
      read_section(node.items[i], place, values.emplace_back());
    } else {
      read_value(node.items[i], place, constraint, values.emplace_back());
    }
  }
}

template <class T>
void read_value(const ConfigNode& node, const std::string& path, const Constraint& constraint,
                std::map<std::string, T>& values) {
  check_map(node, path);
  values.clear();
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const std::string place = join_path(path, node.keys[i]);
    if constexpr (Section<T>) {
      read_section(node.items[i], place, values[node.keys[i]]);
    } else {
      read_value(node.items[i], place, constraint, values[node.keys[i]]);
    }
  }
}

template <class T>
bool is_empty(const T& value) {
  if constexpr (requires { value.empty(); }) {
    return value.empty();
  } else {
    return false;
  }
}

/// The visitor: one call for each option of a section.
class SectionReader {
 public:
  SectionReader(const ConfigNode& node, const std::string& path) : node_(node), path_(path) {}

  template <class T>
  void operator()(const char* name, T& value, const Constraint& constraint, const char* sentence) {
    const std::string path = join_path(path_, name);
    const ConfigNode* given = node_.find(name);
    if constexpr (Section<T>) {
      // Even where the section is missing, for something in it may be required.
      const ConfigNode missing = ConfigNode::make(Kind::nothing, {}, node_.where);
      read_section(given != nullptr ? *given : missing, path, value);
    } else if (given == nullptr) {
      if (is_required(value, constraint)) {
        fail(node_.where, path, fmt::format("is required: {}", sentence));
      }
    } else {
      read_value(*given, path, constraint, value);
      if (constraint.required && is_empty(value)) fail(given->where, path, "must not be empty");
    }
  }

 private:
  const ConfigNode& node_;
  const std::string& path_;
};

template <Section T>
void read_section(const ConfigNode& node, const std::string& path, T& section) {
  check_map(node, path);
  const std::vector<std::string> names = option_names(section);
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    if (std::find(names.begin(), names.end(), node.keys[i]) == names.end()) {
      fail_unknown(node.items[i], path, node.keys[i], names);
    }
  }
  SectionReader reader(node, path);
  section.describe(reader);
}

}  // namespace

Config read_options(const ConfigNode& root) {
  Config config;
  read_section(root, "", config);
  return config;
}

}  // namespace limber
