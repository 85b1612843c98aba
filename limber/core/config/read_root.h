#pragma once

#include "limber/core/config/config_node.h"
#include "limber/core/config/section.h"

namespace limber {

/// read_options() for any struct of options that stands at the root of a file of its own: the same
/// rules and the same messages. Instantiated in option_reader.cc for Config and NetworkConfig.
template <Section T>
T read_root(const ConfigNode& root);

}  // namespace limber
