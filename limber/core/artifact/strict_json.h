#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace limber {

/// Parses JSON that a program wrote. Beyond the grammar it refuses a key that occurs twice in one
/// object (parsers disagree on which one counts) and nesting deeper than 64. Throws InputError
/// that begins with `origin` and names the place.
nlohmann::json parse_strict_json(std::string_view text, const std::string& origin);

}  // namespace limber
