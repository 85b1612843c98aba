#pragma once

#include <string>
#include <vector>

#include "limber/core/base/files.h"
#include "limber/core/base/random.h"
#include "limber/core/data/dataset.h"

namespace limber {

/// Builds a data set of random values column by column, in files of a temporary folder: the same
/// `Dataset` that encoded logs give, without logs. Ids follow a power law (log-uniform ranks), as
/// the ids of real logs do.
class SyntheticData {
 public:
  explicit SyntheticData(std::uint64_t seed) : random_(seed) {}

  /// Interactions come first, then the side tables. Columns are added to the newest source.
  void add_source(const std::string& name, std::int64_t rows);
  void add_number(const std::string& name);
  /// An id of `vocabulary` values, 0 (unknown) among them.
  void add_id(const std::string& name, std::int64_t vocabulary, std::int64_t dim);
  /// A list of 1 to `most` ids.
  void add_ids(const std::string& name, std::int64_t vocabulary, std::int64_t dim,
               std::int64_t most);

  /// `tasks` members with equally many rows, all of them for training; one label, a fifth of them
  /// ones. Call once. The data set lives as long as this object.
  const Dataset& finish(std::int64_t tasks);

 private:
  MappedFile file(std::size_t bytes);
  FeatureEncoder& add_feature(const std::string& name, FeatureKind kind);
  std::int32_t draw_id(std::int64_t vocabulary);

  TemporaryFolder folder_;
  std::int64_t files_ = 0;
  Random random_;
  std::vector<std::string> tables_;
  Dataset dataset_;
};

}  // namespace limber
