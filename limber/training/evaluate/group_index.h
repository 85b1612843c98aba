#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace limber {

/// Rows arranged by group (member): groups are numbered 0..size()-1 by ascending id, so that the
/// numbering, and with it every seeded resample, does not depend on the order of the rows.
class GroupIndex {
 public:
  explicit GroupIndex(std::span<const std::int64_t> ids);
  explicit GroupIndex(std::span<const std::int32_t> ids);

  /// How many groups.
  std::size_t size() const { return offsets_.size() - 1; }
  /// The rows of one group, ascending.
  std::span<const std::uint32_t> rows(std::size_t group) const {
    return std::span(order_).subspan(offsets_[group], offsets_[group + 1] - offsets_[group]);
  }
  /// The group number of each row.
  std::span<const std::uint32_t> group_of_row() const { return group_of_row_; }

 private:
  std::vector<std::uint32_t> order_;
  std::vector<std::size_t> offsets_;
  std::vector<std::uint32_t> group_of_row_;
};

/// Calls visit(group, scores, labels, weights) with each group's rows gathered into buffers that
/// live until the next call; weights stay empty where they are.
template <class Visit>
void for_each_group(const GroupIndex& index, std::span<const float> scores,
                    std::span<const float> labels, std::span<const float> weights, Visit&& visit) {
  std::vector<float> some_scores;
  std::vector<float> some_labels;
  std::vector<float> some_weights;
  for (std::size_t group = 0; group < index.size(); ++group) {
    some_scores.clear();
    some_labels.clear();
    some_weights.clear();
    for (const std::uint32_t row : index.rows(group)) {
      some_scores.push_back(scores[row]);
      some_labels.push_back(labels[row]);
      if (!weights.empty()) some_weights.push_back(weights[row]);
    }
    visit(group, std::span<const float>(some_scores), std::span<const float>(some_labels),
          std::span<const float>(some_weights));
  }
}

}  // namespace limber
