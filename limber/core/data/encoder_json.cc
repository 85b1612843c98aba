#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "limber/core/base/error.h"
#include "limber/core/data/encoder.h"

namespace limber {
namespace {

constexpr std::array<std::string_view, 4> kind_names = {"number", "id", "ids", "sequence"};

constexpr std::array<std::string_view, 4> vocabulary_kinds = {"dictionary", "perfect_hash", "hash",
                                                              "qr"};

FeatureKind kind_of(const std::string& name, const std::string& origin) {
  const auto place = std::find(kind_names.begin(), kind_names.end(), name);
  if (place == kind_names.end()) {
    throw InputError("{}: encoders: '{}' is no kind of feature; the manifest is damaged", origin,
                     name);
  }
  return static_cast<FeatureKind>(place - kind_names.begin());
}

std::int64_t number_in(const nlohmann::json& json, const char* key, std::int64_t least,
                       std::int64_t most, const std::string& origin) {
  const std::int64_t value = json.value(key, std::int64_t{0});
  if (value < least || value > most) {
    throw InputError("{}: encoders: {} is {}; the manifest is damaged", origin, key, value);
  }
  return value;
}

/// What a kind of vocabulary needs to turn a value into rows.
void read_vocabulary(FeatureEncoder& encoder, const nlohmann::json& json,
                     const std::string& origin) {
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  const std::string& kind = encoder.vocabulary_kind;
  if (std::ranges::find(vocabulary_kinds, kind) == vocabulary_kinds.end()) {
    throw InputError("{}: encoders: '{}' is no kind of vocabulary; the manifest is damaged", origin,
                     kind);
  }
  encoder.max_values = number_in(json, "max_values", 0, most, origin);
  if (kind == "hash") encoder.hash_size = number_in(json, "hash_size", 1, most, origin);
  if (kind == "perfect_hash") {
    encoder.fingerprint_bits = number_in(json, "fingerprint_bits", 1, 32, origin);
  }
  if (kind == "qr") {
    QuotientRemainder& rows = encoder.quotient_remainder;
    rows.quotients = number_in(json, "quotients", 1, most, origin);
    rows.remainders = number_in(json, "remainders", 1, most, origin);
    if (rows.rows() > most || rows.quotients > (std::int64_t{1} << 32) / rows.remainders) {
      throw InputError(
          "{}: encoders: quotients and remainders are too many; the manifest is damaged", origin);
    }
  }
  if (const auto collisions = json.find("collisions"); collisions != json.end()) {
    encoder.collisions = {collisions->at("values"), collisions->at("sharing"),
                          collisions->at("rows")};
  }
}

}  // namespace

nlohmann::json FeatureEncoder::to_json() const {
  nlohmann::json json{{"name", name},
                      {"kind", kind_names.at(static_cast<std::size_t>(kind))},
                      {"column", column},
                      {"table", table}};
  switch (kind) {
    case FeatureKind::number:
      json["transform"] = transform;
      json["mean"] = mean;
      json["deviation"] = deviation;
      json["missing_indicator"] = missing_indicator;
      json["boundaries"] = boundaries;
      break;
    case FeatureKind::ids:
      json["separator"] = separator;
      [[fallthrough]];
    case FeatureKind::id:
      json["vocabulary"] = vocabulary_kind;
      json["hash_size"] = hash_size;
      if (max_values > 0) json["max_values"] = max_values;
      if (vocabulary_kind == "perfect_hash") json["fingerprint_bits"] = fingerprint_bits;
      if (vocabulary_kind == "qr") {
        json["quotients"] = quotient_remainder.quotients;
        json["remainders"] = quotient_remainder.remainders;
      }
      if (collisions.values > 0) {
        json["collisions"] = {{"values", collisions.values},
                              {"sharing", collisions.sharing},
                              {"rows", collisions.rows}};
      }
      break;
    case FeatureKind::sequence:
      json["of"] = of;
      json["length"] = length;
      break;
  }
  json["dim"] = dim;
  return json;
}

FeatureEncoder FeatureEncoder::from_json(const nlohmann::json& json, const std::string& origin) {
  try {
    FeatureEncoder encoder;
    encoder.name = json.at("name");
    encoder.kind = kind_of(json.at("kind"), origin);
    encoder.column = json.at("column");
    encoder.table = json.at("table");
    encoder.dim = json.at("dim");
    encoder.transform = json.value("transform", "");
    encoder.mean = json.value("mean", 0.0);
    encoder.deviation = json.value("deviation", 1.0);
    encoder.missing_indicator = json.value("missing_indicator", false);
    encoder.boundaries = json.value("boundaries", std::vector<double>{});
    encoder.separator = json.value("separator", "");
    encoder.vocabulary_kind = json.value("vocabulary", "");
    if (encoder.kind == FeatureKind::id || encoder.kind == FeatureKind::ids) {
      read_vocabulary(encoder, json, origin);
    }
    encoder.of = json.value("of", "");
    encoder.length = json.value("length", std::int64_t{0});
    return encoder;
  } catch (const nlohmann::json::exception& error) {
    throw InputError("{}: encoders: {}; the manifest is damaged", origin, error.what());
  }
}

}  // namespace limber
