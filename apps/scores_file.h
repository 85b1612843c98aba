#pragma once

#include <filesystem>

#include "limber/core/data/dataset.h"
#include "limber/training/train/scoring.h"

namespace limber {

/// Writes scored rows as Parquet (or CSV, by the name), one row each, in the order of the data
/// set: member, support_rows, activity (training rows of the member; all its rows where members
/// are split), and for each label L the columns L_logit and L; `sample_weight` too where the data
/// have weights. Two models of one config's data give files whose rows match line by line.
void write_scores(const std::filesystem::path& path, const Dataset& dataset,
                  const ScoredRows& scored);

}  // namespace limber
