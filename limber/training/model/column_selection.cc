#include "limber/training/model/column_selection.h"

#include <algorithm>

namespace limber {

ColumnSelection::ColumnSelection(const InputLayout& layout,
                                 const std::vector<std::string>& features) {
  std::vector<std::int64_t> before(layout.source_widths.size(), 0);
  for (std::size_t s = 0; s < before.size(); ++s) {
    before[s] = all_;
    all_ += layout.source_widths[s];
  }
  std::vector<Range> single;
  for (const std::string& name : features) {
    const InputFeature& feature = layout.find(name);
    single.push_back(
        {before[static_cast<std::size_t>(feature.source)] + feature.offset, feature.width});
    width_ += feature.width;
  }
  std::sort(single.begin(), single.end(),
            [](const Range& a, const Range& b) { return a.start < b.start; });
  for (const Range& range : single) {
    if (!ranges_.empty() && ranges_.back().start + ranges_.back().length == range.start) {
      ranges_.back().length += range.length;
    } else {
      ranges_.push_back(range);
    }
  }
}

torch::Tensor ColumnSelection::select(const torch::Tensor& inputs) const {
  if (width_ == all_) return inputs;
  std::vector<torch::Tensor> parts;
  for (const Range& range : ranges_) parts.push_back(inputs.narrow(1, range.start, range.length));
  if (parts.empty()) return inputs.narrow(1, 0, 0);
  return parts.size() == 1 ? parts[0] : torch::cat(parts, 1);
}

std::vector<std::string> feature_names(const InputLayout& layout, bool with_sequences) {
  std::vector<std::string> names;
  for (const InputFeature& feature : layout.features) {
    if (with_sequences || feature.kind != FeatureKind::sequence) names.push_back(feature.name);
  }
  return names;
}

}  // namespace limber
