#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "limber/serving/http/json_reader.h"
#include "limber/serving/http/response.h"

namespace limber::http {

/// What a document is refused with; "" where it is read.
inline std::string message_of(std::string_view text, FunctionReference<void(JsonValue&)> root) {
  try {
    read_json(text, root);
  } catch (const HttpError& error) {
    EXPECT_EQ(error.status(), 400U);
    return error.what();
  }
  return "";
}

inline std::string message_of(std::string_view text) {
  return message_of(text, [](JsonValue&) {});
}

}  // namespace limber::http
