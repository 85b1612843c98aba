#include "limber/serving/http/response.h"

#include <boost/beast/http/status.hpp>
#include <nlohmann/json.hpp>

namespace limber::http {

Response Response::json(std::string body, unsigned status) {
  return {.status = status, .content_type = "application/json", .body = std::move(body)};
}

Response Response::text(std::string body, unsigned status) {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .body = std::move(body)};
}

Response error_response(unsigned status, std::string_view message) {
  const nlohmann::json error = {{"error", message}};
  return Response::json(error.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                        status);
}

std::string_view status_text(unsigned status) {
  const auto known = boost::beast::http::int_to_status(status);
  const auto text = boost::beast::http::obsolete_reason(known);
  return known == boost::beast::http::status::unknown ? std::string_view("Unknown")
                                                      : std::string_view(text.data(), text.size());
}

}  // namespace limber::http
