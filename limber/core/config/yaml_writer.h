#pragma once

#include <string>

#include "limber/core/config/config_node.h"

namespace limber {

/// YAML that read_yaml turns back into the same tree; lists of scalars stand on one line.
std::string write_yaml(const ConfigNode& node);

/// The same on one line, as it would be written after an option's name.
std::string write_flow_yaml(const ConfigNode& node);

}  // namespace limber
