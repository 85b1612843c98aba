#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "limber/core/base/files.h"
#include "limber/core/data/encoder.h"

namespace limber {

/// Values of one feature for every row of its source; which member is set depends on the kind.
struct FeatureColumn {
  MappedFile numbers;  ///< float [rows]: transformed, NaN = missing
  MappedFile indices;  ///< int32 [rows]: row of the embedding table (id, bucketize)
  MappedFile starts;   ///< int64 [rows]: where a row's values begin (ids)
  MappedFile lengths;  ///< int32 [rows]: and how many there are (ids)
  MappedFile values;   ///< int32: rows of the embedding table (ids)
};

/// The encoded rows of the interactions or of one side table.
struct DataSource {
  std::string name;
  std::int64_t rows = 0;
  std::vector<FeatureColumn> columns;  ///< in the order of `features`
  std::vector<int> features;           ///< indices into InputLayout::features
};

/// A member's rows are contiguous: first its training rows, then validation, then test.
struct TaskRows {
  std::int64_t begin = 0, train_end = 0, validation_end = 0, end = 0;
};

enum class Part { train, validation, test };

/// Interactions sorted by task and, within a task, by time (or in seeded random order where no
/// time exists), with side tables. Everything large is a mapped file.
struct Dataset {
  std::vector<FeatureEncoder> encoders;
  InputLayout layout;
  std::vector<DataSource> sources;    ///< [0] interactions, then the side tables
  std::vector<MappedFile> side_rows;  ///< by side table: int32 [rows], row of the side table
  MappedFile labels;                  ///< float [rows, labels]
  MappedFile weights;                 ///< float [rows] of 0 or more; empty without data.weight
  MappedFile times;                   ///< int64 [rows]; empty without data.time
  std::vector<TaskRows> tasks;
  Vocabulary task_keys;  ///< task t is index t + 1
  std::int64_t rows = 0;
  std::int64_t bad_rows = 0;
  bool split_by_member = false;
  std::string split;                           ///< members, chronological or random
  std::int64_t first_time = 0, last_time = 0;  ///< of the training rows

  std::int64_t train_rows() const;
  /// Whether a task's rows are in the order in which they happened.
  bool ordered_by_time() const { return times.size() > 0 && split != "random"; }
  float label(std::int64_t row, std::size_t which) const {
    return labels.as<float>()[static_cast<std::size_t>(row) * layout.labels.size() + which];
  }
  float weight(std::int64_t row) const {
    return weights.size() == 0 ? 1.0F : weights.as<float>()[static_cast<std::size_t>(row)];
  }
  /// The part that a whole task belongs to, when the split is by member.
  Part part_of(const TaskRows& task) const;
};

}  // namespace limber
