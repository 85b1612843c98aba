// What Connection decides once it has read a request's head: whether it will have the rest.
#include <algorithm>
#include <charconv>

#include "limber/serving/http/connection.h"

namespace limber::http {
namespace {

namespace beast_http = boost::beast::http;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

/// "/path" of "/path?query" and of "http://host/path?query"; the query goes to `query`.
std::string_view path_of(std::string_view target, std::string_view& query) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!same_name(target.substr(0, scheme.size()), scheme)) continue;
    const std::size_t slash = target.find_first_of("/?", scheme.size());
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
    break;
  }
  const std::size_t mark = target.find('?');
  query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  return target.substr(0, mark);
}

/// "application/json" of "Application/JSON; charset=utf-8" is that of the route.
bool same_media_type(std::string_view given, std::string_view wanted) {
  given = given.substr(0, given.find(';'));
  while (given.ends_with(' ') || given.ends_with('\t')) given.remove_suffix(1);
  return same_name(given, wanted);
}

std::size_t count_of(const Request& request, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count_if(
      request.headers, [&](const NamedText& header) { return same_name(header.name, name); }));
}

}  // namespace

std::optional<Response> Connection::judge() {
  const auto& message = parser_->get();
  keep_alive_ = message.keep_alive();
  head_ = Request();
  head_.arrival = arrival_;
  head_.method = view(message.method_string());
  head_.path = path_of(view(message.target()), head_.query);
  head_.headers.reserve(16);
  for (const auto& field : message) {
    head_.headers.push_back({view(field.name_string()), view(field.value())});
  }
  is_head_ = head_.method == "HEAD";

  Router::Match match = core_->router.find(head_.method, head_.path, head_.path_parameters);
  route_ = match.route;
  if (message.version() >= 11 && count_of(head_, "Host") != 1) {
    keep_alive_ = false;
    return error_response(400, "a request has one Host header");
  }
  // A body whose end the two sides see in different places is how requests are smuggled.
  if (const std::string_view coding = head_.header("Transfer-Encoding");
      !coding.empty() && (!same_name(coding, "chunked") || message.version() < 11)) {
    keep_alive_ = false;
    return error_response(501, "of transfer codings this server knows chunked");
  }
  if ((route_ == nullptr || !route_->options.open) &&
      !core_->token.admits(head_.header("Authorization"))) {
    Response response = error_response(401, "give the header Authorization: Bearer TOKEN");
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
  }
  if (match.malformed) return error_response(400, "the path is not percent-encoded");
  if (route_ == nullptr && match.allow.empty()) return error_response(404, "no such path");
  if (route_ == nullptr) {
    Response response = error_response(405, "this path allows " + match.allow);
    response.headers.emplace_back("Allow", std::move(match.allow));
    return response;
  }
  if (auto refusal = judge_body()) return refusal;
  return judge_deadline();
}

std::optional<Response> Connection::judge_body() {
  const RouteOptions& options = route_->options;
  const bool has_length = parser_->content_length().has_value() || parser_->chunked();
  if (!options.consumes.empty()) {
    if (!has_length) return error_response(411, "give the header Content-Length");
    if (!parser_->is_done() && !same_media_type(head_.header("Content-Type"), options.consumes)) {
      return error_response(415, "give the body as " + options.consumes);
    }
  }
  if (const std::string_view coding = head_.header("Content-Encoding");
      !coding.empty() && !same_name(coding, "identity") && !parser_->is_done()) {
    return error_response(415, "give the body without a content coding");
  }
  if (const auto length = parser_->content_length(); length && *length > *options.body_limit) {
    return error_response(
        413, fmt::format("the body has {} bytes, and may have {}", *length, *options.body_limit));
  }
  if (const std::string_view expected = head_.header("Expect");
      !expected.empty() && !same_name(expected, "100-continue")) {
    return error_response(417, "of expectations this server meets 100-continue");
  }
  return std::nullopt;
}

std::optional<Response> Connection::judge_deadline() {
  std::chrono::milliseconds allowed = *route_->options.deadline;
  if (const std::string_view asked = head_.header("X-Request-Timeout-Ms"); !asked.empty()) {
    std::uint32_t milliseconds = 0;
    const auto [end, code] =
        std::from_chars(asked.data(), asked.data() + asked.size(), milliseconds);
    if (code != std::errc() || end != asked.data() + asked.size() || milliseconds == 0) {
      return error_response(400, "X-Request-Timeout-Ms is a positive number of milliseconds");
    }
    const std::chrono::milliseconds wanted(milliseconds);
    allowed = allowed.count() == 0 ? wanted : std::min(allowed, wanted);
  }
  if (allowed.count() > 0) head_.deadline = arrival_ + allowed;
  return std::nullopt;
}

std::size_t Connection::body_reserve() const {
  if (parser_->chunked()) return *route_->options.body_limit;
  return static_cast<std::size_t>(parser_->content_length().value_or(0));
}

}  // namespace limber::http
