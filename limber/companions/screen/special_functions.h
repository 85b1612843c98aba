#pragma once

namespace limber::screen {

/// Derivative of log Gamma at x > 0: recurrence up to x >= 10, then the asymptotic series
/// (Abramowitz and Stegun 6.3.5, 6.3.18). Relative error below 1e-13.
double digamma(double x);

/// Second derivative of log Gamma at x > 0 (Abramowitz and Stegun 6.4.6, 6.4.12).
double trigamma(double x);

/// The x > 0 with trigamma(x) = y, for y > 0: Newton's method on 1 / trigamma, which is nearly
/// linear (Smyth 2004, appendix).
double inverse_trigamma(double y);

/// log Gamma for x > 0. Unlike std::lgamma it touches no global variable, so threads may call it.
double log_gamma(double x);

/// log P(Z > z) of a standard normal Z; exact far into the tail, where P itself underflows.
double log_normal_upper_tail(double z);

/// The z with log P(Z > z) = log_tail, for log_tail <= log(1/2).
double normal_from_log_upper_tail(double log_tail);

/// Turns a Student t statistic into the standard normal deviate of the same tail probability.
class StudentScore {
 public:
  /// `degrees` of freedom, > 0; may be infinite, and then the score is t itself.
  explicit StudentScore(double degrees);

  /// z with P(Z > z) = P(T > t); odd in t, finite for every finite t.
  double operator()(double t) const;
  /// log P(T > t), t >= 0.
  double log_upper_tail(double t) const;
  double degrees() const { return degrees_; }

 private:
  double degrees_;
  double log_beta_;  ///< log B(degrees / 2, 1 / 2)
};

}  // namespace limber::screen
