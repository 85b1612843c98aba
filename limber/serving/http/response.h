#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "limber/core/base/error.h"

namespace limber::http {

/// What a handler answers. Date, Content-Length and Connection are the server's business.
struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";  ///< empty: no such header
  std::string body = {};
  /// Sent in place of `body` when not empty, without a copy; must outlive the server.
  std::string_view static_body = {};
  /// Others, such as {"Retry-After", "1"}. One with a line break in it is left out.
  std::vector<std::pair<std::string, std::string>> headers = {};

  std::string_view content() const { return static_body.empty() ? body : static_body; }

  static Response json(std::string body, unsigned status = 200);
  static Response text(std::string body, unsigned status = 200);
};

/// Thrown by a handler to answer with that status and {"error": "the message"}. What else may be
/// thrown: InputError answers 400 with its message; anything else is logged and answers 500
/// without it.
class HttpError : public InputError {
 public:
  template <class... Arguments>
  explicit HttpError(unsigned status, fmt::format_string<Arguments...> format,
                     Arguments&&... arguments)
      : InputError(fmt::format(format, std::forward<Arguments>(arguments)...)), status_(status) {}

  unsigned status() const { return status_; }

 private:
  unsigned status_;
};

/// {"error": "message"}; bytes that are not UTF-8 are replaced.
Response error_response(unsigned status, std::string_view message);

/// "Not Found" for 404; "Unknown" for a status that HTTP does not know.
std::string_view status_text(unsigned status);

}  // namespace limber::http
