#include "limber/serving/http/request.h"

#include <algorithm>

#include "limber/core/base/error.h"
#include "limber/serving/http/response.h"

namespace limber::http {
namespace {

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

int hexadecimal_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  const char letter = lower(digit);
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  return -1;
}

}  // namespace

bool same_name(std::string_view first, std::string_view second) {
  return std::ranges::equal(first, second, {}, lower, lower);
}

std::string_view Request::header(std::string_view name) const {
  for (const NamedText& header : headers) {
    if (same_name(header.name, name)) return header.value;
  }
  return {};
}

std::string Request::path_parameter(std::string_view name) const {
  for (const NamedText& parameter : path_parameters) {
    // The router has decoded it once before it let the request through.
    if (parameter.name == name) return percent_decode(parameter.value).value_or("");
  }
  throw Error("no {{{}}} in the pattern of the route that {} {} took", name, method, path);
}

std::optional<std::string> Request::query_parameter(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    const auto given = percent_decode(pair.substr(0, equals), true);
    if (given != name) continue;
    if (equals == std::string_view::npos) return "";
    auto value = percent_decode(pair.substr(equals + 1), true);
    if (!value) throw HttpError(400, "the query's {} is not percent-encoded", name);
    return value;
  }
  return std::nullopt;
}

Clock::duration Request::remaining() const {
  if (deadline == TimePoint::max()) return Clock::duration::max();
  return std::max(deadline - Clock::now(), Clock::duration::zero());
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hexadecimal_digit(text[i + 1]), low = hexadecimal_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return decoded;
}

}  // namespace limber::http
