#include "limber/core/data/check_labels.h"

#include <cmath>

#include "limber/core/base/error.h"

namespace limber {

void check_labels(const Dataset& dataset) {
  const std::size_t labels = dataset.layout.labels.size();
  for (std::size_t l = 0; l < labels; ++l) {
    bool zero = false, one = false, known = false;
    for (const TaskRows& task : dataset.tasks) {
      for (std::int64_t row = task.begin; row < task.train_end && !(zero && one); ++row) {
        const float label = dataset.label(row, l);
        if (std::isnan(label)) continue;
        known = true;
        if (dataset.weight(row) > 0) (label > 0.5F ? one : zero) = true;
      }
      if (zero && one) break;
    }
    if (!known && dataset.train_rows() > 0) {
      throw InputError("data.labels.{}: no training row has it", dataset.layout.labels[l]);
    }
    if (!zero && !one) {
      throw InputError(
          "data.weight: the weight is 0 in every training row; nothing can be learned");
    }
    if (!zero || !one) {
      throw InputError(
          "data.labels.{}: the label is {} in every training row; nothing can be "
          "learned from it",
          dataset.layout.labels[l], one ? 1 : 0);
    }
  }
}

}  // namespace limber
