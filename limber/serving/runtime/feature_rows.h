#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace limber {

/// Encoded values of one feature for all rows of a source: views of memory that somebody else
/// keeps. Which are set depends on the feature's kind, as in FeatureColumn.
struct FeatureValues {
  const float* numbers = nullptr;         ///< [rows]: transformed, NaN = missing
  const std::int32_t* indices = nullptr;  ///< [rows]: row of the embedding table (id, bucketize)
  const std::int64_t* starts = nullptr;   ///< [rows]: where a row's values begin (ids)
  const std::int32_t* lengths = nullptr;  ///< [rows]: and how many there are (ids)
  const std::int32_t* values = nullptr;   ///< rows of the embedding table (ids)
};

/// The encoded rows of the interactions or of one side table.
struct SourceRows {
  std::int64_t rows = 0;
  std::vector<FeatureValues> features;  ///< by InputLayout feature; empty for other sources'
};

/// A row of the model's input names one row of each source: of a resident table, or, where the
/// number is negative, row -1 - number of the few that came with the request.
struct SourceChoice {
  const SourceRows* resident = nullptr;
  const SourceRows* extra = nullptr;
  std::span<const std::int64_t> rows;  ///< [rows of the set]
};

/// Earlier values of a member, which no source holds: one list a row.
struct SequenceValues {
  std::span<const std::int64_t> offsets;  ///< [rows of the set + 1]
  std::span<const std::int32_t> indices;  ///< rows of the embedding table
};

/// Rows of the model's input: support rows of a member, or candidates of a request.
struct RowSet {
  std::int64_t rows = 0;
  std::vector<SourceChoice> sources;      ///< by InputLayout source
  std::vector<SequenceValues> sequences;  ///< by InputLayout feature; empty for other kinds
};

}  // namespace limber
