#include "limber/serving/rows/field_value.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace limber {

FieldValue FieldValue::of(bool value) {
  FieldValue field;
  field.kind = Kind::kBoolean;
  field.boolean = value;
  return field;
}
FieldValue FieldValue::of(std::int64_t value) {
  FieldValue field;
  field.kind = Kind::kInteger;
  field.integer = value;
  return field;
}
FieldValue FieldValue::of(double value) {
  FieldValue field;
  field.kind = Kind::kReal;
  field.real = value;
  return field;
}
FieldValue FieldValue::of(std::string_view value) {
  FieldValue field;
  field.kind = Kind::kText;
  field.text = value;
  return field;
}

bool FieldValue::missing() const {
  return kind == Kind::kMissing || (kind == Kind::kText && text.empty()) ||
         (kind == Kind::kReal && std::isnan(real));
}

double number_of(const FieldValue& value) {
  if (value.missing()) return std::numeric_limits<double>::quiet_NaN();
  switch (value.kind) {
    case FieldValue::Kind::kBoolean:
      return value.boolean ? 1 : 0;
    case FieldValue::Kind::kInteger:
      return static_cast<double>(value.integer);
    case FieldValue::Kind::kReal:
      if (std::isinf(value.real)) throw BadValue("the number is infinite");
      return value.real;
    case FieldValue::Kind::kText:
      return number_of(value.text);
    default:
      throw BadValue("a list is no number");
  }
}

Key key_of(const FieldValue& value, std::string& room) {
  if (value.missing()) throw BadValue("the value is missing");
  switch (value.kind) {
    case FieldValue::Kind::kBoolean:
      return Key{false, 0, value.boolean ? "true" : "false"};
    case FieldValue::Kind::kInteger:
      return Key{true, value.integer, {}};
    case FieldValue::Kind::kReal: {
      if (std::isinf(value.real)) throw BadValue("the number is infinite");
      if (value.real == std::floor(value.real) && std::abs(value.real) < 0x1.0p63) {
        return Key{true, static_cast<std::int64_t>(value.real), {}};
      }
      room.clear();
      append_shortest(value.real, room);
      return Key{false, 0, room};
    }
    case FieldValue::Kind::kText:
      return key_of(value.text);
    default:
      throw BadValue("a list is no single value");
  }
}

std::string member_name(const Key& key) {
  return key.is_number ? std::to_string(key.number) : std::string(key.text);
}

}  // namespace limber
