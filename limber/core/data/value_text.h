#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "limber/core/data/column.h"

namespace limber {

/// Bytes that the spelling of a number, date or time takes, at most (a 256-bit decimal is the
/// longest).
inline constexpr std::size_t kLongestSpelling = 96;

/// `text` without the blanks (space, tab, line ends) around it.
std::string_view trimmed(std::string_view text);

/// Appends the keys of the parts of `text`, trimmed, empty ones dropped. An empty separator leaves
/// the text whole.
void split_keys(std::string_view text, std::string_view separator, std::vector<Key>& keys);

/// Appends the shortest spelling that reads back as the same value.
void append_shortest(double value, std::string& text);
void append_shortest(float value, std::string& text);

}  // namespace limber
