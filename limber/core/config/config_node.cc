#include "limber/core/config/config_node.h"

#include <fmt/format.h>

#include <utility>

#include "limber/core/base/error.h"
#include "limber/core/base/one_line.h"

namespace limber {
namespace {

constexpr std::size_t kLongestShown = 60;

bool is_continuation_byte(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

std::string shortened(const std::string& text) {
  if (text.size() <= kLongestShown) return text;
  std::size_t end = kLongestShown;
  while (end > 0 && is_continuation_byte(text[end])) --end;
  return text.substr(0, end) + "...";
}

}  // namespace

const ConfigNode* ConfigNode::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] == key) return &items[i];
  }
  return nullptr;
}

void ConfigNode::add(std::string key, ConfigNode item) {
  keys.push_back(std::move(key));
  items.push_back(std::move(item));
}

ConfigNode ConfigNode::make(Kind kind, std::string text, std::string where) {
  ConfigNode node;
  node.kind = kind;
  node.text = std::move(text);
  node.where = std::move(where);
  return node;
}

std::string join_path(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

std::string item_path(std::string_view path, const ConfigNode& item, std::size_t place) {
  const ConfigNode* name = item.find("name");
  if (name != nullptr && name->is_scalar() && !name->text.empty()) {
    return join_path(path, name->text);
  }
  return fmt::format("{}[{}]", path, place);
}

std::string shown(const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::nothing:
      return "nothing";
    case ConfigNode::Kind::plain:
      return shortened(node.text);
    case ConfigNode::Kind::text:
      return '"' + shortened(node.text) + '"';
    case ConfigNode::Kind::list:
      return "a list";
    case ConfigNode::Kind::map:
      return "a map";
  }
  return {};
}

void fail(std::string_view where, std::string_view path, std::string_view message) {
  const std::string line = path.empty() ? fmt::format("{}: {}", where, message)
                                        : fmt::format("{}: {}: {}", where, path, message);
  throw InputError(one_line(line));
}

}  // namespace limber
