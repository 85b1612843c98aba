/// Bodies of /rank and /feedback as far as they are read without a model, and the interactions that
/// the store keeps of them.
#include <optional>
#include <utility>
#include <vector>

#include "fuzz/target.h"
#include "limber/core/artifact/strict_json.h"
#include "limber/serving/http/json_reader.h"
#include "limber/serving/http/response.h"
#include "limber/serving/service/field_json.h"

namespace limber::fuzz {
namespace {

using http::JsonType;
using http::JsonValue;
using nlohmann::json;

/// What the features of a model make of a value: a number, a key, a list of keys.
void use(const FieldValue& value) {
  std::string room;
  const auto allow_bad_value = [](auto&& read) {
    try {
      read();
    } catch (const BadValue& bad) {
      expect_one_line(bad.what());
    }
  };
  allow_bad_value([&] { static_cast<void>(number_of(value)); });
  allow_bad_value([&] {
    const Key key = key_of(value, room);
    expect(key.is_number ? key.text.empty() : key.number == 0, "a key is a number or a text");
  });
  allow_bad_value([&] { for_each_key(value, "|", [](const Key&) {}); });
}

/// A whole number must come back to the digit, others to the last bit.
void expect_same(const json& kept, const json& sent) {
  if (sent.is_array()) {
    expect(kept.is_array() && kept.size() == sent.size(), "a list is kept", sent.dump());
    for (std::size_t i = 0; i < sent.size(); ++i) expect_same(kept[i], sent[i]);
    return;
  }
  if (sent.is_number() && kept.is_string()) {
    // Beyond 64 bits ids are known by their digits.
    const auto& digits = kept.get_ref<const std::string&>();
    expect(digits.find_first_not_of("-0123456789") == std::string::npos &&
               std::strtod(digits.c_str(), nullptr) == sent.get<double>(),
           "a long whole number keeps its digits", digits);
    return;
  }
  const bool whole = sent.is_number_integer() &&
                     (!sent.is_number_unsigned() || sent.get<std::uint64_t>() <= INT64_MAX);
  expect(!whole || kept.is_number_integer(), "a whole number stays one", sent.dump());
  expect(kept == sent, "a field is kept as it was sent", sent.dump());
}

/// An interaction as the store keeps it, and as it was sent.
struct Kept {
  std::string line;
  const json* sent;
};

const std::vector<std::pair<std::string, double>> kLabels = {{"like", 1.0}, {"share", 0.0}};

bool is_apart(std::string_view key) {
  return key == "event_id" || key == "time_ms" || key == "labels";
}

/// What the store keeps must read back as it was sent.
void check_kept(const Kept& interaction) {
  const std::string& line = interaction.line;
  expect(line.find('\n') == std::string::npos, "an interaction is one line", line);
  const json kept = parse_strict_json(line, "kept");
  for (const auto& [key, value] : interaction.sent->items()) {
    if (!is_apart(key)) expect_same(kept.at(key), value);
  }
  http::read_json(line, [&](JsonValue& root) {
    NamedFields again;
    root.object([&](std::string_view key, JsonValue& value) {
      if (!is_apart(key)) again.emplace_back(std::string(key), read_field(value));
    });
    expect(to_json(again, kLabels) == line, "what is kept twice is as what is kept once", line);
  });
}

Kept read_interaction(JsonValue& value, const json& sent) {
  NamedFields fields;
  value.object([&](std::string_view key, JsonValue& field) {
    if (key == "event_id") {
      static_cast<void>(field.id());
    } else if (key == "time_ms") {
      static_cast<void>(field.integer());
    } else if (key == "labels") {
      field.object([](std::string_view, JsonValue& given) { static_cast<void>(given.number()); });
    } else {
      fields.emplace_back(std::string(key), read_field(field));
      use(fields.back().second);
    }
  });
  return {to_json(fields, kLabels), &sent};
}

/// `sent` is the whole body as another parser reads it. What the store keeps is added to `kept`.
void read_body(JsonValue& root, const json& sent, std::vector<Kept>& kept) {
  root.object([&](std::string_view key, JsonValue& value) {
    if (key == "member") {
      use(read_field(value));
    } else if (key == "label") {
      static_cast<void>(value.string());
    } else if (key == "limit") {
      static_cast<void>(value.integer());
    } else if (key == "context") {
      for (const auto& [name, field] : read_all_fields(value)) use(field);
    } else if (key == "candidates") {
      value.array([](JsonValue& candidate) {
        if (candidate.type() == JsonType::kObject) {
          for (const auto& [name, field] : read_all_fields(candidate)) use(field);
        } else {
          use(read_field(candidate));
        }
      });
    } else if (key == "interaction") {
      kept.push_back(read_interaction(value, sent.at("interaction")));
    } else if (key == "interactions") {
      std::size_t place = 0;
      value.array([&](JsonValue& one) {
        kept.push_back(read_interaction(one, sent.at("interactions").at(place++)));
      });
    } else {
      value.fail_unknown({"member", "candidates", "context", "label", "limit", "interactions"});
    }
  });
}

}  // namespace
}  // namespace limber::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace limber;
  using namespace limber::fuzz;
  const std::string text = text_of(data, size);
  std::optional<nlohmann::json> sent;
  if (!accepts([&] { sent = parse_strict_json(text, "body"); })) return 0;
  std::vector<Kept> kept;
  try {
    http::read_json(text, [&](http::JsonValue& root) { read_body(root, *sent, kept); });
  } catch (const http::HttpError& error) {
    expect(error.status() == 400, "a bad body is the client's fault", error.what());
    expect_one_line(error.what());
    std::string quoted;
    append_json_text(error.what(), quoted);
    expect(nlohmann::json::accept(quoted), "a message can be answered", quoted);
  }
  for (const Kept& interaction : kept) check_kept(interaction);
  return 0;
}
