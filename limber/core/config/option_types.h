#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace limber {

using Words = std::vector<std::string>;
using Sizes = std::vector<std::int64_t>;

}  // namespace limber
