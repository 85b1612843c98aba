#include "limber/companions/screen/variance_prior.h"

#include <cmath>
#include <limits>

#include "limber/companions/screen/special_functions.h"
#include "limber/core/base/error.h"

namespace limber::screen {

double VariancePrior::moderated(double sample_variance, double sample_degrees) const {
  if (std::isinf(degrees)) return variance;
  return (degrees * variance + sample_degrees * sample_variance) / (degrees + sample_degrees);
}

VarianceMoments::Terms VarianceMoments::terms(double degrees) {
  const auto index = static_cast<std::size_t>(degrees);
  if (known_.size() <= index) known_.resize(index + 1);
  if (known_[index].trigamma == 0) {
    known_[index] = {.offset = std::log(degrees / 2) - digamma(degrees / 2),
                     .trigamma = screen::trigamma(degrees / 2)};
  }
  return known_[index];
}

void VarianceMoments::add(const Record& record) {
  if (!(record.variance() > 0) || record.too_few()) return;
  const Terms known = terms(record.degrees());
  const double e = std::log(record.variance()) + known.offset;
  logs_.add(e);
  squares_.add(e * e);
  trigammas_.add(known.trigamma);
  ++features_;
}

void VarianceMoments::add(const VarianceMoments& other) {
  logs_.add(other.logs_);
  squares_.add(other.squares_);
  trigammas_.add(other.trigammas_);
  features_ += other.features_;
}

VariancePrior VarianceMoments::prior(const std::string& origin) const {
  if (features_ == 0) {
    throw InputError("{}: no feature varies within a class; screening needs some that do", origin);
  }
  const double n = static_cast<double>(features_);
  const double mean = logs_.value() / n;
  if (features_ == 1) return {.degrees = 0, .variance = std::exp(mean)};
  const double spread = (squares_.value() - n * mean * mean) / (n - 1);
  const double excess = spread - trigammas_.value() / n;
  if (excess <= 1e-9) {
    return {.degrees = std::numeric_limits<double>::infinity(), .variance = std::exp(mean)};
  }
  const double half = inverse_trigamma(excess);
  return {.degrees = 2 * half, .variance = std::exp(mean + digamma(half) - std::log(half))};
}

}  // namespace limber::screen
