#include "limber/core/data/new_encoders.h"

#include <utility>

namespace limber {
namespace {

FeatureKind kind_of(const FeatureOptions& feature) {
  return feature.kind == "number" ? FeatureKind::number
         : feature.kind == "id"   ? FeatureKind::id
         : feature.kind == "ids"  ? FeatureKind::ids
                                  : FeatureKind::sequence;
}

void set_vocabulary(FeatureEncoder& encoder, const FeatureOptions& feature) {
  encoder.vocabulary_kind = feature.vocabulary;
  if (feature.vocabulary == "hash") {
    encoder.hash_size = feature.hash_size;
  } else if (feature.vocabulary == "qr") {
    encoder.quotient_remainder = {feature.quotients, feature.remainders};
  } else {
    encoder.max_values = feature.max_values;
  }
  if (feature.vocabulary == "perfect_hash") encoder.fingerprint_bits = feature.fingerprint_bits;
}

}  // namespace

std::vector<FeatureEncoder> new_encoders(const Config& config,
                                         const std::vector<SourceFiles>& sources) {
  std::vector<FeatureEncoder> encoders;
  for (const FeatureOptions& feature : config.features) {
    FeatureEncoder encoder;
    encoder.name = feature.name;
    encoder.dim = feature.dim;
    encoder.kind = kind_of(feature);
    if (encoder.kind == FeatureKind::sequence) {
      encoder.of = feature.of;
      encoder.length = feature.length;
    } else {
      encoder.column = feature.column.empty() ? feature.name : feature.column;
      encoder.table = table_of(sources, feature, encoder.column);
      if (encoder.kind == FeatureKind::number) {
        encoder.transform = feature.transform;
      } else {
        encoder.separator = feature.separator;
        set_vocabulary(encoder, feature);
      }
    }
    encoders.push_back(std::move(encoder));
  }
  return encoders;
}

}  // namespace limber
