#include "limber/serving/service/row_json.h"

#include "limber/serving/service/field_json.h"

namespace limber {

void read_fields(http::JsonValue& object, const RequestSchema& schema, FieldRow& row) {
  object.object([&](std::string_view key, http::JsonValue& value) {
    const int column = schema.find(key);
    if (column >= 0) row[static_cast<std::size_t>(column)] = read_field(value);
  });
}

}  // namespace limber
