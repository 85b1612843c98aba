#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace limber {

/// A config before it is known what its keys mean: what YAML, JSON and --set are turned into, and
/// what the option reader reads. Maps keep their order and their duplicate keys, so that the reader
/// can report them.
struct ConfigNode {
  enum class Kind {
    nothing,  ///< an empty value or null
    plain,    ///< an unquoted scalar: a number, a truth value or text, as the option wants
    text,     ///< a quoted scalar: text only
    list,
    map
  };

  Kind kind = Kind::nothing;
  std::string text;               ///< plain, text: the value
  std::vector<std::string> keys;  ///< map: one for each item
  std::vector<ConfigNode> items;  ///< list, map
  std::string where;              ///< "config.yaml:12" or "--set train.seed=3"

  bool is_scalar() const { return kind == Kind::plain || kind == Kind::text; }
  const ConfigNode* find(std::string_view key) const;
  void add(std::string key, ConfigNode item);

  static ConfigNode make(Kind kind, std::string text = {}, std::string where = {});
};

/// "train" + "seed" = "train.seed"; an empty `path` is the whole config.
std::string join_path(std::string_view path, std::string_view key);

/// The path of a list's item: by its name where it has one ("features.age"), else by its place
/// ("features[2]", counted from 0).
std::string item_path(std::string_view path, const ConfigNode& item, std::size_t place);

/// How a message shows a value: `3`, `"3"`, `a list`, `a map`, `nothing`.
std::string shown(const ConfigNode& node);

/// Throws InputError "WHERE: PATH: MESSAGE", kept to one line whatever the config holds.
[[noreturn]] void fail(std::string_view where, std::string_view path, std::string_view message);

}  // namespace limber
