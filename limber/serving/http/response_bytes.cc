#include "limber/serving/http/response_bytes.h"

#include <ctime>
#include <iterator>
#include <string_view>

namespace limber::http {
namespace {

/// The Date header's value; made anew once a second.
std::string_view date() {
  thread_local std::time_t made = 0;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != made) {
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm parts = {};
    gmtime_r(&now, &parts);
    text = fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday], parts.tm_mday,
                       kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                       parts.tm_sec);
    made = now;
  }
  return text;
}

/// A line break would let whoever chose the value write headers, or a response, of their own.
bool safe(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

}  // namespace

void write_head(const Response& response, bool keep_alive, std::string& head) {
  head.clear();
  const auto out = std::back_inserter(head);
  fmt::format_to(out, "HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status,
                 status_text(response.status), date());
  if (!response.content_type.empty() && safe(response.content_type)) {
    fmt::format_to(out, "Content-Type: {}\r\n", response.content_type);
  }
  for (const auto& [name, value] : response.headers) {
    if (safe(name) && safe(value)) fmt::format_to(out, "{}: {}\r\n", name, value);
  }
  // Neither status has content, and a length would be that of another response.
  if (response.status != 204 && response.status != 304) {
    fmt::format_to(out, "Content-Length: {}\r\n", response.content().size());
  }
  head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
}

}  // namespace limber::http
