#include "limber/core/data/raw_feature.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "limber/core/data/collisions.h"
#include "limber/core/data/fit_vocabulary.h"
#include "limber/core/data/sorted_column.h"

namespace limber {
namespace fs = std::filesystem;

namespace {

/// A sample of bounded size for fitting numbers: all rows up to a million, then every k-th.
constexpr std::int64_t sample_size = 1'000'000;

/// The three columns of lists in which each value that was read has become `each` values of `all`;
/// `row_of_missing` is where an empty row finds the one value that it then has, if any.
template <class T>
void write_lists(const RawValues<T>& raw, std::span<const std::int64_t> order,
                 const std::string& stem, std::size_t each, std::int64_t row_of_missing,
                 FeatureColumn& column) {
  const std::size_t rows = raw.rows();
  column.starts = MappedFile::create(stem + ".starts", rows * sizeof(std::int64_t));
  column.lengths = MappedFile::create(stem + ".lengths", rows * sizeof(std::int32_t));
  const auto starts = column.starts.as<std::int64_t>();
  const auto lengths = column.lengths.as<std::int32_t>();
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t row = order.empty() ? i : static_cast<std::size_t>(order[i]);
    const std::size_t length = raw.length(row);
    const bool missing = length == 0 && row_of_missing >= 0;
    starts[i] = missing ? row_of_missing : static_cast<std::int64_t>(each * raw.begin(row));
    lengths[i] = missing ? 1 : static_cast<std::int32_t>(each * length);
  }
}

}  // namespace

/// The rows in their final order.
struct RawFeature::Rows {
  std::span<const std::int64_t> order;
  const std::function<std::int64_t(std::int64_t)>& weight;

  std::size_t source(std::int64_t i) const {
    return static_cast<std::size_t>(order.empty() ? i : order[static_cast<std::size_t>(i)]);
  }
  /// Calls `use(values, weight)` for the rows that train.
  template <class T, class Use>
  void for_each_training_row(const RawValues<T>& raw, const Use& use) const {
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(raw.rows()); ++i) {
      if (const std::int64_t times = weight(i); times > 0) use(raw.row(source(i)), times);
    }
  }
};

RawFeature::RawFeature(const FeatureEncoder& encoder, Fit fit, const fs::path& stem)
    : kind_(encoder.kind),
      bucketize_(encoder.kind == FeatureKind::number && encoder.has_table()),
      fit_(fit),
      keep_(Keep::final_rows),
      encoder_(encoder),
      stem_(stem.string()) {
  const std::string& vocabulary = encoder.vocabulary_kind;
  if (kind_ == FeatureKind::number) {
    numbers_ = ColumnFile<float>(stem_ + ".raw_numbers");
    return;
  }
  const bool lists = kind_ == FeatureKind::ids;
  if (vocabulary == "hash" || vocabulary == "qr") {
    keep_ = Keep::hashes;
    // As lists, so that a missing id is known from one that has the hash 0.
    hashes_ = RawValues<std::uint64_t>(stem, true);
    return;
  }
  indices_ = RawValues<std::int32_t>(stem, lists);
  // A perfect hash does not grow: its numbers would be others.
  const bool fits = fit == Fit::anew || (fit == Fit::grown && vocabulary != "perfect_hash");
  if (!fits) return;
  keep_ = Keep::provisional;
  if (fit == Fit::grown && encoder.vocabulary) {
    for (std::int32_t index = 1; index < encoder.vocabulary->size(); ++index) {
      provisional_.add(encoder.vocabulary->key(index));
    }
  }
}

void RawFeature::read(const ColumnView& view, std::int64_t i) {
  if (kind_ == FeatureKind::number) {
    number_ = static_cast<float>(view.number(i));
    return;
  }
  keys_.clear();
  if (kind_ == FeatureKind::ids) {
    view.keys(i, encoder_.separator, keys_);
  } else if (!view.is_null(i)) {
    keys_.push_back(view.key(i));
  }
  read_missing();
  for (const Key& key : keys_) add_value(key);
}

void RawFeature::add_value(const Key& key) {
  switch (keep_) {
    case Keep::final_rows:
      row_indices_.push_back(encoder_.index(key));
      break;
    case Keep::provisional:
      row_indices_.push_back(provisional_.add(key));
      break;
    case Keep::hashes:
      row_hashes_.push_back(hash_key(key));
      break;
  }
}

void RawFeature::read_missing() {
  number_ = std::numeric_limits<float>::quiet_NaN();
  row_indices_.clear();
  row_hashes_.clear();
}

void RawFeature::read_key(const Key& key) {
  read_missing();
  if (kind_ == FeatureKind::number) {
    if (key.is_number) number_ = static_cast<float>(key.number);
  } else if (key.is_number || !key.text.empty()) {
    add_value(key);
  }
}

void RawFeature::store() {
  ++stored_;
  if (kind_ == FeatureKind::number) {
    numbers_.append(number_);
  } else if (keep_ == Keep::hashes) {
    hashes_.append(row_hashes_);
  } else {
    if (kind_ == FeatureKind::id && row_indices_.empty()) {
      row_indices_.push_back(Vocabulary::unknown);
    }
    indices_.append(row_indices_);
  }
}

void RawFeature::save() {
  if (kind_ == FeatureKind::number) {
    numbers_.finish();
  } else if (keep_ == Keep::hashes) {
    hashes_.finish();
  } else {
    indices_.finish();
    write_file_atomic(stem_ + ".raw_keys", provisional_.to_lines());
  }
}

void RawFeature::append(const fs::path& folder) {
  const fs::path stem = folder / fs::path(stem_).filename();
  if (kind_ == FeatureKind::number) {
    const MappedFile file = MappedFile::open(stem.string() + ".raw_numbers");
    const auto numbers = file.as<float>();
    numbers_.append(numbers);
    stored_ += std::ssize(numbers);
    return;
  }
  if (keep_ == Keep::hashes) {
    const auto saved = RawValues<std::uint64_t>::open(stem, hashes_.lists());
    for (std::size_t row = 0; row < saved.rows(); ++row) hashes_.append(saved.row(row));
    stored_ += static_cast<std::int64_t>(saved.rows());
    return;
  }
  const auto saved = RawValues<std::int32_t>::open(stem, indices_.lists());
  const std::string keys = stem.string() + ".raw_keys";
  const Vocabulary theirs = Vocabulary::from_lines(read_file(keys), keys);
  std::vector<std::int32_t> ours = {Vocabulary::unknown};
  for (std::int32_t index = 1; index < theirs.size(); ++index) {
    ours.push_back(provisional_.add(theirs.key(index)));
  }
  for (std::size_t row = 0; row < saved.rows(); ++row) {
    row_indices_.clear();
    for (const std::int32_t index : saved.row(row)) {
      row_indices_.push_back(keep_ == Keep::provisional ? ours[static_cast<std::size_t>(index)]
                                                        : index);
    }
    indices_.append(row_indices_);
  }
  stored_ += static_cast<std::int64_t>(saved.rows());
}

FeatureColumn RawFeature::finish(
    FeatureEncoder& encoder, const FeatureOptions& options, std::span<const std::int64_t> order,
    const std::function<std::int64_t(std::int64_t)>& weight_of_sorted_row) {
  const Rows rows{order, weight_of_sorted_row};
  if (kind_ == FeatureKind::number) return finish_numbers(encoder, options, rows);
  FeatureColumn column;
  if (keep_ == Keep::hashes) {
    finish_hashes(encoder, rows, column);
  } else {
    finish_indices(encoder, options, rows, column);
  }
  return column;
}

FeatureColumn RawFeature::finish_numbers(FeatureEncoder& encoder, const FeatureOptions& options,
                                         const Rows& rows) {
  FeatureColumn column;
  const MappedFile raw = numbers_.finish();
  const auto values = raw.as<float>();
  const auto count = static_cast<std::int64_t>(values.size());
  if (fit_ == Fit::anew) {
    std::vector<float> sample;
    const std::int64_t stride = std::max<std::int64_t>(1, count / sample_size);
    for (std::int64_t i = 0; i < count; i += stride) {
      if (rows.weight(i) > 0) sample.push_back(values[rows.source(i)]);
    }
    fit_number(encoder, std::move(sample), options.buckets);
  }
  if (bucketize_) {
    column.indices = MappedFile::create(stem_ + ".ids", values.size() * sizeof(std::int32_t));
    const auto out = column.indices.as<std::int32_t>();
    for (std::int64_t i = 0; i < count; ++i) {
      out[static_cast<std::size_t>(i)] = encoder.bucket(values[rows.source(i)]);
    }
  } else {
    column.numbers = sorted_column<float>(stem_ + ".numbers", values, rows.order,
                                          [&](float value) { return encoder.number(value); });
  }
  fs::remove(stem_ + ".raw_numbers");
  return column;
}

void RawFeature::finish_indices(FeatureEncoder& encoder, const FeatureOptions& options,
                                const Rows& rows, FeatureColumn& column) {
  indices_.finish();
  std::vector<std::int32_t> final_rows;
  if (keep_ == Keep::provisional) {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(provisional_.size()), 0);
    rows.for_each_training_row(indices_,
                               [&](std::span<const std::int32_t> values, std::int64_t weight) {
                                 for (const std::int32_t index : values)
                                   counts[static_cast<std::size_t>(index)] += weight;
                               });
    final_rows =
        fit_vocabulary(encoder, provisional_, counts, fit_, options.min_count, options.max_values);
  }
  const auto final_row = [&](std::int32_t index) {
    return final_rows.empty() ? index : final_rows[static_cast<std::size_t>(index)];
  };
  if (indices_.lists()) {
    write_lists(indices_, rows.order, stem_, 1, -1, column);
    column.values = sorted_column<std::int32_t>(stem_ + ".values", indices_.all(), {}, final_row);
  } else {
    column.indices =
        sorted_column<std::int32_t>(stem_ + ".ids", indices_.all(), rows.order, final_row);
  }
  indices_.remove();
}

void RawFeature::finish_hashes(FeatureEncoder& encoder, const Rows& rows, FeatureColumn& column) {
  hashes_.finish();
  if (fit_ != Fit::fixed) {
    DistinctHashes distinct;
    rows.for_each_training_row(hashes_, [&](std::span<const std::uint64_t> values, std::int64_t) {
      for (const std::uint64_t hash : values) distinct.add(hash);
    });
    encoder.collisions = count_collisions(encoder, distinct.take());
  }
  std::vector<std::int32_t> found;
  if (kind_ == FeatureKind::id && !encoder.has_several_rows()) {
    column.indices = MappedFile::create(stem_ + ".ids", hashes_.rows() * sizeof(std::int32_t));
    const auto out = column.indices.as<std::int32_t>();
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto value = hashes_.row(rows.source(static_cast<std::int64_t>(i)));
      found.clear();
      if (!value.empty()) encoder.append_rows_of_hash(value.front(), found);
      out[i] = found.empty() ? Vocabulary::unknown : found.front();
    }
  } else {
    const std::size_t each = encoder.has_several_rows() ? 4 : 1;
    const auto all = hashes_.all();
    // Behind all others row 0, which a missing id has; a list may have no value.
    const auto last = static_cast<std::int64_t>(each * all.size());
    write_lists(hashes_, rows.order, stem_, each, kind_ == FeatureKind::id ? last : -1, column);
    column.values = MappedFile::create(stem_ + ".values",
                                       static_cast<std::size_t>(last + 1) * sizeof(std::int32_t));
    const auto out = column.values.as<std::int32_t>();
    std::size_t at = 0;
    for (const std::uint64_t hash : all) {
      found.clear();
      encoder.append_rows_of_hash(hash, found);
      for (const std::int32_t row : found) out[at++] = row;
    }
    out[at] = Vocabulary::unknown;
  }
  hashes_.remove();
}

}  // namespace limber
