#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "limber/core/data/dataset.h"
#include "limber/serving/runtime/runtime_model.h"

namespace limber {

/// logits [rows, labels] of the main model for the rows of a data set that was encoded for it, each
/// row's member adapted to rows of theirs before it, the latest `meta.support` of them. So no row
/// sees its own label. A member is adapted anew whenever a quarter as many rows as lie before have
/// come; the last few before a row may thus be left out.
///
/// Rows earlier than `first_time` are not scored (NaN) but adapted to; without times all are
/// scored. `threads` divide the members. Throws Error when a stop is asked for.
std::vector<float> row_logits(const std::shared_ptr<const RuntimeModel>& model,
                              const Dataset& dataset, std::int64_t first_time, std::size_t threads);

}  // namespace limber
