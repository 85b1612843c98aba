#include "limber/core/config/label_groups.h"

#include <algorithm>
#include <numeric>

namespace limber {

LabelGroups::LabelGroups(const ExpertOptions& options, const std::vector<std::string>& names) {
  if (options.groups.empty()) {
    for (std::size_t l = 0; l < names.size(); ++l) labels.push_back({static_cast<std::int64_t>(l)});
  }
  for (const auto& [group, members] : options.groups) {
    std::vector<std::int64_t>& places = labels.emplace_back();
    for (std::size_t l = 0; l < names.size(); ++l) {
      if (std::find(members.begin(), members.end(), names[l]) != members.end()) {
        places.push_back(static_cast<std::int64_t>(l));
      }
    }
  }
  std::vector<std::int64_t> shared;
  if (options.kind == "mmoe" || options.kind == "ple") {
    shared.resize(static_cast<std::size_t>(options.count));
    std::iota(shared.begin(), shared.end(), 0);
    experts = options.count;
  }
  const std::int64_t own = options.kind == "ple" ? options.own : options.kind == "groups" ? 1 : 0;
  for (std::size_t g = 0; g < labels.size(); ++g) {
    visible.push_back(shared);
    for (std::int64_t e = 0; e < own; ++e) visible.back().push_back(experts++);
  }
}

}  // namespace limber
