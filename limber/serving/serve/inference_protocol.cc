#include "limber/serving/serve/inference_protocol.h"

#include <algorithm>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>

#include "limber/core/base/nearest_word.h"
#include "limber/core/base/one_line.h"

namespace limber {
namespace {

const InferenceTensor& find_task(const ServedModel& model,
                                 const std::vector<InferenceTensor>& inputs) {
  const std::string& task = model.schema().name(model.schema().task());
  for (const InferenceTensor& input : inputs) {
    if (input.name == task) return input;
  }
  throw InputError("inputs: '{}' is missing, which says whose row each is", task);
}

/// Throws HttpError 404 unless the path names the model that is served, and its version if any.
std::shared_ptr<const ServedModel> named_model(RankingService& service,
                                               const http::Request& request, bool versioned) {
  auto model = service.host().current();
  const std::string name = request.path_parameter("name");
  if (name != model->runtime().name()) {
    throw http::HttpError(404, "no model is named '{}'; this server serves '{}'", name,
                          model->runtime().name());
  }
  if (versioned && request.path_parameter("version") != model->runtime().version()) {
    throw http::HttpError(404, "version {} is not served; version {} is",
                          request.path_parameter("version"), model->runtime().version());
  }
  return model;
}

nlohmann::json metadata(const ServedModel& model) {
  auto inputs = nlohmann::json::array(), outputs = nlohmann::json::array();
  for (const InferenceColumn& column : inference_columns(model)) {
    inputs.push_back({{"name", column.name}, {"datatype", column.datatype}, {"shape", {-1}}});
  }
  for (const std::string& label : model.runtime().layout.labels) {
    outputs.push_back({{"name", label}, {"datatype", "FP32"}, {"shape", {-1}}});
  }
  return {{"name", model.runtime().name()},
          {"versions", {model.runtime().version()}},
          {"platform", "limber"},
          {"inputs", inputs},
          {"outputs", outputs}};
}

struct InferenceBody {
  std::string id;
  std::vector<InferenceTensor> inputs;
  std::vector<std::string> outputs;
};

InferenceTensor read_input(http::JsonValue& value) {
  InferenceTensor tensor;
  std::vector<std::int64_t> shape;
  bool has_data = false;
  value.object([&](std::string_view key, http::JsonValue& field) {
    if (key == "name") {
      tensor.name = field.string();
    } else if (key == "shape") {
      shape = field.integers();
    } else if (key == "data") {
      field.array([&](http::JsonValue& element) { tensor.values.push_back(read_field(element)); });
      has_data = true;
    }
  });
  if (!has_data) value.fail("\"data\" is missing; binary tensors are not read over HTTP");
  // [rows] or [rows, 1].
  if (shape.empty() || shape[0] != static_cast<std::int64_t>(tensor.values.size()) ||
      std::any_of(shape.begin() + 1, shape.end(), [](std::int64_t size) { return size != 1; })) {
    value.fail("\"shape\" must be [rows] or [rows, 1], with as many rows as \"data\" has values");
  }
  return tensor;
}

http::Response answer_infer(RankingService& service, const ServedModel& model,
                            const ApiLimits& limits, const http::Request& request) {
  InferenceBody body;
  std::vector<InferenceOutput> outputs;
  // Members are adapted before, so that no other document is read while this one is open.
  std::deque<std::string> texts;
  http::read_json(request.body, [&](http::JsonValue& root) {
    root.object([&](std::string_view key, http::JsonValue& value) {
      if (key == "id") {
        body.id = value.string();
      } else if (key == "inputs") {
        value.array([&](http::JsonValue& input) { body.inputs.push_back(read_input(input)); });
      } else if (key == "outputs") {
        value.array([&](http::JsonValue& output) {
          output.object([&](std::string_view name, http::JsonValue& field) {
            if (name == "name") body.outputs.emplace_back(field.string());
          });
        });
      }
    });
    // The document's texts end with it; the values' views must not. A deque's elements stay put.
    const auto keep = [&](FieldValue& value) {
      if (value.kind == FieldValue::Kind::kText) value.text = texts.emplace_back(value.text);
    };
    for (InferenceTensor& input : body.inputs) {
      for (FieldValue& value : input.values) {
        keep(value);
        for (FieldValue& element : value.list) keep(element);
      }
    }
  });
  const auto& labels = model.runtime().layout.labels;
  for (const std::string& name : body.outputs) {
    if (std::find(labels.begin(), labels.end(), name) == labels.end()) {
      throw InputError("outputs: the model has no label '{}'{}", one_short_line(name, 100),
                       did_you_mean(name, labels));
    }
  }
  try {
    outputs = infer(service, model, limits, body.inputs,
                    [&] { return request.remaining() > http::Clock::duration::zero(); });
  } catch (const NobodyWaits& late) {
    throw http::HttpError(504, "{}", late.what());
  }
  auto json = nlohmann::json::array();
  for (const InferenceOutput& output : outputs) {
    if (!body.outputs.empty() &&
        std::find(body.outputs.begin(), body.outputs.end(), output.name) == body.outputs.end()) {
      continue;
    }
    json.push_back({{"name", output.name},
                    {"datatype", "FP32"},
                    {"shape", {output.values.size()}},
                    {"data", output.values}});
  }
  nlohmann::json answer{{"model_name", model.runtime().name()},
                        {"model_version", model.runtime().version()},
                        {"outputs", json}};
  if (!body.id.empty()) answer["id"] = body.id;
  return http::Response::json(
      answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace

std::vector<InferenceColumn> inference_columns(const ServedModel& model) {
  std::vector<InferenceColumn> columns;
  const RequestSchema& schema = model.schema();
  std::map<std::string, std::string> types;
  for (std::size_t f = 0; f < model.runtime().encoders.size(); ++f) {
    const FeatureEncoder& encoder = model.runtime().encoders[f];
    if (encoder.kind == FeatureKind::sequence || !encoder.table.empty()) continue;
    types[encoder.column] = encoder.kind == FeatureKind::number ? "FP32" : "BYTES";
  }
  for (const std::size_t key : schema.keys()) types[schema.name(key)] = "BYTES";
  types[schema.name(schema.task())] = "BYTES";
  for (const auto& [name, type] : types) columns.push_back({name, type});
  return columns;
}

std::vector<InferenceOutput> infer(RankingService& service, const ServedModel& model,
                                   const ApiLimits& limits,
                                   const std::vector<InferenceTensor>& inputs,
                                   const std::function<bool()>& wanted) {
  const RequestSchema& schema = model.schema();
  const InferenceTensor& task = find_task(model, inputs);
  const std::size_t rows = task.values.size();
  if (rows > limits.most_candidates) {
    throw InputError("inputs: {} rows; at most {} are scored at once", rows,
                     limits.most_candidates);
  }
  std::vector<std::pair<std::size_t, const InferenceTensor*>> columns;
  for (const InferenceTensor& input : inputs) {
    if (input.values.size() != rows) {
      throw InputError("inputs: '{}' has {} rows, '{}' has {}", one_short_line(input.name, 100),
                       input.values.size(), task.name, rows);
    }
    const int column = schema.find(input.name);
    if (column < 0) {
      throw InputError("inputs: the model reads no column '{}'{}", one_short_line(input.name, 100),
                       did_you_mean(input.name, schema.names()));
    }
    columns.emplace_back(static_cast<std::size_t>(column), &input);
  }
  // Rows of one member are scored together.
  std::map<std::string, std::vector<std::size_t>> members;
  std::string room;
  for (std::size_t i = 0; i < rows; ++i) {
    try {
      members[member_name(key_of(task.values[i], room))].push_back(i);
    } catch (const BadValue& bad) {
      throw InputError("inputs: {}[{}]: {}", task.name, i, bad.what());
    }
  }
  std::vector<InferenceOutput> outputs;
  for (const std::string& label : model.runtime().layout.labels) {
    outputs.push_back({label, std::vector<float>(rows)});
  }
  for (const auto& [member, places] : members) {
    if (!wanted()) throw NobodyWaits();
    const auto bench = model.borrow();
    bench->candidates.restart();
    for (const std::size_t i : places) {
      FieldRow row(schema);
      for (const auto& [column, input] : columns) row[column] = input->values[i];
      row[schema.task()] = FieldValue::of(std::string_view(member));
      try {
        bench->candidates.add(row);
      } catch (const BadField& bad) {
        throw InputError("inputs: {}[{}]: {}", bad.column(), i, bad.what());
      }
    }
    const Ranking ranking = service.rank(model, *bench, member, "", 0, /*explore=*/false);
    for (const RankedCandidate& candidate : ranking.order) {
      for (std::size_t l = 0; l < outputs.size(); ++l) {
        outputs[l].values[places[candidate.index]] = candidate.scores[l];
      }
    }
  }
  return outputs;
}

void add_inference_protocol(http::Server& server, RankingService& service,
                            const ApiLimits& limits) {
  const auto ready = [&server, &service](const http::Request&) {
    const bool yes = server.ready() && service.personaliser().store().health().usable;
    return http::Response::json(yes ? R"({"ready":true})" : R"({"ready":false})", yes ? 200 : 503);
  };
  http::RouteOptions vital;
  vital.priority = http::Priority::kVital;
  // Balancers ask without the token; the answer is a yes or a no.
  http::RouteOptions health = vital;
  health.open = true;
  server.route("GET", "/v2", [](const http::Request&) {
    return http::Response::json(R"({"name":"limber","version":"0.1.0","extensions":[]})");
  });
  server.route(
      "GET", "/v2/health/live",
      [](const http::Request&) { return http::Response::json(R"({"live":true})"); }, health);
  server.route("GET", "/v2/health/ready", ready, health);
  for (const bool versioned : {false, true}) {
    const std::string path =
        versioned ? "/v2/models/{name}/versions/{version}" : "/v2/models/{name}";
    server.route("GET", path, [&service, versioned](const http::Request& request) {
      return http::Response::json(metadata(*named_model(service, request, versioned)).dump());
    });
    server.route(
        "GET", path + "/ready",
        [&service, versioned, ready](const http::Request& request) {
          named_model(service, request, versioned);
          return ready(request);
        },
        vital);
    http::RouteOptions options;
    options.consumes = "application/json";
    server.route(
        "POST", path + "/infer",
        [&service, limits, versioned](const http::Request& request) {
          const auto model = named_model(service, request, versioned);
          return answer_infer(service, *model, limits, request);
        },
        options);
  }
}

}  // namespace limber
