#include "limber/serving/http/router.h"

#include <gtest/gtest.h>

#include "limber/core/base/error.h"

namespace limber::http {
namespace {

void add(Router& router, const std::string& method, const std::string& pattern) {
  auto route = std::make_unique<Route>();
  route->method = method;
  route->pattern = pattern;
  router.add(std::move(route));
}

/// "PATTERN name=value ..." of what was found, or "404", "405 ALLOW", "400".
std::string found(const Router& router, std::string_view method, std::string_view path) {
  std::vector<NamedText> parameters;
  const Router::Match match = router.find(method, path, parameters);
  if (match.malformed) return "400";
  if (match.route == nullptr) return match.allow.empty() ? "404" : "405 " + match.allow;
  std::string text = match.route->method + " " + match.route->pattern;
  for (const auto& [name, value] : parameters) {
    text += " " + std::string(name) + "=" + std::string(value);
  }
  return text;
}

TEST(Router, MatchesLiteralsAndParameters) {
  Router router;
  add(router, "GET", "/");
  add(router, "GET", "/members/{id}");
  add(router, "POST", "/v2/models/{name}/versions/{version}/infer");
  EXPECT_EQ(found(router, "GET", "/"), "GET /");
  EXPECT_EQ(found(router, "GET", "/members/17"), "GET /members/{id} id=17");
  EXPECT_EQ(found(router, "GET", "/members/a%2Fb"), "GET /members/{id} id=a%2Fb");
  EXPECT_EQ(found(router, "GET", "/%6dembers/x"), "GET /members/{id} id=x");
  EXPECT_EQ(found(router, "POST", "/v2/models/films/versions/3/infer"),
            "POST /v2/models/{name}/versions/{version}/infer name=films version=3");
  for (const char* path : {"/members", "/members/", "/members/1/", "/members/1/2", "//", "",
                           "members/1", "*", "/v2/models/films/versions/3"}) {
    EXPECT_EQ(found(router, "GET", path), "404") << path;
  }
  EXPECT_EQ(found(router, "GET", "/members/%4"), "400");
  EXPECT_EQ(found(router, "GET", "/members/%zz"), "400");
}

TEST(Router, PrefersALiteralAndComesBackFromIt) {
  Router router;
  add(router, "GET", "/a/b/c");
  add(router, "GET", "/a/{x}/d");
  add(router, "GET", "/{y}/b/e");
  EXPECT_EQ(found(router, "GET", "/a/b/c"), "GET /a/b/c");
  EXPECT_EQ(found(router, "GET", "/a/b/d"), "GET /a/{x}/d x=b");
  EXPECT_EQ(found(router, "GET", "/a/b/e"), "GET /{y}/b/e y=a");
}

TEST(Router, TellsWhichMethodsAreAllowed) {
  Router router;
  add(router, "GET", "/a");
  add(router, "POST", "/a");
  add(router, "DELETE", "/b/{id}");
  add(router, "GET", "/b/{name}");
  EXPECT_EQ(found(router, "PUT", "/a"), "405 GET, HEAD, POST");
  EXPECT_EQ(found(router, "HEAD", "/a"), "GET /a");
  EXPECT_EQ(found(router, "DELETE", "/b/1"), "DELETE /b/{id} id=1");
  EXPECT_EQ(found(router, "GET", "/b/1"), "GET /b/{name} name=1");
}

TEST(Router, RefusesPatternsThatCannotBe) {
  Router router;
  add(router, "GET", "/a/{x}");
  EXPECT_THROW(add(router, "GET", "/a/{y}"), Error);
  for (const char* pattern : {"", "a", "/{", "/{}", "/a{x}", "/{x}y", "/{a{b}}", "/a?b", "/a%20"}) {
    EXPECT_THROW(add(router, "GET", pattern), Error) << pattern;
  }
}

}  // namespace
}  // namespace limber::http
