#pragma once

#include "limber/serving/http/json_reader.h"
#include "limber/serving/rows/request_schema.h"

namespace limber {

/// Reads an object's fields into `row`, by the schema's columns; others are left aside. Throws
/// HttpError 400 that names the place.
void read_fields(http::JsonValue& object, const RequestSchema& schema, FieldRow& row);

}  // namespace limber
