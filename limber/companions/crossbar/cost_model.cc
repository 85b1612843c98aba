#include "limber/companions/crossbar/cost_model.h"

#include "limber/companions/crossbar/cost_constants.h"

namespace limber::crossbar {

CrossbarCost cost_of(const CrossbarCounts& counts) {
  const auto cells = static_cast<double>(counts.cells);
  const auto converters = static_cast<double>(counts.converters);
  const auto drivers = static_cast<double>(counts.drivers);
  const auto bit_lines = static_cast<double>(counts.bit_lines);
  CrossbarCost cost;
  cost.area.arrays = cells * kCells.unit_area();
  cost.area.converters = converters * kConverters.unit_area();
  cost.area.drivers = drivers * kDrivers.unit_area();
  cost.area.peripherals = bit_lines * (kSampleAndHolds.unit_area() + kOutputRegisters.unit_area()) +
                          converters * kShiftAndAddsOfConverter.unit_area() +
                          drivers * kInputRegisters.unit_area();

  const auto reads = static_cast<double>(kInputBits);
  const double read_cells = reads * static_cast<double>(counts.read_cells);
  const double conversions = reads * static_cast<double>(counts.conversions);
  const double driven = reads * static_cast<double>(counts.driven_lines);
  cost.energy.arrays = read_cells * kCells.energy_per_read();
  cost.energy.converters = conversions * kConversions.energy_per_read();
  cost.energy.drivers = driven * kDrivers.energy_per_read();
  cost.energy.peripherals =
      conversions * (kSampleAndHolds.energy_per_read() + kOutputRegisters.energy_per_read() +
                     kShiftAndAdds.energy_per_read()) +
      driven * kInputRegisters.energy_per_read();
  return cost;
}

double power_of(const CrossbarCost& cost, double inferences_per_second) {
  return cost.energy.sum() * inferences_per_second;
}

double reduction(double before, double after) {
  return before == after ? 0 : 1 - after / before;
}

}  // namespace limber::crossbar
