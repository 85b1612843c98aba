#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "limber/core/config/options.h"

namespace limber {

/// What an ExpertOptions means for a list of labels; training builds it, serving reads it back.
struct LabelGroups {
  /// `names`: of the labels, in the order of the logits.
  LabelGroups(const ExpertOptions& options, const std::vector<std::string>& names);

  std::vector<std::vector<std::int64_t>> labels;   ///< by group, in the order of the groups' names
  std::int64_t experts = 0;                        ///< how many there are
  std::vector<std::vector<std::int64_t>> visible;  ///< by group: the experts that it sees
};

}  // namespace limber
