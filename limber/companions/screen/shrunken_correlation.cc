#include "limber/companions/screen/shrunken_correlation.h"

#include <algorithm>
#include <cmath>

#include "limber/core/base/error.h"

namespace limber::screen {
namespace {

/// Solves A x = b in place for the columns of b [n, columns]; A [n, n] is symmetric and positive
/// definite, its lower triangle is overwritten.
void solve(std::vector<double>& a, std::size_t n, std::vector<double>& b, std::size_t columns) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      if (i != j) {
        a[i * n + j] = sum / a[j * n + j];
      } else if (sum > 0) {
        a[i * n + i] = std::sqrt(sum);
      } else {
        throw Error("shrunken correlation: the matrix is not positive definite");
      }
    }
  }
  for (std::size_t c = 0; c < columns; ++c) {
    for (std::size_t i = 0; i < n; ++i) {
      double sum = b[i * columns + c];
      for (std::size_t k = 0; k < i; ++k) sum -= a[i * n + k] * b[k * columns + c];
      b[i * columns + c] = sum / a[i * n + i];
    }
    for (std::size_t i = n; i-- > 0;) {
      double sum = b[i * columns + c];
      for (std::size_t k = i + 1; k < n; ++k) sum -= a[k * n + i] * b[k * columns + c];
      b[i * columns + c] = sum / a[i * n + i];
    }
  }
}

}  // namespace

CrossProducts::CrossProducts(std::size_t training, std::size_t others, std::size_t directions)
    : training_(training),
      others_(others),
      directions_(directions),
      gram_(training * training),
      cross_(others * training),
      residual_sums_(training * directions),
      value_sums_(others * directions),
      offset_sums_(training * directions),
      offset_differences_(directions) {}

void CrossProducts::add(std::span<const double> residuals, std::span<const double> values,
                        std::span<const double> differences, std::span<const double> offsets) {
  const double* const r = residuals.data();
  for (std::size_t i = 0; i < training_; ++i) {
    double* const row = gram_.data() + i * training_;
    const double factor = r[i];
    for (std::size_t k = 0; k <= i; ++k) row[k] += factor * r[k];
  }
  for (std::size_t i = 0; i < others_; ++i) {
    if (std::isnan(values[i])) {
      add_missing(i, residuals, offsets);
      continue;
    }
    double* const row = cross_.data() + i * training_;
    const double factor = values[i];
    for (std::size_t k = 0; k < training_; ++k) row[k] += factor * r[k];
  }
  for (std::size_t c = 0; c < directions_; ++c) {
    for (std::size_t i = 0; i < training_; ++i) {
      residual_sums_[i * directions_ + c] += r[i] * differences[c];
      offset_sums_[i * directions_ + c] += r[i] * offsets[c];
    }
    for (std::size_t i = 0; i < others_; ++i) {
      const double value = std::isnan(values[i]) ? offsets[c] : values[i];
      value_sums_[i * directions_ + c] += value * differences[c];
    }
    offset_differences_[c] += offsets[c] * differences[c];
  }
}

void CrossProducts::add_missing(std::size_t other, std::span<const double> residuals,
                                std::span<const double> offsets) {
  const auto is_zero = [](double offset) { return offset == 0; };
  if (training_ == 0 || std::all_of(offsets.begin(), offsets.end(), is_zero)) return;
  missing_cross_.resize(others_ * training_ * directions_, 0.0);
  double* place = missing_cross_.data() + other * training_ * directions_;
  for (std::size_t k = 0; k < training_; ++k) {
    for (std::size_t c = 0; c < directions_; ++c) *place++ += offsets[c] * residuals[k];
  }
}

std::vector<double> CrossProducts::dual(double share, double degrees) const {
  std::vector<double> result = residual_sums_;
  if (share >= 1) {
    result.assign(result.size(), 0.0);
    return result;
  }
  std::vector<double> matrix = gram_;
  for (std::size_t i = 0; i < training_; ++i) {
    matrix[i * training_ + i] += share * degrees / (1 - share);
  }
  solve(matrix, training_, result, directions_);
  return result;
}

std::vector<double> CrossProducts::offset_terms(double share, std::span<const double> dual) const {
  std::vector<double> result;
  for (std::size_t c = 0; c < directions_; ++c) {
    double sum = offset_differences_[c];
    for (std::size_t i = 0; i < training_; ++i) {
      sum -= offset_sums_[i * directions_ + c] * dual[i * directions_ + c];
    }
    result.push_back(-sum / share);
  }
  return result;
}

std::vector<double> CrossProducts::scores(double share, double degrees) const {
  const std::vector<double> solution = dual(share, degrees);
  const std::vector<double> offsets = offset_terms(share, solution);
  std::vector<double> result = value_sums_;
  for (std::size_t i = 0; i < others_; ++i) {
    for (std::size_t c = 0; c < directions_; ++c) {
      double& score = result[i * directions_ + c];
      for (std::size_t k = 0; k < training_; ++k) {
        double product = cross_[i * training_ + k];
        if (!missing_cross_.empty()) {
          product += missing_cross_[(i * training_ + k) * directions_ + c];
        }
        score -= product * solution[k * directions_ + c];
      }
      score = score / share + offsets[c];
    }
  }
  return result;
}

}  // namespace limber::screen
