#pragma once

#include "limber/companions/crossbar/counts.h"

namespace limber::crossbar {

/// A sum over the parts of crossbars.
struct CostParts {
  double arrays = 0;       ///< memory cells
  double converters = 0;   ///< analogue-to-digital converters
  double drivers = 0;      ///< digital-to-analogue converters of the word lines
  double peripherals = 0;  ///< sample-and-holds, shift-and-adds, input and output registers

  double sum() const { return arrays + converters + drivers + peripherals; }
};

/// An estimate from published constants (cost_constants.h), not a design. Left out are the
/// buffers outside the arrays, buses and routers, activation functions, writing the weights,
/// leakage, and any change of a converter's cost with its resolution.
struct CrossbarCost {
  /// mm^2. Arrays are counted whole; drivers and sample-and-holds by the lines in use.
  CostParts area;
  /// Joules of one inference: for each bit of the inputs, what is driven and read.
  CostParts energy;
};

CrossbarCost cost_of(const CrossbarCounts& counts);

/// Watts of `inferences_per_second`.
double power_of(const CrossbarCost& cost, double inferences_per_second);

/// 1 - after / before; 0 where both are zero.
double reduction(double before, double after);

}  // namespace limber::crossbar
