#pragma once

#include <span>
#include <string>

#include "limber/core/artifact/checksum.h"

namespace limber::fuzz {

/// A manifest without its checksum, with one that fits: made-up bytes never bring one, and all that
/// lies behind that check would stay unseen.
inline std::string sealed(const std::string& manifest) {
  constexpr std::size_t kDigits = 16;
  const std::size_t last = manifest.rfind('}');
  std::string text = manifest.substr(0, last == std::string::npos ? 0 : last);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  const std::string tail = "\"\n}\n";
  text += ",\n  \"manifest_checksum\": \"" + std::string(kDigits, '0') + tail;
  const std::string digits = checksum_of(std::as_bytes(std::span(text)));
  return text.replace(text.size() - tail.size() - kDigits, kDigits, digits);
}

}  // namespace limber::fuzz
