#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "limber/core/data/column_profile.h"

namespace limber {

/// One option as a line of YAML, and why it was chosen. A choice without YAML is something that
/// was left out, or not found.
struct Guess {
  std::string column;
  std::string yaml;
  std::string reason;
  bool has_gaps = false;  ///< a label that is missing in some rows
};

/// The guesses of starter_config about the interactions. Each looks at names first, then at values.
Guess guess_task(const TableProfile& interactions);
Guess guess_time(const TableProfile& interactions);
/// Columns that may be labels, the likeliest first.
std::vector<Guess> guess_labels(const TableProfile& interactions);

/// `is_key`: the column is the key of a side table. `in_interactions`: of the interactions, else of
/// a side table.
Guess guess_feature(const ColumnProfile& column, bool is_key, bool in_interactions);

/// `text` as a YAML scalar, with quotes where it needs them.
std::string yaml_scalar(std::string_view text);
/// 1234567 as "1,234,567".
std::string grouped(std::int64_t number);

}  // namespace limber
