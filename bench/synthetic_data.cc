#include "bench/synthetic_data.h"

#include <algorithm>
#include <cmath>

namespace limber {

MappedFile SyntheticData::file(std::size_t bytes) {
  return MappedFile::create(folder_.path() / std::to_string(files_++), bytes);
}

void SyntheticData::add_source(const std::string& name, std::int64_t rows) {
  if (!dataset_.sources.empty()) tables_.push_back(name);
  DataSource source;
  source.name = name;
  source.rows = rows;
  dataset_.sources.push_back(std::move(source));
}

FeatureEncoder& SyntheticData::add_feature(const std::string& name, FeatureKind kind) {
  FeatureEncoder encoder;
  encoder.name = encoder.column = name;
  encoder.kind = kind;
  encoder.table = dataset_.sources.size() > 1 ? dataset_.sources.back().name : "";
  dataset_.sources.back().features.push_back(static_cast<int>(dataset_.encoders.size()));
  dataset_.encoders.push_back(std::move(encoder));
  return dataset_.encoders.back();
}

std::int32_t SyntheticData::draw_id(std::int64_t vocabulary) {
  const double known = static_cast<double>(vocabulary - 1);
  const auto rank = static_cast<std::int64_t>(std::pow(known, random_.uniform()));
  // Ranks are spread over the table, as in a vocabulary that is not sorted by frequency.
  const std::uint64_t place = mix64(static_cast<std::uint64_t>(rank));
  return static_cast<std::int32_t>(1 + place % static_cast<std::uint64_t>(vocabulary - 1));
}

void SyntheticData::add_number(const std::string& name) {
  add_feature(name, FeatureKind::number);
  DataSource& source = dataset_.sources.back();
  FeatureColumn column;
  column.numbers = file(static_cast<std::size_t>(source.rows) * sizeof(float));
  for (float& value : column.numbers.as<float>()) value = static_cast<float>(random_.normal());
  source.columns.push_back(std::move(column));
}

void SyntheticData::add_id(const std::string& name, std::int64_t vocabulary, std::int64_t dim) {
  FeatureEncoder& encoder = add_feature(name, FeatureKind::id);
  encoder.vocabulary_kind = "hash";
  encoder.hash_size = vocabulary - 1;
  encoder.dim = dim;
  DataSource& source = dataset_.sources.back();
  FeatureColumn column;
  column.indices = file(static_cast<std::size_t>(source.rows) * sizeof(std::int32_t));
  for (std::int32_t& value : column.indices.as<std::int32_t>()) value = draw_id(vocabulary);
  source.columns.push_back(std::move(column));
}

void SyntheticData::add_ids(const std::string& name, std::int64_t vocabulary, std::int64_t dim,
                            std::int64_t most) {
  FeatureEncoder& encoder = add_feature(name, FeatureKind::ids);
  encoder.vocabulary_kind = "hash";
  encoder.hash_size = vocabulary - 1;
  encoder.dim = dim;
  DataSource& source = dataset_.sources.back();
  const auto rows = static_cast<std::size_t>(source.rows);
  FeatureColumn column;
  column.starts = file(rows * sizeof(std::int64_t));
  column.lengths = file(rows * sizeof(std::int32_t));
  std::vector<std::int32_t> values;
  for (std::size_t row = 0; row < rows; ++row) {
    const auto length = 1 + random_.below(static_cast<std::uint64_t>(most));
    column.starts.as<std::int64_t>()[row] = static_cast<std::int64_t>(values.size());
    column.lengths.as<std::int32_t>()[row] = static_cast<std::int32_t>(length);
    for (std::uint64_t i = 0; i < length; ++i) values.push_back(draw_id(vocabulary));
  }
  column.values = file(values.size() * sizeof(std::int32_t));
  std::copy(values.begin(), values.end(), column.values.as<std::int32_t>().begin());
  source.columns.push_back(std::move(column));
}

const Dataset& SyntheticData::finish(std::int64_t tasks) {
  dataset_.rows = dataset_.sources[0].rows;
  const auto rows = static_cast<std::size_t>(dataset_.rows);
  dataset_.layout = make_layout(dataset_.encoders, tables_, {"label"});
  for (std::size_t s = 1; s < dataset_.sources.size(); ++s) {
    MappedFile side = file(rows * sizeof(std::int32_t));
    for (std::int32_t& row : side.as<std::int32_t>()) {
      // Index 0 of a vocabulary is the unknown one; a side table has no such row.
      row = draw_id(dataset_.sources[s].rows + 1) - 1;
    }
    dataset_.side_rows.push_back(std::move(side));
  }
  dataset_.labels = file(rows * sizeof(float));
  for (float& label : dataset_.labels.as<float>()) label = random_.uniform() < 0.2 ? 1.0F : 0.0F;
  dataset_.split = "random";
  const std::int64_t each = dataset_.rows / tasks;
  for (std::int64_t t = 0; t < tasks; ++t) {
    const std::int64_t end = (t + 1) * each;
    dataset_.tasks.push_back({t * each, end, end, end});
  }
  return dataset_;
}

}  // namespace limber
