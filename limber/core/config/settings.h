#pragma once

#include <string>

#include "limber/core/config/config_node.h"

namespace limber {

/// Applies one --set, "KEY=VALUE", to a config that has been parsed but not yet read: replaces the
/// value at the key or creates it, with the sections above it. An item of a list is addressed by
/// its `name` (features.age.dim=8). A value that begins with [, { or a quote is flow YAML; any
/// other is taken as it stands, so that * and | need no quotes.
///
/// Throws InputError when the setting is no KEY=VALUE, names no item of a list, or looks inside a
/// scalar. Whether the key is an option at all is the option reader's to say.
void apply_setting(ConfigNode& config, const std::string& setting);

}  // namespace limber
