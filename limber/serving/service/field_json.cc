#include "limber/serving/service/field_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace limber {
namespace {

FieldValue read_scalar(http::JsonValue& value) {
  switch (value.type()) {
    case http::JsonType::kNull:
      return {};
    case http::JsonType::kBoolean:
      return FieldValue::of(value.boolean());
    case http::JsonType::kString:
      return FieldValue::of(value.string());
    case http::JsonType::kNumber: {
      // Ids are whole numbers; beyond what a double tells apart they must stay exact, and beyond 64
      // bits they are keys by their spelling, as in a log.
      if (value.is_integer()) return FieldValue::of(value.integer());
      const std::string_view digits = value.digits();
      const double number = value.number();
      return digits.empty() ? FieldValue::of(number) : FieldValue::of(digits);
    }
    default:
      value.fail("expected a number, a text, true, false or null");
  }
}

nlohmann::json json_of(const FieldValue& value) {
  switch (value.kind) {
    case FieldValue::Kind::kBoolean:
      return value.boolean;
    case FieldValue::Kind::kInteger:
      return value.integer;
    case FieldValue::Kind::kReal:
      if (value.real == std::floor(value.real) && std::abs(value.real) < 9e15) {
        return static_cast<std::int64_t>(value.real);
      }
      return value.real;
    case FieldValue::Kind::kText:
      return std::string(value.text);
    case FieldValue::Kind::kList: {
      auto list = nlohmann::json::array();
      for (const FieldValue& element : value.list) list.push_back(json_of(element));
      return list;
    }
    default:
      return nullptr;
  }
}

}  // namespace

FieldValue read_field(http::JsonValue& value) {
  if (value.type() != http::JsonType::kArray) return read_scalar(value);
  FieldValue list;
  list.kind = FieldValue::Kind::kList;
  value.array([&](http::JsonValue& element) { list.list.push_back(read_scalar(element)); });
  return list;
}

NamedFields read_all_fields(http::JsonValue& object) {
  NamedFields fields;
  object.object([&](std::string_view key, http::JsonValue& value) {
    fields.emplace_back(std::string(key), read_field(value));
  });
  return fields;
}

std::string to_json(const NamedFields& fields,
                    const std::vector<std::pair<std::string, double>>& labels) {
  auto object = nlohmann::ordered_json::object();
  for (const auto& [name, value] : fields) object[name] = json_of(value);
  for (const auto& [name, value] : labels) object["labels"][name] = static_cast<int>(value);
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void append_json_text(std::string_view text, std::string& to) {
  to += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace limber
