#include "limber/core/config/settings.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>
#include <vector>

#include "limber/core/base/nearest_word.h"
#include "limber/core/config/yaml_reader.h"

namespace limber {
namespace {

/// Bounds the tree that a key can ask for; the options themselves are five deep.
constexpr int kDeepest = 32;

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

ConfigNode parse_value(std::string_view value, const std::string& where) {
  const std::string text(trimmed(value));
  if (text.empty()) return ConfigNode::make(ConfigNode::Kind::text, {}, where);
  if (std::string_view("[{\"'").find(text.front()) != std::string_view::npos) {
    return read_yaml(text, where, Lines::unnumbered);
  }
  return ConfigNode::make(ConfigNode::Kind::plain, text, where);
}

/// Walks from the whole config to the value that a key names.
class Walk {
 public:
  Walk(ConfigNode& config, std::string_view key, const std::string& where)
      : node_(&config), rest_(key), where_(where) {}

  ConfigNode& target() {
    for (int depth = 0; !rest_.empty(); ++depth) {
      if (depth == kDeepest) {
        fail(where_, "", fmt::format("no option lies {} sections deep", kDeepest));
      }
      step();
    }
    return *node_;
  }

 private:
  void step() {
    switch (node_->kind) {
      case ConfigNode::Kind::list:
        enter_list();
        break;
      case ConfigNode::Kind::plain:
      case ConfigNode::Kind::text:
        fail(where_, path_,
             fmt::format("is the single value {} at {}, and has no {}", shown(*node_), node_->where,
                         rest_));
      case ConfigNode::Kind::nothing:
        node_->kind = ConfigNode::Kind::map;
        node_->where = where_;
        [[fallthrough]];
      case ConfigNode::Kind::map:
        enter_map();
        break;
    }
  }

  void enter_map() {
    const std::size_t known = longest_match(node_->keys);
    if (known < node_->keys.size()) {
      const std::string key = node_->keys[known];
      enter(node_->items[known], key);
      return;
    }
    const std::string key(rest_.substr(0, rest_.find('.')));
    if (key.empty()) fail(where_, "", "expected KEY=VALUE, such as train.seed=3");
    node_->add(key, ConfigNode::make(ConfigNode::Kind::nothing, {}, where_));
    enter(node_->items.back(), key);
  }

  void enter_list() {
    std::vector<std::string> names;
    for (const ConfigNode& item : node_->items) {
      const ConfigNode* name = item.find("name");
      names.push_back(name != nullptr && name->is_scalar() ? name->text : std::string());
    }
    const std::size_t known = longest_match(names);
    if (known == names.size()) {
      const std::string_view name = rest_.substr(0, rest_.find('.'));
      fail(where_, path_, fmt::format("none is named {}{}", name, did_you_mean(name, names)));
    }
    enter(node_->items[known], names[known]);
  }

  /// The place of the longest name that the rest of the key begins with, for names may hold dots.
  std::size_t longest_match(const std::vector<std::string>& names) const {
    std::size_t longest = names.size();
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string& name = names[i];
      const bool matches = !name.empty() && rest_.starts_with(name) &&
                           (rest_.size() == name.size() || rest_[name.size()] == '.');
      if (matches && (longest == names.size() || name.size() > names[longest].size())) longest = i;
    }
    return longest;
  }

  void enter(ConfigNode& item, const std::string& key) {
    path_ = join_path(path_, key);
    rest_.remove_prefix(key.size());
    if (rest_.size() == 1) fail(where_, "", "expected KEY=VALUE, such as train.seed=3");
    if (!rest_.empty()) rest_.remove_prefix(1);
    node_ = &item;
  }

  ConfigNode* node_;
  std::string_view rest_;
  const std::string& where_;
  std::string path_;
};

}  // namespace

void apply_setting(ConfigNode& config, const std::string& setting) {
  // Shortened: every value that the setting holds remembers it.
  const std::string where = "--set " + shown(ConfigNode::make(ConfigNode::Kind::plain, setting));
  check_text(setting, where, Lines::unnumbered);
  const std::size_t equals = setting.find('=');
  const std::string_view key = trimmed(std::string_view(setting).substr(0, equals));
  if (equals == std::string::npos || key.empty()) {
    fail(where, "", "expected KEY=VALUE, such as train.seed=3");
  }
  ConfigNode value = parse_value(std::string_view(setting).substr(equals + 1), where);
  Walk(config, key, where).target() = std::move(value);
}

}  // namespace limber
