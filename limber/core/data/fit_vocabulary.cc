#include "limber/core/data/fit_vocabulary.h"

#include <algorithm>
#include <limits>

#include "limber/core/base/error.h"

namespace limber {
namespace {

using Counts = std::vector<std::int64_t>;

/// Values from index `first` on that are frequent enough, most frequent first, so that the rows of
/// the embedding table that are used together lie together.
std::vector<std::int32_t> frequent(const Counts& counts, std::int64_t first,
                                   std::int64_t min_count) {
  std::vector<std::int32_t> found;
  for (auto index = static_cast<std::size_t>(first); index < counts.size(); ++index) {
    if (counts[index] >= min_count) found.push_back(static_cast<std::int32_t>(index));
  }
  std::stable_sort(found.begin(), found.end(), [&](std::int32_t a, std::int32_t b) {
    return counts[static_cast<std::size_t>(a)] > counts[static_cast<std::size_t>(b)];
  });
  return found;
}

/// The values of the rows from 1 on: `old` less one of them as they are, then the newcomers.
std::vector<std::int32_t> place(const Counts& counts, std::int64_t old,
                                const std::vector<std::int32_t>& newcomers,
                                std::int64_t max_values) {
  std::vector<std::int32_t> rows;
  for (std::int64_t index = 1; index < old; ++index) {
    rows.push_back(static_cast<std::int32_t>(index));
  }
  const std::int64_t room = max_values == 0 ? std::numeric_limits<std::int64_t>::max()
                                            : std::max<std::int64_t>(0, max_values - (old - 1));
  std::size_t next = 0;
  while (next < newcomers.size() && static_cast<std::int64_t>(next) < room) {
    rows.push_back(newcomers[next++]);
  }
  for (std::int64_t index = old - 1; index > 0 && next < newcomers.size(); --index) {
    if (counts[static_cast<std::size_t>(index)] == 0) {
      rows[static_cast<std::size_t>(index - 1)] = newcomers[next++];
    }
  }
  return rows;
}

}  // namespace

std::vector<std::int32_t> fit_vocabulary(FeatureEncoder& encoder, const Vocabulary& seen,
                                         const std::vector<std::int64_t>& counts, Fit fit,
                                         std::int64_t min_count, std::int64_t max_values) {
  const std::int64_t old = fit == Fit::grown && encoder.vocabulary ? encoder.vocabulary->size() : 1;
  const auto kept = place(counts, old, frequent(counts, old, min_count), max_values);
  encoder.max_values = max_values;
  encoder.vocabulary = std::make_shared<Vocabulary>(seen.select(kept));
  std::vector<std::int32_t> rows(counts.size(), Vocabulary::unknown);
  if (encoder.vocabulary_kind != "perfect_hash") {
    for (std::size_t i = 0; i < kept.size(); ++i) {
      rows[static_cast<std::size_t>(kept[i])] = static_cast<std::int32_t>(i + 1);
    }
    return rows;
  }
  number_by_perfect_hash(encoder);
  // Values left out may be taken for others, as they will be when the model is served.
  for (std::size_t index = 1; index < rows.size(); ++index) {
    rows[index] = encoder.perfect_hash->find(hash_key(seen.key(static_cast<std::int32_t>(index))));
  }
  return rows;
}

std::vector<std::int32_t> number_by_perfect_hash(FeatureEncoder& encoder) {
  const Vocabulary& values = *encoder.vocabulary;
  if (values.size() == 1) {
    throw InputError(
        "features.{}: no value is in as many training rows as min_count says, so that a perfect "
        "hash "
        "has nothing to number; lower it, or take vocabulary: dictionary",
        encoder.name);
  }
  std::vector<std::uint64_t> hashes;
  hashes.reserve(static_cast<std::size_t>(values.size() - 1));
  for (std::int32_t index = 1; index < values.size(); ++index) {
    hashes.push_back(hash_key(values.key(index)));
  }
  try {
    encoder.perfect_hash =
        std::make_shared<const PerfectHash>(PerfectHash::build(hashes, encoder.fingerprint_bits));
  } catch (const InputError& error) {
    throw InputError("features.{}: {}", encoder.name, error.what());
  }
  std::vector<std::int32_t> earlier(static_cast<std::size_t>(values.size()), Vocabulary::unknown);
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const auto number = static_cast<std::size_t>(encoder.perfect_hash->find(hashes[i]));
    earlier[number] = static_cast<std::int32_t>(i + 1);
  }
  encoder.vocabulary_kind = "perfect_hash";
  encoder.vocabulary =
      std::make_shared<Vocabulary>(values.select({earlier.begin() + 1, earlier.end()}));
  return earlier;
}

std::vector<std::int32_t> replaced_rows(const FeatureEncoder& before, const FeatureEncoder& after) {
  std::vector<std::int32_t> rows;
  if (!before.vocabulary || !after.vocabulary) return rows;
  const std::int64_t both = std::min(before.vocabulary->size(), after.vocabulary->size());
  for (std::int32_t row = 1; row < both; ++row) {
    if (!(before.vocabulary->key(row) == after.vocabulary->key(row))) rows.push_back(row);
  }
  return rows;
}

}  // namespace limber
