#pragma once

#include <span>

#include "limber/core/data/popularity.h"
#include "limber/serving/runtime/feature_rows.h"

namespace limber {

/// Adds what each row's value of the popularity's feature amounts to: logits [rows, labels].
void add_popularity(const Popularity& popularity, const InputLayout& layout, const RowSet& rows,
                    std::span<float> logits);

}  // namespace limber
