#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "limber/core/data/column.h"

namespace limber {

/// A value of a request, or of a stored interaction, before it is encoded. Texts are views of what
/// the value was read from.
struct FieldValue {
  enum class Kind { kMissing, kBoolean, kInteger, kReal, kText, kList };

  Kind kind = Kind::kMissing;
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view text;
  std::vector<FieldValue> list;

  static FieldValue of(bool value);
  static FieldValue of(std::int64_t value);
  static FieldValue of(double value);
  static FieldValue of(std::string_view value);

  /// A null, an empty text, or a NaN; as ColumnView.
  bool missing() const;
};

// What ColumnView does for a value of a column, these do for a value that stands alone: the same
// readings, so that a server sees what training saw.

/// NaN for a missing one. Throws BadValue.
double number_of(const FieldValue& value);
/// Throws BadValue for a missing one and for a list. `room` keeps a text that had to be spelled.
Key key_of(const FieldValue& value, std::string& room);
/// A member's key as text, under which all else knows the member: a number's digits, or the text.
std::string member_name(const Key& key);
/// Calls `use` with each key of a list, or of the parts of a text between separators.
template <class Use>
void for_each_key(const FieldValue& value, std::string_view separator, Use use);

}  // namespace limber

#include "limber/core/data/value_text.h"

namespace limber {

template <class Use>
void for_each_key(const FieldValue& value, std::string_view separator, Use use) {
  if (value.missing()) return;
  std::string room;
  if (value.kind == FieldValue::Kind::kList) {
    for (const FieldValue& element : value.list) {
      if (element.missing()) continue;
      if (element.kind != FieldValue::Kind::kText) {
        use(key_of(element, room));
      } else if (const std::string_view text = trimmed(element.text); !text.empty()) {
        use(key_of(text));
      }
    }
  } else if (value.kind == FieldValue::Kind::kText) {
    std::vector<Key> keys;
    split_keys(value.text, separator, keys);
    for (const Key& key : keys) use(key);
  } else {
    use(key_of(value, room));
  }
}

}  // namespace limber
