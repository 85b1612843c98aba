#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "limber/core/base/error.h"

/// A fuzz target is a file with one function, LLVMFuzzerTestOneInput, which libFuzzer calls with
/// bytes that it makes up. It reads them as a user's input is read and checks what must hold
/// whatever they are. A crash is: a sanitizer's finding, an exception that the reader's header does
/// not promise, a check that does not hold, a run of more than a few seconds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace limber::fuzz {

/// Ends the process, which libFuzzer reports with the input, unless `holds`.
inline void expect(bool holds, std::string_view what, std::string_view detail = {}) {
  if (holds) return;
  std::cerr << "does not hold: " << what << "\n" << detail << std::endl;
  std::abort();
}

inline bool is_utf8(const std::string& text) {
  try {
    static_cast<void>(nlohmann::json(text).dump());
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

/// Messages go to terminals and logs: one line, whatever the input holds.
inline void expect_one_line(const std::string& message) {
  for (const char letter : message) {
    const auto byte = static_cast<unsigned char>(letter);
    expect(byte >= 0x20 && byte != 0x7F, "a message holds no control character", message);
  }
  for (std::size_t i = message.find('\xC2'); i != std::string::npos;
       i = message.find('\xC2', i + 1)) {
    expect(static_cast<unsigned char>(message[i + 1]) >= 0xA0,
           "a message holds no control character of the second set", message);
  }
  expect(is_utf8(message), "a message is UTF-8", message);
}

/// Whether `read` returned; false where it refused its input with an InputError on one line.
/// Anything else that it throws is a crash.
template <class Read>
bool accepts(Read read) {
  try {
    read();
    return true;
  } catch (const InputError& error) {
    expect_one_line(error.what());
    return false;
  }
}

inline std::string text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace limber::fuzz
