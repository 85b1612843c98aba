#include "limber/core/config/option_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "limber/core/base/nearest_word.h"
#include "limber/core/config/network_options.h"
#include "limber/core/config/option_list.h"
#include "limber/core/config/read_root.h"
#include "limber/core/config/scalar_reader.h"
#include "limber/core/config/section.h"

namespace limber {
namespace {

using Kind = ConfigNode::Kind;

using Paths = std::multimap<std::string, std::string>;

/// The paths of all options and sections of a Config, by their last name.
Paths paths_by_name(const Config&) {
  Paths paths;
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

/// Those of another root: few enough that names nearby say what may have been meant.
template <class T>
Paths paths_by_name(const T&) {
  return {};
}

/// What the user may have meant by an unknown `key` of `path`: an option of that name elsewhere, a
/// similar name here, or a similar name elsewhere; empty when there is none.
std::string similar_option(const std::string& path, const std::string& key,
                           const std::vector<std::string>& names, const Paths& elsewhere) {
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

/// A key that its section does not have; caught where the root is known.
struct UnknownOption {
  std::string where, path, key;
  std::vector<std::string> names;  ///< that the section has
};

[[noreturn]] void fail_unknown(const UnknownOption& unknown, const Paths& elsewhere) {
  const auto& [where, path, key, names] = unknown;
  const std::string similar = similar_option(path, key, names, elsewhere);
  fail(where, join_path(path, key),
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
      throw UnknownOption{node.items[i].where, path, node.keys[i], names};
    }
  }
  SectionReader reader(node, path);
  section.describe(reader);
}

}  // namespace

template <Section T>
T read_root(const ConfigNode& root) {
  T config;
  try {
    read_section(root, "", config);
  } catch (const UnknownOption& unknown) {
    fail_unknown(unknown, paths_by_name(T()));
  }
  return config;
}

template Config read_root<Config>(const ConfigNode&);
template NetworkConfig read_root<NetworkConfig>(const ConfigNode&);

Config read_options(const ConfigNode& root) {
  return read_root<Config>(root);
}

}  // namespace limber
