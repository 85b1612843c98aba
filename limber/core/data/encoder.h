#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "limber/core/config/options.h"
#include "limber/core/data/label_thresholds.h"
#include "limber/core/data/perfect_hash.h"
#include "limber/core/data/quotient_remainder.h"
#include "limber/core/data/vocabulary.h"

namespace limber {

enum class FeatureKind { number, id, ids, sequence };

/// How one feature's raw value becomes what the model sees. Fitted on training rows, stored in the
/// artifact, and used unchanged ever after.
struct FeatureEncoder {
  std::string name;
  FeatureKind kind = FeatureKind::number;
  std::string column;
  std::string table;      ///< side table it is read from; "" = the interactions
  std::string separator;  ///< ids
  std::string transform;  ///< number
  double mean = 0, deviation = 1;
  bool missing_indicator = false;  ///< number: a second input says whether the value was missing
  std::vector<double>
      boundaries;               ///< bucketize: ascending upper bounds of all buckets but the last
  std::string vocabulary_kind;  ///< id, ids: dictionary, perfect_hash, hash or qr
  std::int64_t hash_size = 0;
  QuotientRemainder quotient_remainder;    ///< qr only
  std::shared_ptr<Vocabulary> vocabulary;  ///< dictionary; perfect_hash while its model is trained
  std::shared_ptr<const PerfectHash> perfect_hash;  ///< perfect_hash only
  std::int64_t max_values = 0;                      ///< dictionary, perfect_hash: cap, 0 = none
  std::int64_t fingerprint_bits = 0;                ///< perfect_hash
  Collisions collisions;                            ///< hash, qr: among the training rows' values
  std::string of;                                   ///< sequence
  std::int64_t length = 0;                          ///< sequence
  std::int64_t dim = 0;                             ///< width of the embedding, where there is one

  bool has_table() const { return kind != FeatureKind::number || transform == "bucketize"; }
  /// Rows of its embedding table, the unknown row 0 included; 0 for a plain number and for a
  /// sequence, which shares the table of `of`.
  std::int64_t table_rows() const;
  /// Whether a value has several rows of the table, whose mean it is: it is encoded as a list.
  bool has_several_rows() const { return vocabulary_kind == "qr"; }
  /// Row of the embedding table for a value (id, ids); not for one that has several.
  std::int32_t index(const Key& key) const;
  /// Appends a value's row or rows of the embedding table (id, ids).
  void append_rows(const Key& key, std::vector<std::int32_t>& rows) const;
  /// The same by the value's hash_key; not for a dictionary, which knows values by themselves.
  void append_rows_of_hash(std::uint64_t hash, std::vector<std::int32_t>& rows) const;
  /// Bucket (bucketize): 0 for NaN, else 1 + the number of boundaries <= value.
  std::int32_t bucket(double value) const;
  /// Transformed value of a plain number; NaN stays NaN.
  float number(double value) const;

  /// Everything but the vocabulary's words, which are stored in a file of their own.
  nlohmann::json to_json() const;
  static FeatureEncoder from_json(const nlohmann::json& json, const std::string& origin);
};

/// Finds mean, deviation and boundaries from a sample of training values (NaN = missing), and what
/// the transform "auto" stands for.
void fit_number(FeatureEncoder& encoder, std::vector<float> sample, std::int64_t buckets);

/// One input of the model.
struct InputFeature {
  std::string name;
  FeatureKind kind = FeatureKind::number;
  int source = 0;           ///< 0 = interactions, 1.. = side tables
  int table = -1;           ///< embedding table, or -1
  std::int64_t width = 1;   ///< columns that it takes of the input vector
  std::int64_t offset = 0;  ///< first of them within its source's part
};

struct EmbeddingTableShape {
  std::string name;
  std::int64_t rows = 0, dim = 0;
};

/// What the model must know of the data: which inputs there are and where they lie.
struct InputLayout {
  std::vector<InputFeature> features;  ///< in config order
  std::vector<EmbeddingTableShape> tables;
  std::vector<std::string> sources;         ///< [0] = "", then the side tables' names
  std::vector<std::int64_t> source_widths;  ///< columns of each source's part
  std::vector<std::string> labels;
  LabelThresholds label_thresholds;  ///< of labels that are compared with a percentile

  const InputFeature& find(const std::string& name) const;
};

/// A feature whose values have several rows (vocabulary: qr) is laid out as a list, whether it is
/// of kind id or ids: a value is the mean of its four rows, which is their sum (LiRank's choice)
/// but for a constant that the rows learn to carry. Throws InputError for a sequence of such a
/// feature, or of any that is not of kind id.
InputLayout make_layout(const std::vector<FeatureEncoder>& encoders,
                        const std::vector<std::string>& tables,
                        const std::vector<std::string>& labels);

}  // namespace limber
