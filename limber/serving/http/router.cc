#include "limber/serving/http/router.h"

#include <map>

#include "limber/core/base/error.h"

namespace limber::http {
namespace {

/// The first segment of "a/b/c", and the rest behind its slash.
std::string_view first_segment(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view segment = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
  return segment;
}

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}' &&
         segment.find_first_of("{}", 1) == segment.size() - 1;
}

/// "{id}" -> "id".
std::string_view parameter_name(std::string_view segment) {
  return segment.substr(1, segment.size() - 2);
}

/// Whether every percent sign is followed by two hexadecimal digits.
bool well_encoded(std::string_view path) {
  return path.find('%') == std::string_view::npos || percent_decode(path).has_value();
}

}  // namespace

/// The place that a path has reached, with the segments that may follow.
struct Router::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  std::map<std::string, Route*, std::less<>> routes;  ///< by method
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

Route& Router::add(std::unique_ptr<Route> route) {
  const std::string& pattern = route->pattern;
  if (!pattern.starts_with('/')) throw Error("route {}: a pattern begins with /", pattern);
  if (route->method.empty()) throw Error("route {}: no method", pattern);
  Node* node = root_.get();
  std::string_view rest = pattern;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view segment = first_segment(rest);
    const bool parameter = is_parameter(segment);
    if (!parameter && segment.find_first_of("{}%?#") != std::string_view::npos) {
      throw Error("route {}: a segment is a {{parameter}} or a plain literal", pattern);
    }
    std::unique_ptr<Node>& next =
        parameter ? node->parameter : node->literals[std::string(segment)];
    if (!next) next = std::make_unique<Node>();
    node = next.get();
  }
  if (!node->routes.emplace(route->method, route.get()).second) {
    throw Error("route {} {}: given twice", route->method, pattern);
  }
  routes_.push_back(std::move(route));
  return *routes_.back();
}

const Router::Node* Router::find_node(const Node& node, std::string_view rest,
                                      std::vector<std::string_view>& values) {
  if (rest.empty()) return node.routes.empty() ? nullptr : &node;
  rest.remove_prefix(1);
  const std::string_view segment = first_segment(rest);
  const auto literal = segment.find('%') == std::string_view::npos
                           ? node.literals.find(segment)
                           : node.literals.find(percent_decode(segment).value_or(""));
  if (literal != node.literals.end()) {
    if (const Node* found = find_node(*literal->second, rest, values)) return found;
  }
  // A parameter is never empty: /members/ is not the member without a name.
  if (node.parameter && !segment.empty()) {
    values.push_back(segment);
    if (const Node* found = find_node(*node.parameter, rest, values)) return found;
    values.pop_back();
  }
  return nullptr;
}

Router::Match Router::find(std::string_view method, std::string_view path,
                           std::vector<NamedText>& parameters) const {
  Match match;
  if (!path.starts_with('/')) return match;
  if (!well_encoded(path)) {
    match.malformed = true;
    return match;
  }
  std::vector<std::string_view> values;
  const Node* node = find_node(*root_, path, values);
  if (node == nullptr) return match;
  auto found = node->routes.find(method);
  if (found == node->routes.end() && method == "HEAD") found = node->routes.find("GET");
  if (found == node->routes.end()) {
    for (const auto& [allowed, route] : node->routes) {
      match.allow += (match.allow.empty() ? "" : ", ") + allowed;
      if (allowed == "GET" && !node->routes.contains("HEAD")) match.allow += ", HEAD";
    }
    return match;
  }
  match.route = found->second;
  parameters.clear();
  std::string_view rest = match.route->pattern;
  for (std::size_t i = 0; i < values.size();) {
    rest.remove_prefix(1);
    const std::string_view segment = first_segment(rest);
    if (is_parameter(segment)) parameters.push_back({parameter_name(segment), values[i++]});
  }
  return match;
}

}  // namespace limber::http
