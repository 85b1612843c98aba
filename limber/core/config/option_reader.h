#pragma once

#include "limber/core/config/config_node.h"
#include "limber/core/config/options.h"

namespace limber {

/// Fills a Config, by visiting `describe`, from a tree; options that the tree leaves out keep
/// their defaults. Throws InputError for an unknown or repeated key, a value of the wrong type or
/// out of its constraint, and a required option that is missing.
///
/// An option is required where its constraint says so and its default is empty, or where it has
/// choices and its default is none of them. `where` of the root stands in messages about sections
/// that are missing altogether.
Config read_options(const ConfigNode& root);

}  // namespace limber
