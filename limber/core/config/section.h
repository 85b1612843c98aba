#pragma once

#include <map>
#include <string>
#include <vector>

namespace limber {

struct AnyVisitor {
  template <class... Arguments>
  void operator()(Arguments&&...) {}
};

/// A struct of options.
template <class T>
concept Section = requires(T& options, AnyVisitor& visit) {
  options.describe(visit);
};

/// The names that a section declares, in order.
template <Section T>
std::vector<std::string> option_names(T& section) {
  std::vector<std::string> names;
  auto collect = [&names](const char* name, const auto&...) { names.emplace_back(name); };
  section.describe(collect);
  return names;
}

}  // namespace limber
