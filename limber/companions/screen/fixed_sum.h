#pragma once

#include <cmath>
#include <cstdint>

namespace limber::screen {

/// A sum of real numbers that does not depend on their order: every term is rounded to a multiple
/// of 2^-40 and added as an integer. Threads, shards and machines may add in any order and get the
/// same bits. Terms must be below 2^22 in magnitude (a logarithm and its square are), and there may
/// be 2^60 of them.
class FixedSum {
 public:
  void add(double term) { total_ += static_cast<Integer>(std::llrint(term * kOne)); }
  void add(const FixedSum& other) { total_ += other.total_; }
  double value() const { return static_cast<double>(total_) / kOne; }
  friend bool operator==(const FixedSum&, const FixedSum&) = default;

 private:
  __extension__ using Integer = __int128;
  static constexpr double kOne = 1099511627776.0;  // 2^40

  Integer total_ = 0;
};

}  // namespace limber::screen
