#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace limber::http {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

/// A header, or a parameter of the path, as it was sent.
struct NamedText {
  std::string_view name;
  std::string_view value;
};

/// What a client asked for. All views belong to the server and live as long as the request: until
/// the handler has returned, or, for an asynchronous one, until its last Responder is gone.
struct Request {
  std::string_view method;  ///< as sent: "GET"
  std::string_view path;    ///< as sent (percent-encoded), without the query
  std::string_view query;   ///< as sent, without the question mark
  std::string_view body;
  std::vector<NamedText> headers;          ///< in the order in which they were sent
  std::vector<NamedText> path_parameters;  ///< those in {braces} of the route's pattern
  TimePoint arrival;                       ///< when its first byte was seen
  TimePoint deadline = TimePoint::max();   ///< after this the client is told to come again

  /// The first header of that name, whatever the case of its letters; empty when there is none.
  std::string_view header(std::string_view name) const;

  /// The decoded value of {name} in the route's pattern. Throws Error when the pattern has none.
  std::string path_parameter(std::string_view name) const;

  /// The decoded value of the first `name=value` of the query. Throws HttpError 400 when it is not
  /// percent-encoded as it should be.
  std::optional<std::string> query_parameter(std::string_view name) const;

  /// Time left before the deadline; zero once it has passed.
  Clock::duration remaining() const;
};

/// Decodes %41 into A and, with `plus_is_space`, + into a space. Nothing when a percent sign is not
/// followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

/// Whether two names of headers are the same: ASCII letters in any case.
bool same_name(std::string_view first, std::string_view second);

}  // namespace limber::http
