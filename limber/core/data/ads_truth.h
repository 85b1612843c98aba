#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace limber {

/// One impression of the synthetic ads log, as a model sees it.
struct AdsImpression {
  static constexpr int kIds = 26;  ///< ids[0] is the category
  static constexpr int kNumbers = 13;
  static constexpr std::int32_t kMissing = -1;

  std::int32_t member = 1;
  std::array<std::int32_t, kIds> ids{};          ///< 1 and up
  std::array<std::int32_t, kNumbers> numbers{};  ///< counts of 0 and up, or kMissing
  std::int32_t device = 0;                       ///< index into AdsTruth::kDevices
};

/// The probability of a click in the synthetic ads log. With u(.) the hidden effect of an id, each
/// column of each term its own, uniform with mean 0 and variance 1, and z(.) a number's
/// standardized logarithm (0 where it is missing),
///
///     score = sum w u(a)                      ids alone, the member among them
///           + sum w z(x)                      numbers alone
///           + sum w u(a) u(b)  + w u(a) z(x)  order 2
///           + sum w u(a) u(b) u(c) + w u(a) u(b) z(x)   order 3
///           + sequence(k)
///
///     sequence(k) = 2 * 0.75^(k - 1)     where the member's last click among their last five
///                                        impressions of this category is the k-th from the end,
///                 = 0                    where none of the five was clicked
///
///     logit = bias + shift(device) + lower(device) min(score, 0) + upper(device) max(score, 0).
///
/// So the sequence term can only be learnt from the member's past actions in their order, and the
/// logit is a function of the score that rises everywhere but is bent, each device its own way: a
/// model that does not see the device is miscalibrated for each. The terms and their weights w are
/// listed in ads_truth.cc.
class AdsTruth {
 public:
  static constexpr std::array<const char*, 4> kDevices{"phone", "desktop", "tablet", "television"};
  static constexpr int kActions = 5;  ///< actions in a category that count

  /// The mean and deviation of the logarithm of a number, before it is rounded to a count.
  struct NumberLaw {
    double mean;
    double deviation;
    double missing;  ///< share of impressions without it
  };
  static const std::array<NumberLaw, AdsImpression::kNumbers> kNumberLaws;
  /// How many values each id has, and the exponent of their frequencies.
  struct IdLaw {
    std::int64_t values;
    double exponent;
  };
  static const std::array<IdLaw, AdsImpression::kIds> kIdLaws;

  /// The hidden effects follow from the seed.
  explicit AdsTruth(std::uint64_t seed) : seed_(seed) {}

  /// The score without the sequence.
  double score(const AdsImpression& impression) const;
  /// `since_click` is k, or anything above kActions where none of the last was a click.
  static double sequence(int since_click);
  /// The logit without the bias.
  static double bend(double score, int device);

 private:
  double effect(int term, int column, std::int32_t id) const;

  std::uint64_t seed_;
};

/// A member's recent actions in each category: all that the sequence term needs to know.
///
/// Members had a past before the log begins, in which `rate` of the impressions were clicked;
/// without it, clicks would grow more frequent from the log's first days to its last.
class AdsHistory {
 public:
  AdsHistory(std::int64_t members, std::uint64_t seed, double rate);

  /// How many actions ago the member's last click in the category was, 1 being the last action;
  /// above AdsTruth::kActions where there is none that counts.
  int since_click(std::int32_t member, std::int32_t category) const;
  void add(std::int32_t member, std::int32_t category, bool clicked);

 private:
  static std::size_t place(std::int64_t member, std::int64_t category);

  std::vector<std::uint8_t> since_;  ///< by member, then category
};

}  // namespace limber
