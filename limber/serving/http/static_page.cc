#include "limber/serving/http/static_page.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>

namespace limber::http {
namespace {

std::string entity_tag(std::string_view content) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(), digest.data());
  std::string tag = "\"";
  for (std::size_t i = 0; i < 16; ++i) tag += fmt::format("{:02x}", digest[i]);
  return tag + "\"";
}

/// If-None-Match is a list of tags, or a star. Weak tags (W/"...") match, too.
bool holds_tag(std::string_view list, std::string_view tag) {
  return list == "*" || list.find(tag) != std::string_view::npos;
}

}  // namespace

Handler static_page(std::string_view content, std::string content_type,
                    std::string content_security_policy) {
  Response page{.status = 200, .content_type = std::move(content_type), .static_body = content};
  const std::string tag = entity_tag(content);
  page.headers = {
      {"ETag", tag}, {"Cache-Control", "no-cache"}, {"X-Content-Type-Options", "nosniff"}};
  if (!content_security_policy.empty()) {
    page.headers.emplace_back("Content-Security-Policy", std::move(content_security_policy));
  }
  Response unchanged{.status = 304, .content_type = "", .headers = page.headers};
  return [page = std::move(page), unchanged = std::move(unchanged), tag](const Request& request) {
    return holds_tag(request.header("If-None-Match"), tag) ? unchanged : page;
  };
}

}  // namespace limber::http
