#include "limber/core/data/check_labels.h"

#include <fmt/format.h>

#include <cmath>

#include "limber/core/base/error.h"

namespace limber {
namespace {

/// What the training rows show of a label.
struct Shown {
  bool known = false;              ///< some row has it
  bool zero = false, one = false;  ///< some row that weighs anything has it so
};

Shown shown(const Dataset& dataset, std::size_t label) {
  Shown shown;
  for (const TaskRows& task : dataset.tasks) {
    for (std::int64_t row = task.begin; row < task.train_end; ++row) {
      const float value = dataset.label(row, label);
      if (std::isnan(value)) continue;
      shown.known = true;
      if (dataset.weight(row) > 0) (value > 0.5F ? shown.one : shown.zero) = true;
      if (shown.zero && shown.one) return shown;
    }
  }
  return shown;
}

}  // namespace

void check_labels(const Dataset& dataset) {
  for (std::size_t l = 0; l < dataset.layout.labels.size(); ++l) {
    const auto [known, zero, one] = shown(dataset, l);
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

std::vector<std::string> one_sided_labels(const Dataset& dataset) {
  std::vector<std::string> labels;
  for (std::size_t l = 0; l < dataset.layout.labels.size(); ++l) {
    const auto [known, zero, one] = shown(dataset, l);
    const std::string& name = dataset.layout.labels[l];
    if (!known) {
      labels.push_back(fmt::format("no training row has {}", name));
    } else if (!zero && !one) {
      throw InputError(
          "data.weight: the weight is 0 in every training row; nothing can be learned");
    } else if (!zero || !one) {
      labels.push_back(fmt::format("{} is {} in every training row", name, one ? 1 : 0));
    }
  }
  return labels;
}

}  // namespace limber
