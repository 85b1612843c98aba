#pragma once

#include <memory>
#include <string>

#include "limber/companions/screen/feature_source.h"
#include "limber/companions/screen/transform.h"
#include "limber/core/base/files.h"

namespace limber::screen {

/// All values of a data set, [features, samples], in a temporary file that the kernel, not our
/// heap, holds: for work that has to see the values more than once, in an order of its own.
class SampleMatrix {
 public:
  /// Reads all of `source` (which is then at its end), applying `transform`.
  SampleMatrix(FeatureSource& source, const Transform& transform,
               std::span<const SampleScale> scales);

  std::int64_t features() const { return features_; }
  std::size_t samples() const { return samples_.size(); }
  std::span<const double> feature(std::int64_t j) const;
  std::string_view name(std::int64_t j) const;

  /// The values as a source to be read again; valid while the matrix lives.
  std::unique_ptr<FeatureSource> source() const;

 private:
  class Source;

  TemporaryFolder folder_;
  MappedFile values_, names_, ends_;
  std::int64_t features_ = 0;
  std::vector<std::string> samples_, labels_;
  std::string origin_;
};

}  // namespace limber::screen
