#pragma once

#include <cstdint>

/// Every constant of the cost model. Nothing in the rest of the room is a number of a circuit.
///
/// SOURCE. All areas and powers are from ISAAC (Shafiee et al., "ISAAC: A Convolutional Neural
/// Network Accelerator with In-Situ Analog Arithmetic in Crossbars", ISCA 2016), its table of
/// parameters, 32 nm, where they are given for one in-situ multiply-accumulate unit (IMA) of eight
/// arrays of 128 x 128 cells with eight 8-bit converters. The parts add up to 24.08 mW and
/// 0.01312 mm^2; twelve of these make the table's 289 mW and 0.157 mm^2, which is tested.
///
/// DERIVED. A unit's share is the table's value divided by how many of the unit the IMA has; its
/// energy in one read is that share of the power times the 100 ns that a read takes. One converter
/// reads the 128 bit lines of its array in that time. What is Limber's choice says so.
namespace limber::crossbar {

/// A value of the table: an IMA's power (watts) and area (mm^2), for `units` of the part.
struct IsaacPart {
  double power;
  double area;
  double units;

  /// Joules of one unit in one read.
  constexpr double energy_per_read() const;
  /// mm^2 of one unit.
  constexpr double unit_area() const { return area / units; }
};

/// Seconds of one read of an array (ISAAC: 100 ns).
inline constexpr double kReadTime = 100e-9;
constexpr double IsaacPart::energy_per_read() const {
  return power * kReadTime / units;
}

/// Eight arrays, 2.4 mW and 0.0002 mm^2; a unit is one cell. ISAAC's cells hold 2 bits; that cells
/// of other bits cost the same is an assumption (approximate).
inline constexpr IsaacPart kCells = {2.4e-3, 0.0002, 8.0 * 128 * 128};
/// Eight 8-bit converters, 16 mW and 0.0096 mm^2; a unit of power is one of 1024 readings, a unit
/// of area one converter. The table's rate is 1.2 GS/s; reading 128 lines in 100 ns takes 1.28,
/// which makes 1.56 pJ a conversion here where the table's rate makes 1.67.
inline constexpr IsaacPart kConversions = {16e-3, 0.0096, 8.0 * 128};
inline constexpr IsaacPart kConverters = {16e-3, 0.0096, 8};
/// 8 x 128 one-bit digital-to-analogue converters, 4 mW and 0.00017 mm^2; a unit is one word line.
inline constexpr IsaacPart kDrivers = {4e-3, 0.00017, 8.0 * 128};
/// 8 x 128 sample-and-holds, 10 uW and 0.00004 mm^2; a unit is one bit line.
inline constexpr IsaacPart kSampleAndHolds = {10e-6, 0.00004, 8.0 * 128};
/// Four shift-and-adds, 0.2 mW and 0.00024 mm^2, shared by eight converters; units as above.
inline constexpr IsaacPart kShiftAndAdds = {0.2e-3, 0.00024, 8.0 * 128};
inline constexpr IsaacPart kShiftAndAddsOfConverter = {0.2e-3, 0.00024, 8};
/// Input register, 2 KB, 1.24 mW and 0.0021 mm^2: shared out over the 1024 word lines.
inline constexpr IsaacPart kInputRegisters = {1.24e-3, 0.0021, 8.0 * 128};
/// Output register, 256 bytes, 0.23 mW and 0.00077 mm^2: shared out over the 1024 bit lines.
inline constexpr IsaacPart kOutputRegisters = {0.23e-3, 0.00077, 8.0 * 128};

/// Bit lines that one converter reads in turn (ISAAC: one for each array of 128).
inline constexpr std::int64_t kBitLinesPerConverter = 128;

/// Bits of an input, applied one at a time by the one-bit drivers. ISAAC's are 16; Limber's choice
/// is 8, which suits networks of 8-bit weights. Energies are proportional to it.
inline constexpr std::int64_t kInputBits = 8;

/// Bits of a weight before compression, where a network of floats is laid out for comparison.
/// Limber's choice.
inline constexpr std::int64_t kBaselineBits = 8;

/// Inferences a second at which power is stated. Limber's choice; the model has no standing power,
/// so power is this times the energy of an inference.
inline constexpr double kInferencesPerSecond = 1000;

/// Highest conductance over lowest. Limber's choice; reported devices differ by orders of magnitude
/// (approximate). It cancels in an exact pair and matters where cells vary.
inline constexpr double kOnOffRatio = 100;

}  // namespace limber::crossbar
