#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "limber/companions/screen/class_statistics.h"
#include "limber/companions/screen/feature_source.h"
#include "limber/companions/screen/framed_file.h"
#include "limber/companions/screen/transform.h"

namespace limber::screen {

inline constexpr std::string_view kPartialKind = "limber-screen-partial";
inline constexpr int kPartialVersion = 1;

/// Which features a process takes care of: blocks of kShardBlock consecutive features are dealt
/// out in turn.
struct Shard {
  std::int64_t number = 0;  ///< in [0, of)
  std::int64_t of = 1;

  bool has(std::int64_t feature) const;
};
inline constexpr std::int64_t kShardBlock = 1024;

/// Streams the features of `source` that belong to `shard`, writes a record of each (see Record)
/// and its name to `path`. The bytes do not depend on `threads`.
void write_partial(FeatureSource& source, const Classes& classes, const Transform& transform,
                   const Shard& shard, int threads, const std::filesystem::path& path);

/// The records of all features of one or more partial files, mapped: the heap holds none of them.
class Statistics {
 public:
  /// Throws InputError unless the files are whole, tell the same classes apart on the same samples
  /// under the same transform, and together are all shards once.
  /// `origin` is what to call the data in a message; the first file's name without it.
  explicit Statistics(const std::vector<std::filesystem::path>& files, std::string origin = "");

  struct Block {
    std::int64_t first;  ///< number of its feature 0 among all
    std::int64_t features;
    std::span<const double> records;  ///< [features, record_size]
    std::span<const std::uint32_t> ends;
    std::string_view text;

    Record record(std::int64_t i) const;
    std::string_view name(std::int64_t i) const;
  };

  const std::vector<Block>& blocks() const { return blocks_; }
  std::int64_t features() const { return features_; }
  const std::vector<std::string>& classes() const { return classes_; }
  const std::vector<std::int64_t>& class_samples() const { return class_samples_; }
  const Transform& transform() const { return transform_; }
  /// Block and place of feature `number`.
  std::pair<const Block*, std::int64_t> find(std::int64_t number) const;
  const std::string& origin() const { return origin_; }
  void release_pages() const;

 private:
  std::vector<std::unique_ptr<FramedReader>> files_;
  std::vector<Block> blocks_;
  std::int64_t features_ = 0;
  std::vector<std::string> classes_;
  std::vector<std::int64_t> class_samples_;
  Transform transform_;
  std::string origin_;
};

}  // namespace limber::screen
