#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "limber/companions/screen/cross_validation.h"
#include "limber/companions/screen/screen_model.h"

namespace limber::screen {

/// Folds from a table (CSV or Parquet) with a column `sample` and, for every repeat, one column of
/// whole numbers from 0: the fold in which the sample is held out. Throws InputError for a sample
/// that is not there exactly once, or a value that is no such number.
Folds read_folds(const std::filesystem::path& path, const std::vector<std::string>& samples);

/// CSV or Parquet by the name of `path`: repeat (from 0), sample, label, predicted,
/// probability_NAME a class.
void write_validation(const Validation& validation, const Classes& classes,
                      const std::vector<std::string>& samples, const std::filesystem::path& path);

/// {"error", "low", "high", "log_loss", "samples", "repeats", "classes", "confusion"}
nlohmann::json validation_to_json(const Validation& validation, const Classes& classes);

/// Throws InputError beginning with `origin` unless `json` is what validation_to_json gives for the
/// classes of `model`.
void check_validation(const nlohmann::json& json, const ScreenModel& model,
                      const std::string& origin);

}  // namespace limber::screen
