#pragma once

#include <filesystem>
#include <functional>

#include "limber/core/config/options.h"
#include "limber/core/data/dataset.h"
#include "limber/core/data/fit.h"
#include "limber/core/data/member_shard.h"
#include "limber/core/data/reader.h"

namespace limber {

/// Reads the logs and side tables of `config.data` once, encodes them and writes the encoded
/// columns into `folder`, which must exist and outlive the data set.
///
/// Without `encoders` they are fitted on the training rows alone; with them (of an artifact) they
/// are used as they are, and unseen values become unknown, or with Fit::grown join the
/// dictionaries. `thresholds` belong to `encoders`: those of the artifact's labels that are
/// compared with a percentile; with Fit::grown they are measured anew.
///
/// `members`: rows of all others are passed over, unread but for their member. A member's rows are
/// then in the order that they have in the whole log (where data.on_bad_row skips rows and there is
/// no time: but for those). A share that no member of the log is in gives a data set without rows.
///
/// Throws InputError that names file, row and column for what cannot be read (or counts the row
/// where data.on_bad_row is skip), and for data that cannot be learned from: no rows, a task or
/// label column that is missing, and with Fit::anew a label that is the same in all training rows.
Dataset build_dataset(const Config& config, const std::filesystem::path& folder,
                      const std::vector<FeatureEncoder>* encoders = nullptr,
                      const LabelThresholds* thresholds = nullptr, Fit fit = Fit::fixed,
                      const MemberShard& members = {});

/// The same by several processes, each of which reads a share of the interactions (reader.h). All
/// but the first call this, each with a `folder` of its own, which is left to be removed.
void read_dataset_piece(const Config& config, const std::filesystem::path& folder, ReadShare share);

/// And the first of them this: it reads the first share of `pieces` and puts the others behind it,
/// where `piece` says that they were read to. The data set is build_dataset's, bit by bit.
Dataset build_dataset_of_pieces(const Config& config, const std::filesystem::path& folder,
                                std::int64_t pieces,
                                const std::function<std::filesystem::path(std::int64_t)>& piece);

}  // namespace limber
