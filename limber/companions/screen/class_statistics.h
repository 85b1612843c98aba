#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace limber::screen {

/// The classes that a model tells apart, by name in ascending order, and which one each training
/// sample is of.
struct Classes {
  std::vector<std::string> names;
  std::vector<int> of_sample;         ///< [samples], index into names
  std::vector<std::int64_t> samples;  ///< [classes]

  int count() const { return static_cast<int>(names.size()); }
  /// Two classes differ in one direction (the second minus the first); more than two in one each,
  /// the class minus all the others.
  int directions() const { return count() == 2 ? 1 : count(); }
};

/// Throws InputError beginning with `origin` unless there are two classes or more and every label
/// is given.
Classes classes_of(std::span<const std::string> labels, const std::string& origin);

/// A record is what a fit keeps of one feature: [count of class 0.., mean of class 0.., pooled
/// within-class variance, its degrees of freedom], all doubles. Missing values (NaN) are left out
/// of all four.
inline std::size_t record_size(int classes) {
  return 2 * static_cast<std::size_t>(classes) + 2;
}

struct Record {
  std::span<const double> values;

  int classes() const { return static_cast<int>(values.size() / 2 - 1); }
  double count(int k) const { return values[static_cast<std::size_t>(k)]; }
  double mean(int k) const { return values[static_cast<std::size_t>(classes() + k)]; }
  double variance() const { return values[values.size() - 2]; }
  double degrees() const { return values[values.size() - 1]; }

  /// A class without a value, or no class with two: nothing can be said of the feature.
  bool too_few() const;
  /// All values are the same.
  bool constant() const;
  bool usable() const { return !too_few() && !constant(); }
};

/// Writes the record of a feature with one value a sample. `samples`, if not empty, are the
/// positions in `values` to use; classes.of_sample and `values` are by position.
void summarise(std::span<const double> values, const Classes& classes, std::span<const int> samples,
               std::span<double> record);

/// The difference between the two sides of one direction.
struct Difference {
  double first = 0, second = 0;  ///< means of the class, and of what it is told apart from
  double scale = 0;  ///< c = sqrt(n1 n2 / (n1 + n2)): what turns (first - second) / s into a z
};

/// Direction 0 of two classes is class 1 minus class 0. The record must be usable.
Difference difference(const Record& record, int direction);

}  // namespace limber::screen
