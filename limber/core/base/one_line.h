#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace limber {

/// What a message may show of text out of a file or an argument, which may hold anything: control
/// characters (line breaks, and those with which a terminal is told what to do) become blanks,
/// bytes that are not UTF-8 the replacement character U+FFFD.
std::string one_line(std::string_view text);

/// The same, and of a longer text its first `longest` bytes or so.
std::string one_short_line(std::string_view text, std::size_t longest);

}  // namespace limber
