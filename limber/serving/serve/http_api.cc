#include "limber/serving/serve/http_api.h"

#include <nlohmann/json.hpp>

#include "limber/serving/http/static_page.h"
#include "limber/serving/serve/inference_protocol.h"
#include "limber/serving/serve/rank_endpoint.h"

extern const char limber_console_page[];
extern const unsigned long limber_console_page_size;

namespace limber {
namespace {

/// What the console page needs to begin: the model, and items to rank.
http::Response answer_console(RankingService& service, const ConsoleData& console) {
  const auto model = service.host().current();
  const RequestSchema& schema = model->schema();
  auto items = nlohmann::json::array();
  for (std::size_t i = 0; i < console.keys.size(); ++i) {
    nlohmann::json item{{"key", console.keys[i]}};
    if (i < console.titles.size()) item["title"] = console.titles[i];
    items.push_back(item);
  }
  nlohmann::json answer{
      {"model", model->runtime().name()},
      {"version", model->runtime().version()},
      {"task", schema.name(schema.task())},
      {"labels", model->runtime().layout.labels},
      {"item_key", schema.item_table() < 0
                       ? ""
                       : schema.name(schema.keys()[static_cast<std::size_t>(schema.item_table())])},
      {"items", items}};
  return http::Response::json(
      answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

/// A store that is gone is not the server's fault, and may be back soon.
http::Handler with_store(http::Handler handler) {
  return [handler = std::move(handler)](const http::Request& request) {
    try {
      return handler(request);
    } catch (const StoreUnavailable& error) {
      http::Response response = http::error_response(503, error.what());
      response.headers.emplace_back("Retry-After", "1");
      return response;
    }
  };
}

void add_metrics(http::Server& server, RankingService& service) {
  http::Metrics& metrics = server.metrics();
  metrics.gauge("limber_cached_members", "Members whose vectors are in memory",
                [&service] { return static_cast<double>(service.personaliser().cached()); });
  metrics.gauge("limber_model_reloads", "Versions exchanged since the start",
                [&service] { return static_cast<double>(service.host().figures().reloads); });
  metrics.gauge("limber_model_reload_failures", "Versions that could not be opened",
                [&service] { return static_cast<double>(service.host().figures().failures); });
  metrics.gauge("limber_members_refreshed", "Members adapted in the background", [&service] {
    return static_cast<double>(service.host().figures().members_refreshed);
  });
  metrics.gauge("limber_store_usable", "1 while the member store can be used",
                [&service] { return service.personaliser().store().health().usable ? 1.0 : 0.0; });
}

}  // namespace

void add_endpoints(http::Server& server, RankingService& service, const ConsoleData& console,
                   const ApiLimits& limits) {
  http::RouteOptions json;
  json.consumes = "application/json";
  server.route(
      "POST", "/rank",
      [&service, limits](const http::Request& request) {
        return answer_rank(service, limits, request.body);
      },
      json);
  server.route("POST", "/feedback", with_store([&service, limits](const http::Request& request) {
                 return answer_feedback(service, limits, request.body);
               }),
               json);
  server.route("GET", "/members/{id}", with_store([&service](const http::Request& request) {
                 return answer_member(service, request.path_parameter("id"));
               }));
  server.route("DELETE", "/members/{id}", with_store([&service](const http::Request& request) {
                 service.personaliser().forget(
                     member_name(key_of(std::string_view(request.path_parameter("id")))));
                 return http::Response{204, "", ""};
               }));

  http::RouteOptions vital;
  vital.priority = http::Priority::kVital;
  vital.open = true;
  server.route(
      "GET", "/health/live",
      [](const http::Request&) { return http::Response::json(R"({"live":true})"); }, vital);
  server.route(
      "GET", "/health/ready",
      [&server, &service](const http::Request&) {
        const StoreHealth store = service.personaliser().store().health();
        if (!store.usable) return http::error_response(503, "the store: " + store.reason);
        if (!server.ready()) return http::error_response(503, "not ready");
        return http::Response::json(R"({"ready":true})");
      },
      vital);
  http::RouteOptions metrics;
  metrics.priority = http::Priority::kVital;
  server.route("GET", "/metrics", server.metrics().handler(), metrics);
  add_metrics(server, service);
  add_inference_protocol(server, service, limits);

  server.route("GET", "/console/data", [&service, &console](const http::Request&) {
    return answer_console(service, console);
  });
  http::RouteOptions page;
  page.open = true;
  server.route("GET", "/",
               http::static_page({limber_console_page, limber_console_page_size},
                                 "text/html; charset=utf-8"),
               page);
}

}  // namespace limber
