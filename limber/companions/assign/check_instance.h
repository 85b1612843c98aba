#pragma once

#include "limber/companions/assign/read_instance.h"

namespace limber::assign {

/// Throws an InputError, with file and row where there is one, when what was read cannot be solved:
/// no assignment fills every position, or a fitness is beyond what can be resolved beside the
/// others.
void check_instance(const ReadInstance& read, const InstanceFiles& files);

}  // namespace limber::assign
