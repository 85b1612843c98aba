#pragma once

#include <vector>

#include "limber/core/config/options.h"
#include "limber/core/data/encoder.h"

namespace limber {

/// Throws InputError unless the interactions of `data` have every column that a model with these
/// encoders reads of them: task, time, weight, labels, features, keys of side tables. For readers
/// that take what is there; the data set's builder asks for each as it comes to it.
void check_log_columns(const DataOptions& data, const std::vector<FeatureEncoder>& encoders);

}  // namespace limber
