#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "limber/training/model/ranking_model.h"

namespace limber {

/// The rows of the embedding tables in a checkpoint that several processes write: a file each,
/// beside the checkpoint's own, which is written last and names them by its step and their number.
/// Another number of processes can read them, one alone among them.
///
/// What a part holds: the rows and accumulators of the tables, the rows at the best epoch, the
/// state of the process's random generator.
struct CheckpointParts {
  std::int64_t step = 0, ranks = 1;
  std::int64_t whole_below = kWholeTableRows;  ///< tables of fewer rows lay whole

  std::filesystem::path path(const std::filesystem::path& checkpoint, std::int64_t rank) const;
};

/// Writes this process's part. `best`: copy_weights at the best epoch, or empty.
void save_part(const std::filesystem::path& checkpoint, const CheckpointParts& parts,
               const RankingModel& model, const std::map<std::string, torch::Tensor>& best);

/// Reads what this process holds of all parts into the model's tables and accumulators, and, where
/// there are any, best rows into `best`. Sets the random generator where there are as many
/// processes as before. Throws InputError for a part that is missing or damaged.
void load_parts(const std::filesystem::path& checkpoint, const CheckpointParts& parts,
                RankingModel& model, std::map<std::string, torch::Tensor>& best);

/// Copies to `mine`, which `rank` holds of a table placed by `to`, what is its own among `theirs`,
/// which process `from_rank` held when the table was placed by `from`. Both [held rows, ...].
void copy_held_rows(const torch::Tensor& theirs, const TablePlacement& from, std::int64_t from_rank,
                    torch::Tensor& mine, const TablePlacement& to, std::int64_t rank);

/// Throws what says that a file of a checkpoint cannot be read, and why: a machine that is too
/// small for it is no reason to begin anew.
[[noreturn]] void refuse_checkpoint(const std::filesystem::path& path, const std::exception& error);

/// Removes a checkpoint with its parts, or its parts but for those of `keep` (none, of one
/// process).
void remove_checkpoint(const std::filesystem::path& checkpoint);
void remove_other_parts(const std::filesystem::path& checkpoint, const CheckpointParts& keep);

}  // namespace limber
