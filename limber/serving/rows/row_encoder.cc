#include "limber/serving/rows/row_encoder.h"

#include <algorithm>

namespace limber {

RowEncoder::RowEncoder(const RuntimeModel& model, const Catalogue& catalogue,
                       const RequestSchema& schema)
    : model_(model), catalogue_(catalogue), schema_(schema) {
  const std::size_t features = model.layout.features.size();
  sources_.resize(model.layout.sources.size());
  for (Source& source : sources_) {
    source.columns.resize(features);
    source.view.features.resize(features);
  }
  for (std::size_t f = 0; f < features; ++f) {
    const InputFeature& feature = model.layout.features[f];
    if (feature.kind != FeatureKind::sequence) {
      sources_[static_cast<std::size_t>(feature.source)].features.push_back(f);
      continue;
    }
    const InputFeature& of = model.layout.find(model.encoders[f].of);
    sequences_.push_back({f,
                          static_cast<std::size_t>(&of - model.layout.features.data()),
                          model.encoders[f].length,
                          {},
                          {}});
  }
  set_.sources.resize(sources_.size());
  set_.sequences.resize(features);
}

void RowEncoder::restart() {
  rows_ = 0;
  for (Source& source : sources_) {
    source.rows = 0;
    source.chosen.clear();
    for (Column& column : source.columns) {
      column.numbers.clear();
      column.indices.clear();
      column.starts.clear();
      column.lengths.clear();
      column.values.clear();
    }
  }
  for (Sequence& sequence : sequences_) {
    sequence.offsets.clear();
    sequence.indices.clear();
  }
}

void RowEncoder::encode(std::size_t feature, const FieldValue& value, Column& column) {
  const FeatureEncoder& encoder = model_.encoders[feature];
  if (encoder.kind == FeatureKind::number) {
    // As in a log: values are kept as floats before they are scaled or put into buckets.
    const auto number = static_cast<float>(number_of(value));
    if (encoder.has_table()) {
      column.indices.push_back(encoder.bucket(number));
    } else {
      column.numbers.push_back(encoder.number(number));
    }
  } else if (encoder.kind == FeatureKind::id && !encoder.has_several_rows()) {
    column.indices.push_back(value.missing() ? Vocabulary::unknown
                                             : encoder.index(key_of(value, room_)));
  } else {
    column.starts.push_back(static_cast<std::int64_t>(column.values.size()));
    if (encoder.kind == FeatureKind::ids) {
      for_each_key(value, encoder.separator,
                   [&](const Key& key) { encoder.append_rows(key, column.values); });
    } else if (value.missing()) {
      column.values.push_back(Vocabulary::unknown);
    } else {
      encoder.append_rows(key_of(value, room_), column.values);
    }
    column.lengths.push_back(static_cast<std::int32_t>(
        static_cast<std::int64_t>(column.values.size()) - column.starts.back()));
  }
}

void RowEncoder::store_row(Source& source, const FieldRow& row) {
  for (const std::size_t f : source.features) {
    const std::size_t column = schema_.features()[f];
    try {
      encode(f, row[column], source.columns[f]);
    } catch (const BadValue& bad) {
      throw BadField(schema_.name(column), bad.what());
    }
  }
  ++source.rows;
}

void RowEncoder::add(const FieldRow& row) {
  std::vector<std::int64_t>& stored = before_;
  stored.clear();
  for (const Source& source : sources_) stored.push_back(source.rows);
  try {
    add_to_sources(row);
    ++rows_;
  } catch (...) {
    // A row that cannot be used leaves no trace.
    for (std::size_t s = 0; s < sources_.size(); ++s) undo(sources_[s], stored[s]);
    throw;
  }
}

void RowEncoder::undo(Source& source, std::int64_t rows) const {
  const auto kept = static_cast<std::size_t>(rows);
  source.rows = rows;
  source.chosen.resize(static_cast<std::size_t>(rows_));
  const auto cut = [kept](auto& values) { values.resize(std::min(values.size(), kept)); };
  for (const std::size_t f : source.features) {
    Column& column = source.columns[f];
    if (column.starts.size() > kept) {
      column.values.resize(static_cast<std::size_t>(column.starts[kept]));
    }
    cut(column.numbers);
    cut(column.indices);
    cut(column.starts);
    cut(column.lengths);
  }
}

void RowEncoder::add_to_sources(const FieldRow& row) {
  sources_[0].chosen.push_back(sources_[0].rows);
  store_row(sources_[0], row);
  for (std::size_t t = 0; t < catalogue_.tables().size(); ++t) {
    Source& source = sources_[t + 1];
    const FieldValue& key = row[schema_.keys()[t]];
    std::int64_t found = -1;
    if (!key.missing()) {
      try {
        found = catalogue_.tables()[t].row(key_of(key, room_));
      } catch (const BadValue& bad) {
        throw BadField(schema_.name(schema_.keys()[t]), bad.what());
      }
    }
    if (found >= 0) {
      source.chosen.push_back(found);
    } else {
      source.chosen.push_back(-1 - source.rows);
      store_row(source, row);
    }
  }
}

std::int32_t RowEncoder::index_of(std::int64_t row, std::size_t feature) const {
  const auto s = static_cast<std::size_t>(model_.layout.features[feature].source);
  const Source& source = sources_[s];
  const std::int64_t chosen = source.chosen[static_cast<std::size_t>(row)];
  if (s > 0 && chosen >= 0) {
    return catalogue_.tables()[s - 1].rows.features[feature].indices[chosen];
  }
  return source.columns[feature].indices[static_cast<std::size_t>(s == 0 ? chosen : -1 - chosen)];
}

void RowEncoder::set_sequences(const std::vector<std::vector<std::int32_t>>& latest) {
  for (std::size_t q = 0; q < sequences_.size(); ++q) {
    Sequence& sequence = sequences_[q];
    sequence.offsets.assign(1, 0);
    sequence.indices.clear();
    for (std::int64_t i = 0; i < rows_; ++i) {
      if (q < latest.size()) {
        sequence.indices.insert(sequence.indices.end(), latest[q].begin(), latest[q].end());
      }
      sequence.offsets.push_back(static_cast<std::int64_t>(sequence.indices.size()));
    }
  }
}

void RowEncoder::chain_sequences() {
  for (Sequence& sequence : sequences_) {
    sequence.offsets.assign(1, 0);
    sequence.indices.clear();
    for (std::int64_t i = 0; i < rows_; ++i) {
      for (std::int64_t before = std::max<std::int64_t>(0, i - sequence.length); before < i;
           ++before) {
        const std::int32_t index = index_of(before, sequence.of);
        if (index != Vocabulary::unknown) sequence.indices.push_back(index);
      }
      sequence.offsets.push_back(static_cast<std::int64_t>(sequence.indices.size()));
    }
  }
}

std::vector<std::vector<std::int32_t>> RowEncoder::latest_values() const {
  std::vector<std::vector<std::int32_t>> latest;
  for (const Sequence& sequence : sequences_) {
    std::vector<std::int32_t>& values = latest.emplace_back();
    for (std::int64_t row = std::max<std::int64_t>(0, rows_ - sequence.length); row < rows_;
         ++row) {
      const std::int32_t index = index_of(row, sequence.of);
      if (index != Vocabulary::unknown) values.push_back(index);
    }
  }
  return latest;
}

const RowSet& RowEncoder::set() {
  return view(0);
}

const RowSet& RowEncoder::tail(std::int64_t count) {
  return view(std::max<std::int64_t>(0, rows_ - count));
}

const RowSet& RowEncoder::view(std::int64_t first) {
  const auto skipped = static_cast<std::size_t>(first);
  set_.rows = rows_ - first;
  for (std::size_t s = 0; s < sources_.size(); ++s) {
    Source& source = sources_[s];
    source.view.rows = source.rows;
    for (const std::size_t f : source.features) {
      const Column& column = source.columns[f];
      source.view.features[f] = {column.numbers.data(), column.indices.data(), column.starts.data(),
                                 column.lengths.data(), column.values.data()};
    }
    const SourceRows* resident = s == 0 ? &source.view : &catalogue_.tables()[s - 1].rows;
    set_.sources[s] = {resident, &source.view, std::span(source.chosen).subspan(skipped)};
  }
  for (const Sequence& sequence : sequences_) {
    if (sequence.offsets.empty()) continue;
    set_.sequences[sequence.feature] = {std::span(sequence.offsets).subspan(skipped),
                                        sequence.indices};
  }
  return set_;
}

}  // namespace limber
