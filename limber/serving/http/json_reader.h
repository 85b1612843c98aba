#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace limber::http {

class JsonValue;

/// A reference to a callable that outlives the call it is passed to.
template <class Signature>
class FunctionReference;

template <class... Arguments>
class FunctionReference<void(Arguments...)> {
 public:
  template <class Function>
  requires(!std::is_same_v<std::remove_cvref_t<Function>, FunctionReference>)
      FunctionReference(Function&& function)
      : function_(const_cast<void*>(static_cast<const void*>(std::addressof(function)))),
        call_([](void* object, Arguments... arguments) {
          (*static_cast<std::remove_reference_t<Function>*>(object))(
              static_cast<Arguments>(arguments)...);
        }) {}

  void operator()(Arguments... arguments) const {
    call_(function_, static_cast<Arguments>(arguments)...);
  }

 private:
  void* function_;
  void (*call_)(void*, Arguments...);
};

enum class JsonType { kObject, kArray, kString, kNumber, kBoolean, kNull };

/// One value of a document that is being read from front to back. It is read once, inside the
/// callback that got it, by one of the functions below; one that is not read is checked and
/// skipped. All throw HttpError 400 that names the place and what was expected there:
/// "items[3].score: expected a number, found a string".
class JsonValue {
 public:
  JsonValue(const JsonValue&) = delete;
  JsonValue& operator=(const JsonValue&) = delete;

  JsonType type() const;
  bool is_null() const { return type() == JsonType::kNull; }

  /// Unescaped UTF-8; lives until read_json() returns.
  std::string_view string();
  std::int64_t integer();
  /// Whether this is a number that integer() reads: no point, no exponent, within 64 bits.
  bool is_integer() const;
  /// The spelling of a number without point and exponent, however long: what tells ids apart that
  /// neither 64 bits nor a double hold. Empty for all else. Lives as string() does; unlike it this
  /// does not read the value.
  std::string_view digits() const;
  /// Any number, whole ones included, that a double can hold.
  double number();
  bool boolean();

  /// A string as it is, a whole number as its digits: ids are sent as either.
  std::string id();

  /// Calls `field` for each key, in order of appearance. A key that appears twice is an error.
  void object(FunctionReference<void(std::string_view key, JsonValue& value)> field);
  /// Calls `element` for each element.
  void array(FunctionReference<void(JsonValue& value)> element);

  /// Arrays whose elements are all of one kind.
  std::vector<std::string> strings();
  std::vector<std::string> ids();
  std::vector<std::int64_t> integers();
  std::vector<double> numbers();

  /// "items[3].score", for messages of the caller's own.
  std::string path() const;
  /// Throws HttpError 400 "PATH: message".
  [[noreturn]] void fail(std::string_view message) const;
  /// For a key of an object that is none of `known`: throws HttpError 400 that names it and the
  /// nearest known one.
  [[noreturn]] void fail_unknown(std::initializer_list<std::string_view> known) const;

 private:
  friend class JsonDocument;
  JsonValue(void* value, const JsonValue* parent, std::string_view key, std::size_t index)
      : value_(value),
        parent_(parent),
        key_(key),
        index_(index),
        depth_(parent == nullptr ? 0 : parent->depth_ + 1) {}

  void take();
  void skip();
  void finish();
  [[noreturn]] void fail_expected(std::string_view expected) const;
  [[noreturn]] void fail_malformed(int code) const;

  void* value_;  ///< the parser's own value, on the stack of whoever called back
  const JsonValue* parent_;
  std::string_view key_;  ///< within an object
  std::size_t index_;     ///< within an array
  int depth_;
  bool taken_ = false;
};

/// How deep objects and arrays may lie in each other.
inline constexpr int kMostJsonDepth = 32;

/// Reads `text`, any bytes at all, as one JSON document whose root is an object or an array. Each
/// thread has one parser, whose buffers are reused; so `root` must not read another document.
/// Throws HttpError 400 when the text is not JSON from its first to its last byte, whether or not
/// `root` looks at all of it.
void read_json(std::string_view text, FunctionReference<void(JsonValue& root)> root);

}  // namespace limber::http
