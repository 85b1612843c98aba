#include "limber/training/evaluate/auc.h"

#include <algorithm>
#include <cstddef>
#include <limits>

#include "limber/training/evaluate/predictions.h"

namespace limber {

SortedRows::SortedRows(std::span<const float> scores, std::span<const float> labels,
                       std::span<const float> weights, std::span<const std::uint32_t> groups) {
  struct Key {
    float score;
    std::uint32_t row;
  };
  std::vector<Key> keys(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    keys[i] = {scores[i], static_cast<std::uint32_t>(i)};
  }
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.score < b.score; });
  rows_.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::uint32_t row = keys[i].row;
    const float weight = weights.empty() ? 1.0F : weights[row];
    const bool positive = labels[row] == 1;
    rows_.push_back({positive ? weight : 0.0F, positive ? 0.0F : weight,
                     groups.empty() ? 0U : groups[row],
                     i + 1 == keys.size() || keys[i + 1].score != keys[i].score});
  }
}

template <class Multiplicity>
double SortedRows::walk(Multiplicity&& multiplicity) const {
  double positives = 0;
  double negatives = 0;
  double won = 0;  // pairs in the right order, a tie one half
  double tied_positive = 0;
  double tied_negative = 0;
  for (const Row& row : rows_) {
    const double times = multiplicity(row.group);
    tied_positive += times * row.positive;
    tied_negative += times * row.negative;
    if (row.last_of_tie) {
      won += tied_positive * (negatives + 0.5 * tied_negative);
      positives += tied_positive;
      negatives += tied_negative;
      tied_positive = 0;
      tied_negative = 0;
    }
  }
  if (!(positives > 0 && negatives > 0)) return std::numeric_limits<double>::quiet_NaN();
  return won / (positives * negatives);
}

double SortedRows::auc(std::span<const float> multiplicity) const {
  return walk([&](std::uint32_t group) { return static_cast<double>(multiplicity[group]); });
}

double SortedRows::auc() const {
  return walk([](std::uint32_t) { return 1.0; });
}

double auc(std::span<const float> scores, std::span<const float> labels,
           std::span<const float> weights) {
  check_rows(scores, labels, weights);
  return SortedRows(scores, labels, weights).auc();
}

}  // namespace limber
