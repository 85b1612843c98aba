#pragma once

#include <string>
#include <vector>

#include "limber/companions/screen/feature_source.h"
#include "limber/core/data/column.h"

namespace limber::screen {

/// A label or name as text, the same whether it came from CSV or Parquet ("1" for 1, 1.0 and "1").
std::string text_of(const Key& key);

/// Labels of `samples`, in their order, from the table options.labels with the columns
/// options.sample ("sample" where that is empty) and options.label. Throws InputError for a sample
/// that the table lacks or gives two labels, unless labels are not required: then they are "".
std::vector<std::string> labels_from_table(const SourceOptions& options,
                                           const std::vector<std::string>& samples);

/// Throws InputError beginning with `origin` when a name occurs twice.
void check_unique(const std::vector<std::string>& names, const char* what,
                  const std::string& origin);

}  // namespace limber::screen
