/// Request bodies: two parsers of different make must agree on what JSON is, and on what it says.
#include <algorithm>

#include "fuzz/target.h"
#include "limber/core/artifact/strict_json.h"
#include "limber/serving/http/json_reader.h"
#include "limber/serving/http/response.h"

namespace limber::fuzz {
namespace {

using http::JsonType;
using http::JsonValue;
using nlohmann::json;

/// How many objects and arrays lie in each other.
int depth_of(const json& value) {
  if (!value.is_structured()) return 0;
  int deepest = 0;
  for (const json& child : value) deepest = std::max(deepest, depth_of(child));
  return deepest + 1;
}

bool fits_64_bits(const json& number) {
  return number.is_number_integer() &&
         (!number.is_number_unsigned() || number.get<std::uint64_t>() <= INT64_MAX);
}

void expect_number(JsonValue& value, const json& expected) {
  expect(expected.is_number(), "both find a number");
  expect(value.is_integer() == fits_64_bits(expected), "both find a whole number of 64 bits",
         expected.dump());
  expect(!value.digits().empty() || !expected.is_number_integer(), "whole numbers have digits",
         expected.dump());
  if (fits_64_bits(expected)) {
    expect(value.integer() == expected.get<std::int64_t>(), "whole numbers are equal",
           expected.dump());
  } else {
    expect(value.number() == expected.get<double>(), "numbers are equal", expected.dump());
  }
}

void expect_equal(JsonValue& value, const json& expected) {
  switch (value.type()) {
    case JsonType::kObject: {
      expect(expected.is_object(), "both find an object");
      std::size_t count = 0;
      value.object([&](std::string_view key, JsonValue& child) {
        const auto found = expected.find(std::string(key));
        expect(found != expected.end(), "both find the same keys", key);
        expect_equal(child, *found);
        ++count;
      });
      expect(count == expected.size(), "both find as many keys");
      break;
    }
    case JsonType::kArray: {
      expect(expected.is_array(), "both find an array");
      std::size_t count = 0;
      value.array([&](JsonValue& child) {
        expect(count < expected.size(), "both find as many elements");
        expect_equal(child, expected[count++]);
      });
      expect(count == expected.size(), "both find as many elements");
      break;
    }
    case JsonType::kString:
      expect(expected.is_string() && value.string() == expected.get_ref<const std::string&>(),
             "texts are equal", expected.dump());
      break;
    case JsonType::kNumber:
      expect_number(value, expected);
      break;
    case JsonType::kBoolean:
      expect(expected.is_boolean() && value.boolean() == expected.get<bool>(), "truths are equal");
      break;
    case JsonType::kNull:
      expect(expected.is_null(), "both find null");
      break;
  }
}

/// Reads every second child and leaves the others to be skipped.
void read_half(JsonValue& value) {
  std::size_t count = 0;
  if (value.type() == JsonType::kObject) {
    value.object([&](std::string_view, JsonValue& child) {
      if (count++ % 2 == 0) read_half(child);
    });
  } else if (value.type() == JsonType::kArray) {
    value.array([&](JsonValue& child) {
      if (count++ % 2 == 1) read_half(child);
    });
  }
}

/// Asks for the wrong thing nearly everywhere; whatever comes of it is an HttpError.
void read_wrongly(JsonValue& value) {
  switch (value.path().size() % 6) {
    case 0:
      return static_cast<void>(value.integers());
    case 1:
      return static_cast<void>(value.numbers());
    case 2:
      return static_cast<void>(value.ids());
    case 3:
      return static_cast<void>(value.strings());
    case 4:
      return value.object([](std::string_view, JsonValue& child) { read_wrongly(child); });
    default:
      return value.array([](JsonValue& child) { read_wrongly(child); });
  }
}

/// Whether an exponent may have so many digits that simdjson refuses it, where others read 0. No
/// client sends one.
bool has_absurd_exponent(std::string_view text) {
  constexpr std::size_t kManyDigits = 20;
  for (std::size_t i = text.find_first_of("eE"); i != std::string_view::npos;
       i = text.find_first_of("eE", i + 1)) {
    std::string_view rest = text.substr(i + 1);
    if (rest.starts_with('+') || rest.starts_with('-')) rest.remove_prefix(1);
    if (std::min(rest.find_first_not_of("0123456789"), rest.size()) >= kManyDigits) return true;
  }
  return false;
}

bool reads(std::string_view text, http::FunctionReference<void(JsonValue&)> root) {
  try {
    http::read_json(text, root);
    return true;
  } catch (const http::HttpError& error) {
    expect(error.status() == 400, "what is not JSON is the client's fault", error.what());
    expect_one_line(error.what());
    return false;
  }
}

}  // namespace
}  // namespace limber::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace limber;
  using namespace limber::fuzz;
  const std::string text = text_of(data, size);
  if (has_absurd_exponent(text)) return 0;
  nlohmann::json expected;
  const bool valid = accepts([&] { expected = parse_strict_json(text, "text"); }) &&
                     expected.is_structured() && depth_of(expected) <= http::kMostJsonDepth;

  const bool skipped = reads(text, [](http::JsonValue&) {});
  expect(skipped == valid, valid ? "the body is JSON" : "the body is not JSON");
  expect(reads(text, [](http::JsonValue& root) { read_half(root); }) == valid,
         "what is read does not change what is JSON");
  reads(text, [](http::JsonValue& root) { read_wrongly(root); });
  if (valid) {
    expect(reads(text, [&](http::JsonValue& root) { expect_equal(root, expected); }),
           "all can be read");
  }
  return 0;
}
