#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "limber/core/data/encoder.h"

namespace limber {

/// The columns of the assembled input vector that belong to some of its features.
class ColumnSelection {
 public:
  ColumnSelection() = default;
  ColumnSelection(const InputLayout& layout, const std::vector<std::string>& features);
  /// [rows, all columns] -> [rows, width()]; the input itself when everything is selected.
  torch::Tensor select(const torch::Tensor& inputs) const;
  std::int64_t width() const { return width_; }

 private:
  struct Range {
    std::int64_t start, length;
  };
  std::vector<Range> ranges_;
  std::int64_t width_ = 0, all_ = 0;
};

/// Names of all features, without sequences where `with_sequences` is false.
std::vector<std::string> feature_names(const InputLayout& layout, bool with_sequences);

}  // namespace limber
