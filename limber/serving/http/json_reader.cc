#include "limber/serving/http/json_reader.h"

#include <simdjson.h>

#include <charconv>
#include <cstring>
#include <unordered_set>

#include "limber/core/base/error.h"
#include "limber/core/base/nearest_word.h"
#include "limber/core/base/one_line.h"
#include "limber/serving/http/response.h"

namespace limber::http {
namespace {

namespace ondemand = simdjson::ondemand;

/// A thread's parser and buffer are let go after a document larger than this.
constexpr std::size_t kKeptBytes = 4 << 20;
/// No more than this of a key or a value is quoted in a message.
constexpr std::size_t kQuotedBytes = 64;

/// The parser reads, and then ignores, a few bytes beyond the document's end.
struct ThreadParser {
  ondemand::parser parser;
  std::unique_ptr<char[]> buffer;
  std::size_t capacity = 0;
  bool busy = false;

  void hold(std::string_view text) {
    if (capacity < text.size() + simdjson::SIMDJSON_PADDING) {
      capacity = 2 * text.size() + simdjson::SIMDJSON_PADDING;
      buffer = std::make_unique<char[]>(capacity);
    }
    if (!text.empty()) std::memcpy(buffer.get(), text.data(), text.size());
    std::memset(buffer.get() + text.size(), ' ', simdjson::SIMDJSON_PADDING);
  }

  void let_go_of_much() {
    if (capacity <= kKeptBytes) return;
    buffer.reset();
    capacity = 0;
    parser = ondemand::parser();
  }
};

thread_local ThreadParser thread_parser;

ondemand::value& parsed(void* value) {
  return *static_cast<ondemand::value*>(value);
}

/// A number as it stands in the document; the parser's token reaches up to the next one.
std::string_view number_token(ondemand::value& value) {
  const std::string_view token = value.raw_json_token();
  return token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
}

const char* name_of(JsonType type) {
  switch (type) {
    case JsonType::kObject:
      return "an object";
    case JsonType::kArray:
      return "an array";
    case JsonType::kString:
      return "a string";
    case JsonType::kNumber:
      return "a number";
    case JsonType::kBoolean:
      return "true or false";
    case JsonType::kNull:
      break;
  }
  return "null";
}

std::string quoted(std::string_view text) {
  if (text.size() <= kQuotedBytes) return std::string(text);
  return std::string(text.substr(0, kQuotedBytes)) + "...";
}

/// Keys already met in an object: few are compared, many are hashed.
class KeysSeen {
 public:
  bool add(std::string_view key) {
    if (many_.empty()) {
      for (std::size_t i = 0; i < count_; ++i) {
        if (few_[i] == key) return false;
      }
      if (count_ < std::size(few_)) {
        few_[count_++] = key;
        return true;
      }
      many_.insert(std::begin(few_), std::end(few_));
    }
    return many_.insert(key).second;
  }

 private:
  std::string_view few_[12];
  std::size_t count_ = 0;
  std::unordered_set<std::string_view> many_;
};

}  // namespace

JsonType JsonValue::type() const {
  ondemand::json_type type{};
  if (const auto code = parsed(value_).type().get(type)) fail_malformed(code);
  switch (type) {
    case ondemand::json_type::object:
      return JsonType::kObject;
    case ondemand::json_type::array:
      return JsonType::kArray;
    case ondemand::json_type::string:
      return JsonType::kString;
    case ondemand::json_type::number:
      return JsonType::kNumber;
    case ondemand::json_type::boolean:
      return JsonType::kBoolean;
    case ondemand::json_type::null:
      break;
  }
  return JsonType::kNull;
}

void JsonValue::take() {
  // The parser writes unescaped strings into a buffer with room for each of them once.
  if (taken_) throw Error("{}: the value was read already", path());
  taken_ = true;
}

std::string_view JsonValue::string() {
  if (type() != JsonType::kString) fail_expected("a string");
  take();
  std::string_view text;
  if (const auto code = parsed(value_).get_string().get(text)) fail_malformed(code);
  return text;
}

std::int64_t JsonValue::integer() {
  if (type() != JsonType::kNumber) fail_expected("a whole number");
  take();
  std::int64_t number = 0;
  if (const auto code = parsed(value_).get_int64().get(number)) {
    if (code == simdjson::NUMBER_ERROR || code == simdjson::NUMBER_OUT_OF_RANGE ||
        code == simdjson::INCORRECT_TYPE) {
      fail(fmt::format("expected a whole number of 64 bits, found {}",
                       quoted(parsed(value_).raw_json_token())));
    }
    fail_malformed(code);
  }
  return number;
}

bool JsonValue::is_integer() const {
  const std::string_view text = digits();
  std::int64_t number = 0;
  return !text.empty() &&
         std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc();
}

std::string_view JsonValue::digits() const {
  if (type() != JsonType::kNumber) return {};
  const std::string_view text = number_token(parsed(value_));
  std::string_view unsigned_text = text;
  if (unsigned_text.starts_with('-')) unsigned_text.remove_prefix(1);
  const bool whole = !unsigned_text.empty() &&
                     unsigned_text.find_first_not_of("0123456789") == std::string_view::npos &&
                     (unsigned_text[0] != '0' || unsigned_text.size() == 1);
  return whole ? text : std::string_view();
}

double JsonValue::number() {
  if (type() != JsonType::kNumber) fail_expected("a number");
  take();
  const std::string_view token = number_token(parsed(value_));
  double number = 0;
  if (const auto code = parsed(value_).get_double().get(number)) {
    fail(fmt::format("expected a number that a double can hold, found {}", quoted(token)));
  }
  // simdjson 3.0 counts leading zeros in place of digits: 0.12345678901234567890 comes out as
  // another number altogether. It has seen that the token is a number; what it is, is asked again.
  constexpr std::size_t kMostDigits = 19;
  if (token.size() <= kMostDigits) return number;
  double again = 0;
  const auto [end, problem] = std::from_chars(token.data(), token.data() + token.size(), again);
  // One too small for a double is 0 to the parser.
  return problem == std::errc() ? again : number;
}

bool JsonValue::boolean() {
  if (type() != JsonType::kBoolean) fail_expected("true or false");
  take();
  bool truth = false;
  if (const auto code = parsed(value_).get_bool().get(truth)) fail_malformed(code);
  return truth;
}

std::string JsonValue::id() {
  const JsonType found = type();
  if (found == JsonType::kString) return std::string(string());
  if (found == JsonType::kNumber) return std::to_string(integer());
  fail_expected("a string or a whole number");
}

void JsonValue::object(FunctionReference<void(std::string_view, JsonValue&)> field) {
  if (type() != JsonType::kObject) fail_expected("an object");
  take();
  if (depth_ >= kMostJsonDepth) fail(fmt::format("nested deeper than {} levels", kMostJsonDepth));
  ondemand::object object;
  if (const auto code = parsed(value_).get_object().get(object)) fail_malformed(code);
  KeysSeen seen;
  for (auto entry : object) {
    std::string_view key;
    if (const auto code = entry.unescaped_key().get(key)) fail_malformed(code);
    ondemand::value value;
    if (const auto code = entry.value().get(value)) fail_malformed(code);
    JsonValue child(&value, this, key, 0);
    if (!seen.add(key)) child.fail("the key appears twice");
    field(key, child);
    child.finish();
  }
}

void JsonValue::array(FunctionReference<void(JsonValue&)> element) {
  if (type() != JsonType::kArray) fail_expected("an array");
  take();
  if (depth_ >= kMostJsonDepth) fail(fmt::format("nested deeper than {} levels", kMostJsonDepth));
  ondemand::array array;
  if (const auto code = parsed(value_).get_array().get(array)) fail_malformed(code);
  std::size_t index = 0;
  for (auto entry : array) {
    ondemand::value value;
    if (const auto code = entry.get(value)) fail_malformed(code);
    JsonValue child(&value, this, {}, index++);
    element(child);
    child.finish();
  }
}

std::vector<std::string> JsonValue::strings() {
  std::vector<std::string> all;
  array([&](JsonValue& value) { all.emplace_back(value.string()); });
  return all;
}

std::vector<std::string> JsonValue::ids() {
  std::vector<std::string> all;
  array([&](JsonValue& value) { all.push_back(value.id()); });
  return all;
}

std::vector<std::int64_t> JsonValue::integers() {
  std::vector<std::int64_t> all;
  array([&](JsonValue& value) { all.push_back(value.integer()); });
  return all;
}

std::vector<double> JsonValue::numbers() {
  std::vector<double> all;
  array([&](JsonValue& value) { all.push_back(value.number()); });
  return all;
}

/// The parser's own way to skip counts brackets only; this one insists on JSON.
void JsonValue::skip() {
  switch (type()) {
    case JsonType::kObject:
      return object([](std::string_view, JsonValue&) {});
    case JsonType::kArray:
      return array([](JsonValue&) {});
    case JsonType::kString:
      string();
      return;
    case JsonType::kNumber:
      number();
      return;
    case JsonType::kBoolean:
      boolean();
      return;
    case JsonType::kNull:
      take();
      bool null = false;
      if (const auto code = parsed(value_).is_null().get(null)) fail_malformed(code);
      if (!null) fail("expected null");
  }
}

void JsonValue::finish() {
  if (!taken_) skip();
}

std::string JsonValue::path() const {
  if (parent_ == nullptr) return "the body";
  const std::string before = parent_->parent_ == nullptr ? "" : parent_->path();
  if (key_.data() == nullptr) return fmt::format("{}[{}]", before, index_);
  return fmt::format("{}{}{}", before, before.empty() ? "" : ".", quoted(key_));
}

void JsonValue::fail(std::string_view message) const {
  // Names and values out of the body may hold anything, and be long.
  throw HttpError(400, "{}", one_short_line(fmt::format("{}: {}", path(), message), 500));
}

void JsonValue::fail_expected(std::string_view expected) const {
  fail(fmt::format("expected {}, found {}", expected, name_of(type())));
}

void JsonValue::fail_unknown(std::initializer_list<std::string_view> known) const {
  const std::vector<std::string> names(known.begin(), known.end());
  fail(fmt::format("unknown key{}", did_you_mean(key_.substr(0, kQuotedBytes), names)));
}

void JsonValue::fail_malformed(int code) const {
  fail(fmt::format("not JSON: {}",
                   simdjson::error_message(static_cast<simdjson::error_code>(code))));
}

class JsonDocument {
 public:
  static void read(std::string_view text, FunctionReference<void(JsonValue&)> root) {
    thread_parser.hold(text);
    ondemand::document document;
    ondemand::value value;
    auto code = thread_parser.parser
                    .iterate(simdjson::padded_string_view(thread_parser.buffer.get(), text.size(),
                                                          thread_parser.capacity))
                    .get(document);
    if (code == simdjson::EMPTY) throw HttpError(400, "the body is empty; expected JSON");
    if (!code) code = document.get_value().get(value);
    if (code == simdjson::SCALAR_DOCUMENT_AS_VALUE) {
      throw HttpError(400, "the body: expected an object or an array");
    }
    if (code) throw HttpError(400, "the body is not JSON: {}", simdjson::error_message(code));
    JsonValue top(&value, nullptr, {}, 0);
    root(top);
    top.finish();
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
      throw HttpError(400, "the body is not JSON: something follows its end");
    }
  }
};

void read_json(std::string_view text, FunctionReference<void(JsonValue&)> root) {
  if (thread_parser.busy) throw Error("read_json: called while this thread reads another document");
  struct Hold {
    Hold() { thread_parser.busy = true; }
    ~Hold() {
      thread_parser.busy = false;
      thread_parser.let_go_of_much();
    }
  } hold;
  JsonDocument::read(text, root);
}

}  // namespace limber::http
