#include "limber/core/data/dataset.h"

namespace limber {

std::int64_t Dataset::train_rows() const {
  std::int64_t count = 0;
  for (const TaskRows& task : tasks) count += task.train_end - task.begin;
  return count;
}

Part Dataset::part_of(const TaskRows& task) const {
  if (task.train_end > task.begin) return Part::train;
  return task.validation_end > task.begin ? Part::validation : Part::test;
}

}  // namespace limber
