#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "limber/core/config/config.h"
#include "limber/core/config/constraint_text.h"
#include "limber/core/config/option_list.h"
#include "limber/core/config/yaml_writer.h"

namespace limber {
namespace {

/// "train.seed=1", which is how --set takes it.
std::string assignment(const OptionSection& section, const Option& option) {
  const std::string value = option.required ? "..." : write_flow_yaml(option.default_value);
  return fmt::format("{}={}", join_path(section.path, option.name), value);
}

}  // namespace

std::string options_help() {
  const std::vector<OptionSection> sections = list_options();
  std::size_t width = 0;
  for (const OptionSection& section : sections) {
    for (const Option& option : section.options) {
      width = std::max(width, assignment(section, option).size());
    }
  }
  std::string help = "Options of the config and of --set, with their defaults (... is required):\n";
  auto out = std::back_inserter(help);
  for (const OptionSection& section : sections) {
    if (section.options.empty()) continue;
    if (!section.path.empty()) fmt::format_to(out, "\n{}: {}\n", section.path, section.sentence);
    for (const Option& option : section.options) {
      const std::string allowed = constraint_text(option.constraint);
      fmt::format_to(out, "  {:<{}}  {}{}\n", assignment(section, option), width, option.sentence,
                     allowed.empty() ? "" : " [" + allowed + "]");
    }
  }
  return help;
}

}  // namespace limber
