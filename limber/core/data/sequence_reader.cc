#include "limber/core/data/sequence_reader.h"

#include <algorithm>

namespace limber {

SequenceReader::SequenceReader(const Dataset& dataset, std::size_t feature)
    : dataset_(dataset), length_(dataset.encoders[feature].length) {
  const InputFeature& of = dataset.layout.find(dataset.encoders[feature].of);
  const DataSource& source = dataset.sources[static_cast<std::size_t>(of.source)];
  std::size_t column = 0;
  while (&dataset.layout.features[static_cast<std::size_t>(source.features[column])] != &of) {
    ++column;
  }
  indices_ = source.columns[column].indices.as<std::int32_t>();
  if (of.source > 0) {
    side_rows_ = dataset.side_rows[static_cast<std::size_t>(of.source - 1)].as<std::int32_t>();
  }
}

void SequenceReader::append(std::int64_t row, std::vector<std::int32_t>& indices) const {
  const auto after =
      std::upper_bound(dataset_.tasks.begin(), dataset_.tasks.end(), row,
                       [](std::int64_t value, const TaskRows& task) { return value < task.begin; });
  const std::int64_t begin = std::prev(after)->begin;
  for (std::int64_t at = std::max(begin, row - length_); at < row; ++at) {
    const auto place = static_cast<std::size_t>(at);
    const std::int32_t index =
        indices_[side_rows_.empty() ? place : static_cast<std::size_t>(side_rows_[place])];
    if (index != Vocabulary::unknown) indices.push_back(index);
  }
}

}  // namespace limber
