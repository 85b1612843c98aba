#include "limber/training/evaluate/report_schema.h"

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>

#include "limber/core/base/error.h"

namespace limber {
namespace {

using Json = nlohmann::json;

struct Key {
  std::string_view name;
  Json::value_t type;
  bool required = false;
};

constexpr auto text = Json::value_t::string;
constexpr auto list = Json::value_t::array;
constexpr auto object = Json::value_t::object;
constexpr auto flag = Json::value_t::boolean;

void check_object(const Json& json, const std::string& place, std::initializer_list<Key> keys) {
  if (!json.is_object()) throw Error("{}: expected an object", place);
  for (const auto& [name, value] : json.items()) {
    const Key* known = nullptr;
    for (const Key& key : keys) {
      if (key.name == name) known = &key;
    }
    if (known == nullptr) throw Error("{}.{}: unknown key", place, name);
    if (value.type() != known->type) {
      throw Error("{}.{}: expected {}", place, name, Json(known->type).type_name());
    }
  }
  for (const Key& key : keys) {
    if (key.required && !json.contains(key.name)) {
      throw Error("{}.{}: missing", place, key.name);
    }
  }
}

/// Calls check(element, place) for each element of json[key], where that is present.
template <class Check>
void each(const Json& json, const std::string& place, const char* key, Check&& check) {
  if (!json.contains(key)) return;
  for (std::size_t i = 0; i < json[key].size(); ++i) {
    check(json[key][i], fmt::format("{}.{}[{}]", place, key, i));
  }
}

void check_number(const Json& json, const std::string& place) {
  if (!json.is_number() && !json.is_null()) throw Error("{}: expected a number", place);
}

void check_metrics(const Json& metrics, const std::string& place) {
  for (const auto& [name, metric] : metrics.items()) {
    if (!metric.is_object()) {
      check_number(metric, place + "." + name);
      continue;
    }
    for (const auto& [key, value] : metric.items()) {
      if (key != "value" && key != "low" && key != "high") {
        throw Error("{}.{}.{}: unknown key", place, name, key);
      }
      check_number(value, fmt::format("{}.{}.{}", place, name, key));
    }
  }
}

void check_slice(const Json& slice, const std::string& place) {
  if (!slice.is_object()) throw Error("{}: expected an object", place);
  for (const char* key : {"label", "from", "metrics"}) {
    if (!slice.contains(key)) throw Error("{}.{}: missing", place, key);
  }
  if (!slice["label"].is_string()) throw Error("{}.label: expected string", place);
  if (!slice["from"].is_number()) throw Error("{}.from: expected a number", place);
  check_metrics(slice["metrics"], place + ".metrics");
}

void check_bin(const Json& bin, const std::string& place) {
  if (!bin.is_object()) throw Error("{}: expected an object", place);
  for (const char* key : {"predicted", "observed", "rows"}) {
    if (!bin.contains(key)) throw Error("{}.{}: missing", place, key);
    check_number(bin[key], place + "." + key);
  }
}

void check_model(const Json& model, const std::string& place) {
  check_object(model, place,
               {{"name", text, true},
                {"note", text},
                {"highlight", flag},
                {"metrics", object},
                {"support", list},
                {"activity", list},
                {"reliability", list}});
  if (model.contains("metrics")) check_metrics(model["metrics"], place + ".metrics");
  each(model, place, "support", check_slice);
  each(model, place, "activity", check_slice);
  each(model, place, "reliability", check_bin);
}

void check_protocol(const Json& protocol, const std::string& place) {
  check_object(protocol, place,
               {{"name", text, true},
                {"description", text},
                {"models", list, true},
                {"differences", object}});
  std::set<std::string> names;
  each(protocol, place, "models", [&](const Json& model, const std::string& at) {
    check_model(model, at);
    if (!names.insert(model["name"].get<std::string>()).second) {
      throw Error("{}.name: {} is there twice", at, model["name"].get<std::string>());
    }
  });
  if (!protocol.contains("differences")) return;
  const std::string at = place + ".differences";
  check_object(protocol["differences"], at, {{"baseline", text, true}, {"models", list, true}});
  each(protocol["differences"], at, "models", check_model);
}

void check_chart(const Json& chart, const std::string& place) {
  check_object(
      chart, place,
      {{"title", text, true}, {"x_label", text}, {"y_label", text}, {"series", list, true}});
  each(chart, place, "series", [](const Json& series, const std::string& at) {
    check_object(series, at, {{"name", text, true}, {"points", list, true}});
    each(series, at, "points", [](const Json& point, const std::string& here) {
      if (!point.is_array() || point.size() != 2) {
        throw Error("{}: expected [x, y]", here);
      }
      if (!point[0].is_number()) throw Error("{}[0]: expected a number", here);
      check_number(point[1], here + "[1]");
    });
  });
}

void check_text(const Json& json, const std::string& place) {
  if (!json.is_string()) throw Error("{}: expected string", place);
}

}  // namespace

void check_report(const nlohmann::json& report) {
  const std::string root = "report";
  check_object(report, root,
               {{"title", text, true},
                {"lead", text},
                {"summary", list},
                {"intervals", text},
                {"protocols", list},
                {"training", list},
                {"notes", list}});
  each(report, root, "summary", [](const Json& entry, const std::string& place) {
    check_object(entry, place, {{"label", text, true}, {"value", text, true}});
  });
  each(report, root, "protocols", check_protocol);
  each(report, root, "training", check_chart);
  each(report, root, "notes", check_text);
}

}  // namespace limber
