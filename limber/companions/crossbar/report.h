#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "limber/companions/crossbar/cost_model.h"
#include "limber/companions/crossbar/mapping.h"
#include "limber/companions/crossbar/monte_carlo.h"

namespace limber::crossbar {

/// A layer, or all of them, before and after compression.
struct ComparedCounts {
  CrossbarCounts before, after;
  CrossbarCost cost_before, cost_after;

  double area_reduction() const { return reduction(cost_before.area.sum(), cost_after.area.sum()); }
  /// Of energy at the same work, and so of power at the same rate.
  double power_reduction() const {
    return reduction(cost_before.energy.sum(), cost_after.energy.sum());
  }
  /// Weights before for each that is not zero after; 0 where none is left.
  double weight_compression() const;
};

struct ComparedLayer {
  std::string name;
  /// Bits of a weight after; 0 where the layer is gone.
  std::int64_t bits = 0;
  ComparedCounts counts;
};

struct CrossbarReport {
  std::string title = "Crossbars";
  CrossbarOptions options;
  std::int64_t bits_before = kBaselineBits;
  std::vector<ComparedLayer> layers;
  ComparedCounts total;
  /// What chips.values are: "AUC", "accuracy".
  std::string metric_name;
  MonteCarloResult chips;
  /// Plain text, shown above the tables.
  std::vector<std::string> notes;
};

/// Holds a mapped network against what it was: `before` dense, with `bits_before` bits a weight, on
/// the same crossbars. Layers belong together by name; one of `before` that `after` lacks was taken
/// out whole. Throws Error for a layer that `before` lacks or a name that occurs twice.
CrossbarReport compare(const std::vector<DenseLayer>& before, std::int64_t bits_before,
                       const CrossbarMapping& after);

/// Everything in the report, with areas in mm^2, energies in joules and power in watts.
nlohmann::json to_json(const CrossbarReport& report);

/// The report as one HTML page that needs nothing else, readable on a phone, in light and dark.
std::string render_crossbar_report(const CrossbarReport& report);

/// Writes that page, whole or not at all. Throws Error where it cannot be written.
void write_crossbar_report(const std::filesystem::path& path, const CrossbarReport& report);

}  // namespace limber::crossbar
