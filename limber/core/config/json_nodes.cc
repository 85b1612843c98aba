#include "limber/core/config/json_nodes.h"

#include <utility>

namespace limber {
namespace {

/// Bounds the recursion; the options themselves are five deep.
constexpr int kDeepest = 32;

ConfigNode from_json(const nlohmann::json& json, const std::string& origin, int depth) {
  if (depth > kDeepest) fail(origin, "", "is nested too deeply to be a config");
  using Kind = ConfigNode::Kind;
  if (json.is_null()) return ConfigNode::make(Kind::nothing, {}, origin);
  if (json.is_string()) return ConfigNode::make(Kind::text, json.get<std::string>(), origin);
  if (json.is_primitive()) return ConfigNode::make(Kind::plain, json.dump(), origin);
  ConfigNode node = ConfigNode::make(json.is_array() ? Kind::list : Kind::map, {}, origin);
  for (const auto& [key, value] : json.items()) {
    ConfigNode item = from_json(value, origin, depth + 1);
    if (json.is_array()) {
      node.items.push_back(std::move(item));
    } else {
      node.add(key, std::move(item));
    }
  }
  return node;
}

}  // namespace

ConfigNode node_from_json(const nlohmann::json& json, const std::string& origin) {
  return from_json(json, origin, 0);
}

nlohmann::json node_to_json(const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::nothing:
      return nullptr;
    case ConfigNode::Kind::plain:
      return nlohmann::json::parse(node.text);
    case ConfigNode::Kind::text:
      return node.text;
    case ConfigNode::Kind::list: {
      nlohmann::json array = nlohmann::json::array();
      for (const ConfigNode& item : node.items) array.push_back(node_to_json(item));
      return array;
    }
    case ConfigNode::Kind::map: {
      nlohmann::json object = nlohmann::json::object();
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        object[node.keys[i]] = node_to_json(node.items[i]);
      }
      return object;
    }
  }
  return nullptr;
}

}  // namespace limber
