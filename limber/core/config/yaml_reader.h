#pragma once

#include <string>

#include "limber/core/config/config_node.h"

namespace limber {

/// Whether a node says on which line it stands: lines of a file do, a --set has only one.
enum class Lines { numbered, unnumbered };

/// Throws InputError where `text` is not UTF-8 or holds a control character: YAML allows neither,
/// and JSON, in which a config is stored, must be UTF-8.
void check_text(const std::string& text, const std::string& origin, Lines lines);

/// Reads one YAML document; an empty one gives a node of kind nothing. A map's values stand where
/// their keys stand. Anchors and aliases are followed; tags other than YAML's own scalar types,
/// merge keys and second documents are not taken.
///
/// Throws InputError for what is not YAML, and where check_text does.
ConfigNode read_yaml(const std::string& yaml, const std::string& origin,
                     Lines lines = Lines::numbered);

}  // namespace limber
