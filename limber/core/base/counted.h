#pragma once

#include <fmt/format.h>

#include <concepts>
#include <string>
#include <string_view>

namespace limber {

/// "1 tie", "2 ties".
std::string counted(std::integral auto count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace limber
