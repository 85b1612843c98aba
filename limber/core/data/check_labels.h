#pragma once

#include "limber/core/data/dataset.h"

namespace limber {

/// Throws InputError where nothing can be learned of a label from the training rows: none has it,
/// all have the same, or all weigh 0.
void check_labels(const Dataset& dataset);

}  // namespace limber
