#include "limber/serving/store/redis_address.h"

#include <charconv>

#include "limber/core/base/error.h"

namespace limber {

namespace {

constexpr std::string_view kScheme = "redis://";

[[noreturn]] void fail(std::string_view what) {
  throw InputError("store: redis://[:PASSWORD@]HOST[:PORT][/DB]: {}", what);
}

int whole_number(std::string_view text, int least, int most, std::string_view what) {
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    fail(fmt::format("the {} is \"{}\"; expected {} to {}", what, text, least, most));
  }
  return value;
}

std::string decode_percent(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    unsigned char byte = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || failed != std::errc() || end != digits.data() + 2) {
      fail("a % in user or password is not followed by two hexadecimal digits; write it as %25");
    }
    result += static_cast<char>(byte);
    i += 2;
  }
  return result;
}

}  // namespace

RedisAddress RedisAddress::parse(std::string_view url) {
  if (!url.starts_with(kScheme)) fail("it does not begin so");
  url.remove_prefix(kScheme.size());
  RedisAddress address;
  if (const auto at = url.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = url.substr(0, at);
    const auto colon = login.find(':');
    if (colon == std::string_view::npos) fail("before the @ stands no :PASSWORD");
    address.user = decode_percent(login.substr(0, colon));
    address.password = decode_percent(login.substr(colon + 1));
    if (address.password.empty()) fail("the password is empty");
    url.remove_prefix(at + 1);
  }
  if (const auto slash = url.find('/'); slash != std::string_view::npos) {
    const std::string_view database = url.substr(slash + 1);
    if (!database.empty()) address.database = whole_number(database, 0, 1 << 20, "DB");
    url = url.substr(0, slash);
  }
  std::string_view port;
  if (url.starts_with('[')) {
    const auto end = url.find(']');
    if (end == std::string_view::npos) fail("the ] of the HOST is missing");
    address.host = url.substr(1, end - 1);
    port = url.substr(end + 1);
    if (!port.empty() && port.front() != ':') fail("after the HOST's ] comes no :PORT");
  } else {
    const auto colon = url.find(':');
    address.host = url.substr(0, colon);
    if (colon != std::string_view::npos) port = url.substr(colon);
  }
  if (address.host.empty()) fail("the HOST is missing");
  if (!port.empty()) address.port = whole_number(port.substr(1), 1, 65535, "PORT");
  return address;
}

std::string RedisAddress::without_password() const {
  const bool numeric = host.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(numeric ? "redis://[{}]:{}/{}" : "redis://{}:{}/{}"), host, port,
                     database);
}

std::string store_without_password(std::string_view url) {
  return url.starts_with("redis:") ? RedisAddress::parse(url).without_password() : std::string(url);
}

}  // namespace limber
