#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "limber/core/data/label_columns.h"
#include "limber/core/data/member_shard.h"
#include "limber/core/data/reader.h"
#include "limber/core/data/source_builder.h"

namespace limber {

/// The interactions as they are read, before they are sorted: values as they are, keys as numbers
/// into dictionaries of all that were seen. One process reads all of them, or several a share each,
/// which the first of them then puts behind its own, with the result of one that reads all.
class RawInteractions {
 public:
  /// `files` and `builders`: of the interactions, whose features were added, and of the side
  /// tables, whose keys are known. They must outlive it, as must `data`. Throws InputError for a
  /// label's column that is not there.
  RawInteractions(const DataOptions& data, const std::vector<SourceFiles>& files,
                  std::vector<SourceBuilder>& builders, const std::filesystem::path& folder);

  /// Reads rows of `members`. Throws InputError for what cannot be read.
  void read(const MemberShard& members, ReadShare share);
  /// Ends the reading, and leaves all of it in the folder for append() of another process.
  void save();
  /// Puts what another process has saved in `piece` behind what is there.
  void append(const std::filesystem::path& piece);

  /// Ends the reading. What follows is for afterwards.
  void finish();

  Vocabulary task_keys;
  std::int64_t rows = 0;
  std::int64_t passed_over = 0;  ///< rows of other members
  std::int64_t bad_rows = 0;
  MappedFile tasks;    ///< int32 [rows]
  MappedFile times;    ///< int64 [rows]; 0 without data.time
  MappedFile weights;  ///< float [rows]; empty without data.weight
  MappedFile numbers;  ///< int64 [rows], the row's number in the log; empty where all were read
  std::vector<MappedFile> side_rows;  ///< by side table: int32 [rows]
  LabelColumns labels;

 private:
  std::string side_file(std::size_t source) const;
  /// What the files are just now: who reads others would cut other shares.
  std::string files_seen() const;

  const std::vector<SourceFiles>& files_;
  std::vector<SourceBuilder>& builders_;
  std::filesystem::path folder_;
  bool skip_;
  std::size_t task_view_;
  std::optional<std::size_t> time_view_, weight_view_;
  std::vector<std::size_t> key_views_;  ///< by side table
  ColumnFile<std::int32_t> raw_tasks_;
  ColumnFile<std::int64_t> raw_times_;
  ColumnFile<float> raw_weights_;
  ColumnFile<std::int64_t> raw_numbers_;
  std::vector<ColumnFile<std::int32_t>> raw_side_;
  std::string seen_;  ///< the files before they were read
};

}  // namespace limber
