#pragma once

#include <cstdint>
#include <string>

namespace limber {

/// Factor on the learning rate at a step: rises linearly over the first `warm_up` share of all
/// steps, then stays (constant), or falls to zero at the last step in a line (linear) or along a
/// half cosine (cosine).
double learning_rate_factor(const std::string& schedule, double warm_up, std::int64_t step,
                            std::int64_t all_steps);

}  // namespace limber
