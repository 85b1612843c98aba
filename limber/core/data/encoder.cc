#include "limber/core/data/encoder.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "limber/core/base/error.h"

namespace limber {
namespace {

double before_scaling(const std::string& transform, double value) {
  // Counts are not negative; a stray negative value must not become NaN.
  return transform == "log1p" ? std::log1p(std::max(value, 0.0)) : value;
}

/// Mean and deviation of the transformed values.
std::pair<double, double> moments(const std::vector<float>& sample, const std::string& transform) {
  double sum = 0, squares = 0;
  for (const float value : sample) sum += before_scaling(transform, value);
  const double mean = sum / static_cast<double>(sample.size());
  for (const float value : sample) {
    const double difference = before_scaling(transform, value) - mean;
    squares += difference * difference;
  }
  const double deviation = std::sqrt(squares / static_cast<double>(sample.size()));
  // A constant column carries nothing: it becomes 0, not infinity.
  return {mean, deviation > 1e-12 ? deviation : 1.0};
}

/// The third standardized moment: how much further one tail reaches than the other.
double skewness(const std::vector<float>& sample, const std::string& transform) {
  const auto [mean, deviation] = moments(sample, transform);
  double cubes = 0;
  for (const float value : sample) {
    cubes += std::pow((before_scaling(transform, value) - mean) / deviation, 3);
  }
  return cubes / static_cast<double>(sample.size());
}

/// What transform "auto" stands for: log1p for values that are never negative and that it makes
/// less skewed.
std::string fitting_transform(const std::vector<float>& sample) {
  const bool negative =
      std::any_of(sample.begin(), sample.end(), [](float value) { return value < 0; });
  const bool log = !sample.empty() && !negative &&
                   std::abs(skewness(sample, "log1p")) < std::abs(skewness(sample, "standardize"));
  return log ? "log1p" : "standardize";
}

/// Whether a value's hash is all that is asked for.
bool knows_hashes(const FeatureEncoder& encoder) {
  return encoder.vocabulary_kind == "hash" || encoder.vocabulary_kind == "qr" ||
         encoder.vocabulary_kind == "perfect_hash";
}

std::int32_t index_of_hash(const FeatureEncoder& encoder, std::uint64_t hash) {
  if (encoder.vocabulary_kind == "hash") {
    return static_cast<std::int32_t>(1 + hash % static_cast<std::uint64_t>(encoder.hash_size));
  }
  if (encoder.perfect_hash) return encoder.perfect_hash->find(hash);
  throw Error("feature {}: a value of vocabulary '{}' has no row of its own by its hash",
              encoder.name, encoder.vocabulary_kind);
}

}  // namespace

std::int64_t FeatureEncoder::table_rows() const {
  switch (kind) {
    case FeatureKind::number:
      return transform == "bucketize" ? static_cast<std::int64_t>(boundaries.size()) + 2 : 0;
    case FeatureKind::id:
    case FeatureKind::ids:
      if (vocabulary_kind == "hash") return hash_size + 1;
      if (vocabulary_kind == "qr") return quotient_remainder.rows();
      if (perfect_hash) return perfect_hash->size();
      return vocabulary ? vocabulary->size() : 1;
    case FeatureKind::sequence:
      return 0;
  }
  return 0;
}

std::int32_t FeatureEncoder::index(const Key& key) const {
  if (!knows_hashes(*this)) return vocabulary->find(key);
  return index_of_hash(*this, hash_key(key));
}

void FeatureEncoder::append_rows(const Key& key, std::vector<std::int32_t>& rows) const {
  if (!knows_hashes(*this)) {
    rows.push_back(vocabulary->find(key));
  } else {
    append_rows_of_hash(hash_key(key), rows);
  }
}

void FeatureEncoder::append_rows_of_hash(std::uint64_t hash,
                                         std::vector<std::int32_t>& rows) const {
  if (has_several_rows()) {
    const auto four = quotient_remainder.rows_of(hash);
    rows.insert(rows.end(), four.begin(), four.end());
  } else {
    rows.push_back(index_of_hash(*this, hash));
  }
}

std::int32_t FeatureEncoder::bucket(double value) const {
  if (std::isnan(value)) return 0;
  const auto place = std::upper_bound(boundaries.begin(), boundaries.end(), value);
  return static_cast<std::int32_t>(1 + (place - boundaries.begin()));
}

float FeatureEncoder::number(double value) const {
  return static_cast<float>((before_scaling(transform, value) - mean) / deviation);
}

void fit_number(FeatureEncoder& encoder, std::vector<float> sample, std::int64_t buckets) {
  const auto missing =
      std::remove_if(sample.begin(), sample.end(), [](float value) { return std::isnan(value); });
  encoder.missing_indicator = missing != sample.end() && encoder.transform != "bucketize";
  sample.erase(missing, sample.end());
  if (encoder.transform == "auto") encoder.transform = fitting_transform(sample);
  if (encoder.transform == "bucketize") {
    std::sort(sample.begin(), sample.end());
    encoder.boundaries.clear();
    for (std::int64_t i = 1; i < buckets && !sample.empty(); ++i) {
      const auto at =
          static_cast<std::size_t>(i * static_cast<std::int64_t>(sample.size()) / buckets);
      const double bound = sample[at];
      if (bound > sample.front() &&
          (encoder.boundaries.empty() || bound > encoder.boundaries.back())) {
        encoder.boundaries.push_back(bound);
      }
    }
    return;
  }
  encoder.mean = 0;
  encoder.deviation = 1;
  if (encoder.transform == "none" || sample.empty()) return;
  std::tie(encoder.mean, encoder.deviation) = moments(sample, encoder.transform);
}

const InputFeature& InputLayout::find(const std::string& name) const {
  for (const InputFeature& feature : features) {
    if (feature.name == name) return feature;
  }
  throw InputError("no feature is named '{}'", name);
}

InputLayout make_layout(const std::vector<FeatureEncoder>& encoders,
                        const std::vector<std::string>& tables,
                        const std::vector<std::string>& labels) {
  InputLayout layout;
  layout.sources.push_back("");
  layout.sources.insert(layout.sources.end(), tables.begin(), tables.end());
  layout.source_widths.assign(layout.sources.size(), 0);
  layout.labels = labels;
  for (const FeatureEncoder& encoder : encoders) {
    InputFeature feature;
    feature.name = encoder.name;
    feature.kind = encoder.has_several_rows() ? FeatureKind::ids : encoder.kind;
    if (encoder.kind != FeatureKind::sequence) {
      const auto place = std::find(layout.sources.begin(), layout.sources.end(), encoder.table);
      if (place == layout.sources.end()) {
        throw InputError("feature {}: no table is named '{}'", encoder.name, encoder.table);
      }
      feature.source = static_cast<int>(place - layout.sources.begin());
    }
    if (encoder.kind == FeatureKind::number && !encoder.has_table()) {
      feature.width = encoder.missing_indicator ? 2 : 1;
    } else if (encoder.kind != FeatureKind::sequence) {
      feature.width = encoder.dim;
      feature.table = static_cast<int>(layout.tables.size());
      layout.tables.push_back({encoder.name, encoder.table_rows(), encoder.dim});
    }
    layout.features.push_back(feature);
  }
  for (std::size_t i = 0; i < encoders.size(); ++i) {
    InputFeature& feature = layout.features[i];
    if (feature.kind == FeatureKind::sequence) {
      const InputFeature& of = layout.find(encoders[i].of);
      if (encoders[static_cast<std::size_t>(&of - layout.features.data())].has_several_rows()) {
        throw InputError(
            "feature {}: of: a value of {} has several rows (vocabulary: qr), and a sequence is "
            "made "
            "of single ones",
            feature.name, of.name);
      }
      if (of.kind != FeatureKind::id) {
        throw InputError("feature {}: of: {} is not a feature of kind id", feature.name, of.name);
      }
      feature.table = of.table;
      feature.width = layout.tables[static_cast<std::size_t>(of.table)].dim;
    }
    auto& width = layout.source_widths[static_cast<std::size_t>(feature.source)];
    feature.offset = width;
    width += feature.width;
  }
  return layout;
}

}  // namespace limber
