#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "limber/core/config/config_node.h"

namespace limber {

/// Throws InputError for JSON nested deeper than any config.
ConfigNode node_from_json(const nlohmann::json& json, const std::string& origin);

/// For a tree whose plain scalars are numbers and truth values, as write_options makes it.
nlohmann::json node_to_json(const ConfigNode& node);

}  // namespace limber
