#include "limber/core/data/split.h"

#include <algorithm>
#include <cmath>

#include "limber/core/base/random.h"

namespace limber {

SplitOptions split_options(const DataOptions& data) {
  SplitOptions options{data.split, data.validation_share, data.test_share, data.split_seed};
  if (options.kind == "auto") options.kind = data.time.empty() ? "random" : "chronological";
  return options;
}

MappedFile sort_rows(std::span<const std::int32_t> task_of, std::span<const std::int64_t> times,
                     std::span<const std::int64_t> numbers, std::int64_t tasks,
                     const SplitOptions& options, const std::filesystem::path& path,
                     std::vector<TaskRows>& bounds) {
  std::vector<std::int64_t> next(static_cast<std::size_t>(tasks) + 1, 0);
  for (const std::int32_t task : task_of) ++next[static_cast<std::size_t>(task) + 1];
  for (std::size_t t = 1; t < next.size(); ++t) next[t] += next[t - 1];
  bounds.assign(static_cast<std::size_t>(tasks), {});
  for (std::size_t t = 0; t < bounds.size(); ++t) {
    bounds[t].begin = next[t];
    bounds[t].end = next[t + 1];
  }
  MappedFile file = MappedFile::create(path, task_of.size() * sizeof(std::int64_t));
  const std::span<std::int64_t> order = file.as<std::int64_t>();
  for (std::size_t row = 0; row < task_of.size(); ++row) {
    order[static_cast<std::size_t>(next[static_cast<std::size_t>(task_of[row])]++)] =
        static_cast<std::int64_t>(row);
  }
  const bool by_time = !times.empty() && options.kind != "random";
  const auto hash = [&](std::int64_t row) {
    const std::int64_t number = numbers.empty() ? row : numbers[static_cast<std::size_t>(row)];
    return mix64(static_cast<std::uint64_t>(number) ^ mix64(options.seed));
  };
  for (const TaskRows& task : bounds) {
    const auto rows = order.subspan(static_cast<std::size_t>(task.begin),
                                    static_cast<std::size_t>(task.end - task.begin));
    if (by_time) {
      std::stable_sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
        return times[static_cast<std::size_t>(a)] < times[static_cast<std::size_t>(b)];
      });
    } else {
      std::sort(rows.begin(), rows.end(),
                [&](std::int64_t a, std::int64_t b) { return hash(a) < hash(b); });
    }
  }
  return file;
}

void assign_parts(const Vocabulary& task_keys, const SplitOptions& options,
                  std::vector<TaskRows>& bounds) {
  for (std::size_t t = 0; t < bounds.size(); ++t) {
    TaskRows& task = bounds[t];
    const std::int64_t count = task.end - task.begin;
    if (options.kind == "members") {
      const std::uint64_t word =
          mix64(hash_key(task_keys.key(static_cast<std::int32_t>(t + 1))) ^ mix64(options.seed));
      const double draw = static_cast<double>(word >> 11) * 0x1.0p-53;
      const bool test = draw < options.test_share;
      const bool validation = !test && draw < options.test_share + options.validation_share;
      task.train_end = test || validation ? task.begin : task.end;
      task.validation_end = test ? task.begin : task.end;
      continue;
    }
    // Rounded half up, so that a member with ten rows and shares of 0.1 gives one row to each.
    const auto share = [&](double part) {
      return static_cast<std::int64_t>(std::floor(part * static_cast<double>(count) + 0.5));
    };
    const std::int64_t test = share(options.test_share);
    const std::int64_t validation = std::min(share(options.validation_share), count - test);
    task.validation_end = task.end - test;
    task.train_end = task.validation_end - validation;
  }
}

}  // namespace limber
