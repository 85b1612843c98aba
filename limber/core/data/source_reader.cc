#include "limber/core/data/source_reader.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "limber/core/base/error.h"
#include "limber/core/base/progress.h"
#include "limber/core/base/random.h"

namespace limber {
namespace fs = std::filesystem;

void for_each_row(
    std::vector<fs::path> files, std::vector<std::string> columns, bool skip_bad_rows,
    const std::string& progress_label, std::int64_t& bad_rows,
    const std::function<void(std::vector<ColumnView>&, std::int64_t, std::size_t&)>& row) {
  TableReader reader(std::move(files), columns, skip_bad_rows);
  Progress progress(progress_label, 0);
  std::int64_t skipped = 0;
  for (Chunk chunk; reader.next(chunk);) {
    std::vector<ColumnView> views;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      try {
        views.emplace_back(chunk.batch->column(static_cast<int>(c)));
      } catch (const BadValue& bad) {
        throw InputError("{}: column {}: {}", chunk.file.string(), columns[c], bad.what());
      }
    }
    const std::int64_t count = chunk.batch->num_rows();
    for (std::int64_t i = 0; i < count; ++i) {
      std::size_t at = 0;
      try {
        row(views, i, at);
      } catch (const BadValue& bad) {
        if (!skip_bad_rows) {
          throw InputError("{}: row {}, column {}: {} (data.on_bad_row: skip leaves such rows out)",
                           chunk.file.string(), chunk.row(i), columns[at], bad.what());
        }
        ++skipped;
      }
    }
    progress.add(static_cast<std::uint64_t>(count));
  }
  bad_rows += skipped + reader.bad_rows();
}

namespace {

template <class T>
MappedFile gather(const fs::path& path, std::span<const T> values,
                  std::span<const std::int64_t> order, const auto& change) {
  const std::size_t rows = order.empty() ? values.size() : order.size();
  MappedFile file = MappedFile::create(path, rows * sizeof(T));
  const std::span<T> out = file.as<T>();
  for (std::size_t i = 0; i < rows; ++i) {
    out[i] = change(values[order.empty() ? i : static_cast<std::size_t>(order[i])]);
  }
  return file;
}

/// Indices of the values that stay: those below `old` as they are, then the others that were seen
/// often enough in training rows, most frequent first, so that the rows of the embedding table that
/// are used together lie together.
std::vector<std::int32_t> frequent(const std::vector<std::int64_t>& counts, std::int64_t old,
                                   std::int64_t min_count) {
  std::vector<std::int32_t> kept;
  for (std::size_t index = 1; index < counts.size(); ++index) {
    if (static_cast<std::int64_t>(index) < old || counts[index] >= min_count) {
      kept.push_back(static_cast<std::int32_t>(index));
    }
  }
  const auto first_new = kept.begin() + static_cast<std::ptrdiff_t>(old - 1);
  std::stable_sort(first_new, kept.end(), [&](std::int32_t a, std::int32_t b) {
    return counts[static_cast<std::size_t>(a)] > counts[static_cast<std::size_t>(b)];
  });
  return kept;
}

/// A sample of bounded size for fitting numbers: all rows up to a million, then every k-th.
constexpr std::int64_t sample_size = 1'000'000;

}  // namespace

RawFeature::RawFeature(const FeatureEncoder& encoder, Fit fit, const fs::path& stem)
    : kind_(encoder.kind),
      bucketize_(encoder.kind == FeatureKind::number && encoder.has_table()),
      fit_(fit),
      provisional_used_(fit != Fit::fixed && encoder.vocabulary_kind != "hash"),
      encoder_(encoder),
      stem_(stem) {
  if (fit == Fit::grown && provisional_used_ && encoder.vocabulary) {
    for (std::int32_t index = 1; index < encoder.vocabulary->size(); ++index) {
      provisional_.add(encoder.vocabulary->key(index));
    }
  }
  const std::string name = stem.string();
  if (kind_ == FeatureKind::number) {
    numbers_ = ColumnFile<float>(name + ".raw_numbers");
  } else {
    ids_ = ColumnFile<std::int32_t>(name + ".raw_ids");
    if (kind_ == FeatureKind::ids) {
      starts_ = ColumnFile<std::int64_t>(name + ".raw_starts");
      lengths_ = ColumnFile<std::int32_t>(name + ".raw_lengths");
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
  indices_.clear();
  for (const Key& key : keys_) indices_.push_back(index_of(key));
}

std::int32_t RawFeature::index_of(const Key& key) {
  return provisional_used_ ? provisional_.add(key) : encoder_.index(key);
}

void RawFeature::read_missing() {
  number_ = std::numeric_limits<float>::quiet_NaN();
  indices_.clear();
}

void RawFeature::read_key(const Key& key) {
  indices_.clear();
  if (kind_ == FeatureKind::number) {
    number_ =
        key.is_number ? static_cast<float>(key.number) : std::numeric_limits<float>::quiet_NaN();
  } else if (key.is_number || !key.text.empty()) {
    indices_.push_back(index_of(key));
  }
}

void RawFeature::store() {
  ++stored_;
  if (kind_ == FeatureKind::number) {
    numbers_.append(number_);
  } else if (kind_ == FeatureKind::id) {
    ids_.append(indices_.empty() ? Vocabulary::unknown : indices_.front());
  } else {
    starts_.append(ids_.size());
    lengths_.append(static_cast<std::int32_t>(indices_.size()));
    for (const std::int32_t index : indices_) ids_.append(index);
  }
}

FeatureColumn RawFeature::finish(
    FeatureEncoder& encoder, const FeatureOptions& options, std::span<const std::int64_t> order,
    const std::function<std::int64_t(std::int64_t)>& weight_of_sorted_row) {
  FeatureColumn column;
  const std::string name = stem_.string();
  const auto source_row = [&](std::int64_t i) {
    return order.empty() ? static_cast<std::size_t>(i)
                         : static_cast<std::size_t>(order[static_cast<std::size_t>(i)]);
  };
  if (kind_ == FeatureKind::number) {
    const MappedFile raw = numbers_.finish();
    const auto values = raw.as<float>();
    const auto rows = static_cast<std::int64_t>(values.size());
    if (fit_ == Fit::anew) {
      std::vector<float> sample;
      const std::int64_t stride = std::max<std::int64_t>(1, rows / sample_size);
      for (std::int64_t i = 0; i < rows; i += stride) {
        if (weight_of_sorted_row(i) > 0) sample.push_back(values[source_row(i)]);
      }
      fit_number(encoder, std::move(sample), options.buckets);
    }
    if (bucketize_) {
      MappedFile file = MappedFile::create(name + ".ids", values.size() * sizeof(std::int32_t));
      const auto out = file.as<std::int32_t>();
      for (std::int64_t i = 0; i < rows; ++i) {
        out[static_cast<std::size_t>(i)] = encoder.bucket(values[source_row(i)]);
      }
      column.indices = std::move(file);
    } else {
      column.numbers = gather<float>(name + ".numbers", values, order,
                                     [&](float value) { return encoder.number(value); });
    }
    fs::remove(name + ".raw_numbers");
    return column;
  }

  const MappedFile raw = ids_.finish();
  const auto ids = raw.as<std::int32_t>();
  MappedFile raw_starts, raw_lengths;
  if (kind_ == FeatureKind::ids) {
    raw_starts = starts_.finish();
    raw_lengths = lengths_.finish();
  }
  std::vector<std::int32_t> renumber;
  if (provisional_used_) {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(provisional_.size()), 0);
    const auto rows = static_cast<std::int64_t>(
        kind_ == FeatureKind::id ? ids.size() : raw_lengths.as<std::int32_t>().size());
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t weight = weight_of_sorted_row(i);
      if (weight == 0) continue;
      const std::size_t row = source_row(i);
      if (kind_ == FeatureKind::id) {
        counts[static_cast<std::size_t>(ids[row])] += weight;
      } else {
        const auto start = static_cast<std::size_t>(raw_starts.as<std::int64_t>()[row]);
        const auto length = static_cast<std::size_t>(raw_lengths.as<std::int32_t>()[row]);
        for (const std::int32_t id : ids.subspan(start, length)) {
          counts[static_cast<std::size_t>(id)] += weight;
        }
      }
    }
    const std::int64_t old =
        fit_ == Fit::grown && encoder.vocabulary ? encoder.vocabulary->size() : 1;
    const std::vector<std::int32_t> kept = frequent(counts, old, options.min_count);
    encoder.vocabulary = std::make_shared<Vocabulary>(provisional_.select(kept));
    renumber.assign(counts.size(), Vocabulary::unknown);
    for (std::size_t i = 0; i < kept.size(); ++i) {
      renumber[static_cast<std::size_t>(kept[i])] = static_cast<std::int32_t>(i + 1);
    }
  }
  const auto final_index = [&](std::int32_t index) {
    return renumber.empty() ? index : renumber[static_cast<std::size_t>(index)];
  };
  if (kind_ == FeatureKind::id) {
    column.indices = gather<std::int32_t>(name + ".ids", ids, order, final_index);
  } else {
    const auto same = [](auto value) { return value; };
    column.starts =
        gather<std::int64_t>(name + ".starts", raw_starts.as<std::int64_t>(), order, same);
    column.lengths =
        gather<std::int32_t>(name + ".lengths", raw_lengths.as<std::int32_t>(), order, same);
    column.values = gather<std::int32_t>(name + ".values", ids, {}, final_index);
    fs::remove(name + ".raw_starts");
    fs::remove(name + ".raw_lengths");
  }
  fs::remove(name + ".raw_ids");
  return column;
}

}  // namespace limber
