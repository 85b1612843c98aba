#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "limber/serving/http/route.h"

namespace limber::http {

/// Finds the route for a method and a path. Patterns form a tree of segments; at each a literal is
/// preferred to a parameter, and where that leads nowhere the parameter is tried.
class Router {
 public:
  Router();
  ~Router();

  /// Throws Error for a pattern that is malformed, or that was added for this method before (names
  /// of parameters make no difference).
  Route& add(std::unique_ptr<Route> route);

  struct Match {
    Route* route = nullptr;  ///< none: no route for this path, or none for this method
    std::string allow;       ///< "GET, HEAD" when the path exists for other methods; else empty
    bool malformed = false;  ///< the path is not percent-encoded as it should be
  };
  /// `parameters` gets the values as they stand in `path` and the names as they stand in the
  /// route's pattern. HEAD takes the route of GET when it has none of its own.
  Match find(std::string_view method, std::string_view path,
             std::vector<NamedText>& parameters) const;

  const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

 private:
  struct Node;
  static const Node* find_node(const Node& node, std::string_view rest,
                               std::vector<std::string_view>& values);

  std::unique_ptr<Node> root_;
  std::vector<std::unique_ptr<Route>> routes_;
};

}  // namespace limber::http
