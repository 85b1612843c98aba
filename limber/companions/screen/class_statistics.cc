#include "limber/companions/screen/class_statistics.h"

#include <algorithm>
#include <cmath>

#include "limber/core/base/error.h"

namespace limber::screen {

Classes classes_of(std::span<const std::string> labels, const std::string& origin) {
  Classes classes;
  classes.names.assign(labels.begin(), labels.end());
  std::sort(classes.names.begin(), classes.names.end());
  classes.names.erase(std::unique(classes.names.begin(), classes.names.end()), classes.names.end());
  if (const auto empty = std::find(labels.begin(), labels.end(), ""); empty != labels.end()) {
    throw InputError("{}: sample {} has no label; fill it in or leave the sample out", origin,
                     empty - labels.begin() + 1);
  }
  if (classes.names.size() < 2) {
    throw InputError("{}: {}; screening needs samples of two classes or more", origin,
                     classes.names.empty()
                         ? std::string("there are no samples")
                         : fmt::format("every sample is of class '{}'", classes.names[0]));
  }
  constexpr std::size_t kMostClasses = 100;
  if (classes.names.size() > kMostClasses) {
    throw InputError(
        "{}: the label has {} different values, more than {}; is it a number rather "
        "than a class?",
        origin, classes.names.size(), kMostClasses);
  }
  classes.samples.resize(classes.names.size());
  for (const std::string& label : labels) {
    const auto k =
        std::lower_bound(classes.names.begin(), classes.names.end(), label) - classes.names.begin();
    classes.of_sample.push_back(static_cast<int>(k));
    ++classes.samples[static_cast<std::size_t>(k)];
  }
  return classes;
}

bool Record::too_few() const {
  for (int k = 0; k < classes(); ++k) {
    if (count(k) < 1) return true;
  }
  return degrees() < 1;
}

bool Record::constant() const {
  if (variance() > 0) return false;
  for (int k = 1; k < classes(); ++k) {
    if (mean(k) != mean(0)) return false;
  }
  return true;
}

void summarise(std::span<const double> values, const Classes& classes, std::span<const int> samples,
               std::span<double> record) {
  const auto k_count = static_cast<std::size_t>(classes.count());
  double* const counts = record.data();
  double* const means = counts + k_count;
  std::fill(record.begin(), record.end(), 0.0);
  const std::size_t n = samples.empty() ? values.size() : samples.size();
  const auto at = [&](std::size_t i) {
    return samples.empty() ? i : static_cast<std::size_t>(samples[i]);
  };
  // Sums of differences to a class's first value: a class whose values are all the same has exactly
  // that mean and no variance, and a large common level costs no digits.
  std::vector<double> firsts(k_count, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    const double value = values[at(i)];
    if (std::isnan(value)) continue;
    const auto k = static_cast<std::size_t>(classes.of_sample[at(i)]);
    if (counts[k] == 0) firsts[k] = value;
    counts[k] += 1;
    means[k] += value - firsts[k];
  }
  double seen = 0;
  double used_classes = 0;
  for (std::size_t k = 0; k < k_count; ++k) {
    if (counts[k] == 0) continue;
    seen += counts[k];
    used_classes += 1;
    means[k] = firsts[k] + means[k] / counts[k];
  }
  double squares = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double value = values[at(i)];
    if (std::isnan(value)) continue;
    const double residual = value - means[static_cast<std::size_t>(classes.of_sample[at(i)])];
    squares += residual * residual;
  }
  const double degrees = std::max(0.0, seen - used_classes);
  record[2 * k_count] = degrees > 0 ? squares / degrees : 0;
  record[2 * k_count + 1] = degrees;
}

Difference difference(const Record& record, int direction) {
  const int classes = record.classes();
  const int first = classes == 2 ? 1 : direction;
  double others = 0;
  double sum = 0;
  for (int k = 0; k < classes; ++k) {
    if (k == first) continue;
    others += record.count(k);
    sum += record.count(k) * record.mean(k);
  }
  Difference result;
  result.first = record.mean(first);
  result.second = classes == 2 ? record.mean(0) : sum / others;
  result.scale = std::sqrt(record.count(first) * others / (record.count(first) + others));
  return result;
}

}  // namespace limber::screen
