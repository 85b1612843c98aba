#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "limber/serving/http/json_reader.h"
#include "limber/serving/rows/field_value.h"

namespace limber {

/// Reads a value: null, true, a number, a text, or a list of those. Its texts live as long as the
/// document's. Throws HttpError 400 that names the place.
FieldValue read_field(http::JsonValue& value);

/// All fields of an object, whatever their names, in order.
using NamedFields = std::vector<std::pair<std::string, FieldValue>>;
NamedFields read_all_fields(http::JsonValue& object);

/// The fields, and labels under "labels" where there are any, as one JSON object on one line: what
/// the store keeps of an interaction.
std::string to_json(const NamedFields& fields,
                    const std::vector<std::pair<std::string, double>>& labels = {});

/// `text` as a JSON string, quotes included; bytes that are not UTF-8 are replaced.
void append_json_text(std::string_view text, std::string& to);

}  // namespace limber
