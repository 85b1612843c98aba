#pragma once

#include <cstdint>

#include "limber/core/data/dataset.h"

namespace limber {

/// Throws InputError that names data.weight where `part` (validation or test) has rows to be scored
/// but all of them weigh 0, so that no metric is defined on them. `support_limit` is meta.support:
/// with a split by members it says which of a member's rows are scored. Reads every weight of the
/// part until one is above 0.
void check_part_weights(const Dataset& dataset, Part part, std::int64_t support_limit);

}  // namespace limber
