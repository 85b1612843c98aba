#include "limber/core/base/one_line.h"

#include <cstddef>
#include <nlohmann/json.hpp>

namespace limber {

std::string one_line(std::string_view text) {
  using nlohmann::json;
  const std::string utf8 = json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  std::string line = json::parse(utf8).get<std::string>();
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    if (byte < 0x20 || byte == 0x7F) line[i] = ' ';
    // U+0080 to U+009F, the second set of control characters.
    if (byte == 0xC2 && static_cast<unsigned char>(line[i + 1]) < 0xA0) line.replace(i, 2, " ");
  }
  return line;
}

std::string one_short_line(std::string_view text, std::size_t longest) {
  if (text.size() <= longest) return one_line(text);
  // Not through the middle of a letter.
  while (longest > 0 && (static_cast<unsigned char>(text[longest]) & 0xC0) == 0x80) --longest;
  return one_line(text.substr(0, longest)) + "...";
}

}  // namespace limber
