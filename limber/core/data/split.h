#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "limber/core/base/files.h"
#include "limber/core/data/dataset.h"

namespace limber {

struct SplitOptions {
  std::string kind;  ///< members, chronological or random
  double validation_share = 0.1, test_share = 0.1;
  std::uint64_t seed = 1;
};

/// Resolves data.split: auto is chronological where there is time, else random.
SplitOptions split_options(const DataOptions& data);

/// Rows sorted by task, then by time (an empty `times` or a random split: by a seeded hash of the
/// row's number), ties in file order. `task_of` int32 [rows] is the task of each row in file order,
/// `numbers` [rows] the row's number in the whole log, or empty where these are all its rows; the
/// result int64 [rows] holds file rows in sorted order and lies in the file `path`.
MappedFile sort_rows(std::span<const std::int32_t> task_of, std::span<const std::int64_t> times,
                     std::span<const std::int64_t> numbers, std::int64_t tasks,
                     const SplitOptions& options, const std::filesystem::path& path,
                     std::vector<TaskRows>& bounds);

/// Divides each task's rows into training, validation and test. Members are drawn by a hash of
/// their key, so that a member stays in its part when the log grows.
void assign_parts(const Vocabulary& task_keys, const SplitOptions& options,
                  std::vector<TaskRows>& bounds);

}  // namespace limber
