#pragma once

#include <cstdint>
#include <string>

#include "limber/core/config/options.h"

namespace limber {

/// What to tell the user before training a model that personalises on a log of few members: too
/// few outer steps will be made, or awaited before early stopping, for the meta block to learn
/// anything, and the options that give it more. "" where there are enough, or where the options
/// are as good as they get for a log of that size: who follows the hint does not get it again.
/// `tasks` is the number of members with an episode, those with two training rows or more.
std::string small_log_hint(const Config& config, std::int64_t tasks);

}  // namespace limber
