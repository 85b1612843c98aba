#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "limber/core/config/config.h"
#include "limber/training/model/ranking_model.h"

/// The models that training and serving are compared over, and the log that they are built on.
namespace limber {

constexpr std::int64_t kSupport = 12;

/// One choice of everything that shapes the model.
struct Shape {
  std::string meta, adapt, meta_activation, start, history, signal, cross, mlp, activation;
  bool statistics, wide, weights, subset, per_tensor;
  std::string gate = "none", calibration = "off", experts = "none";

  std::string text() const;
};

/// Every combination of what can touch.
std::vector<Shape> all_shapes();

/// A small log that holds what logs hold: empty lists, unknown ids, missing numbers.
void write_log(const std::filesystem::path& folder);

Config make_config(const std::filesystem::path& folder, const Shape& shape);

/// Away from zero biases and other special values, and large enough that steps matter.
void scatter(RankingModel& model);

}  // namespace limber
