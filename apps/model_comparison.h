#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace limber {

/// What `--metrics` wrote of one model, under the name that it has in the comparison, and the file
/// that `--scores` wrote, "" where there is none.
struct ComparedModel {
  std::string name;
  std::string file;
  std::string scores;
  nlohmann::json metrics;
};

/// Reads "FILE.json" or "NAME=FILE.json"; the name is the file's where none is given. Scores are
/// looked for in FILE.parquet. Throws InputError for a file that `--metrics` did not write.
ComparedModel read_compared_model(const std::string& argument);

/// Throws InputError unless all models have the same labels, split, rows and members, and names of
/// their own: what was measured on other rows is no comparison.
void check_comparable(const std::vector<ComparedModel>& models);

/// Each model minus the baseline on one label, draws paired by member, as report.h's "differences".
/// All models must have scores.
nlohmann::json paired_differences(const std::vector<ComparedModel>& models, std::size_t baseline,
                                  const std::string& label, std::size_t resamples);

/// The comparison as lines of text: AUC, GAUC and log loss with their intervals, then the
/// differences, each called better, worse or unclear (the interval holds 0).
std::string comparison_table(const std::vector<ComparedModel>& models, const std::string& label,
                             const nlohmann::json& differences);

}  // namespace limber
