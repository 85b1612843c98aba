#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "limber/serving/ranker/value.h"
#include "limber/serving/rows/ranked_candidate.h"
#include "limber/serving/runtime/support_rows.h"

namespace limber {

/// A member as one version of a model sees it: small, plain data, which may be copied, kept and
/// handed to other threads. It goes with the version that made it and with no other.
struct AdaptedMember {
  std::string name;   ///< the member's key as text
  std::string model;  ///< that adapted it
  std::string version;
  std::int64_t interactions = 0;  ///< that the adaptation looked at; 0: a member nobody has seen
  MemberVector vector;
  std::vector<std::vector<std::int32_t>> sequences;  ///< latest values, by sequence feature
};

/// Where a Ranker finds what the model was trained with.
struct RankerOptions {
  /// Files, folders or globs of side tables by name, where they are not those of training.
  std::map<std::string, std::string> tables = {};
  /// What relative paths of side tables in the model's config count from; empty: the current
  /// folder.
  std::filesystem::path base = {};
  /// Interaction features that the candidates of one call have in common, beside those of the
  /// member: their part is computed once a call, from the first candidate.
  std::vector<std::string> shared = {};
  /// Ranks with the fully connected layers multiplied in small integers: faster, rounded.
  bool int8 = false;
};

/// What a call of Ranker::rank asks for.
struct RankOptions {
  std::string label = {};  ///< that the order is by; empty: the model's score, or its first label
  std::size_t limit = 0;   ///< most candidates that come back; 0: all
  Fields context = {};     ///< of every candidate that does not say otherwise
  /// Deviations of one draw of the last layers that the scores come from, where the model was
  /// trained with explore.enabled (Thompson sampling); 0: the trained layers, the same each time.
  double explore = 0;
};

/// A published model inside the caller's own process: adapts members to their interactions and
/// ranks candidates for them, with the results that `limber serve` would give. It keeps no
/// members: what adapt() returns is the caller's.
///
/// Every function may be called from any number of threads at once. Copies are cheap and share the
/// model, which is immutable; a newer version is another Ranker. Errors that the caller can mend
/// are InputError, whose message names the row and the column.
class Ranker {
 public:
  /// Opens `model` (models/NAME: the latest version; or models/NAME/VERSION), checks every file of
  /// it and reads its side tables into memory-mapped temporary files. Throws InputError.
  static Ranker open(const std::filesystem::path& model, const RankerOptions& options = {});

  /// Adapts a member to its interactions, the oldest first. Of an interaction the model wants the
  /// columns that it was trained on, and one from which a label follows (for a label "rating >= 4"
  /// the column "rating"). Only the latest count, as many as the model looks back on (`wanted()`).
  /// Without any the result is what the model knows of a member that it has never seen. Throws
  /// InputError.
  AdaptedMember adapt(const Value& member, const std::vector<Fields>& interactions = {}) const;

  /// Candidates as rows of the log, best first. A key of a side table ("movie_id") brings the
  /// table's columns; a key that the table lacks is known by the fields given beside it. Throws
  /// InputError, also for a member that another version adapted.
  std::vector<RankedCandidate> rank(const AdaptedMember& member,
                                    const std::vector<Fields>& candidates,
                                    const RankOptions& options = {}) const;
  /// The same for candidates of which nothing but the key in the item table is given: the one side
  /// table that does not describe members. Throws InputError when there is not just one.
  std::vector<RankedCandidate> rank_items(const AdaptedMember& member,
                                          const std::vector<Value>& keys,
                                          const RankOptions& options = {}) const;

  const std::string& name() const;
  const std::string& version() const;
  /// Names of the labels, in the order of RankedCandidate::scores.
  const std::vector<std::string>& labels() const;
  /// Columns that the model reads, of interactions and of side tables.
  const std::vector<std::string>& columns() const;
  /// Interactions of a member that adapt() looks back on.
  std::int64_t wanted() const;

 private:
  class Implementation;
  explicit Ranker(std::shared_ptr<const Implementation> implementation);
  std::shared_ptr<const Implementation> implementation_;
};

}  // namespace limber
