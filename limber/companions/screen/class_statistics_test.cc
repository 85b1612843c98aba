#include "limber/companions/screen/class_statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "limber/companions/screen/selection.h"
#include "limber/companions/screen/variance_prior.h"
#include "limber/core/base/error.h"
#include "limber/core/base/random.h"

namespace limber::screen {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

TEST(ClassStatistics, AgreeWithPlainSumsWhateverIsMissing) {
  Random random(1);
  for (int draw = 0; draw < 50; ++draw) {
    std::vector<std::string> labels;
    std::vector<double> values;
    for (int i = 0; i < 30; ++i) {
      labels.push_back(std::string(1, static_cast<char>('a' + i % 3)));
      values.push_back(random.below(6) == 0 ? kMissing : 5 + random.normal());
    }
    const Classes classes = classes_of(labels, "data");
    std::vector<double> out(record_size(3));
    summarise(values, classes, {}, out);
    const Record record{out};
    double squares = 0;
    double seen = 0;
    for (int k = 0; k < 3; ++k) {
      double sum = 0;
      double count = 0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (classes.of_sample[i] != k || std::isnan(values[i])) continue;
        sum += values[i];
        count += 1;
      }
      EXPECT_EQ(record.count(k), count);
      EXPECT_NEAR(record.mean(k), sum / count, 1e-12);
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (classes.of_sample[i] != k || std::isnan(values[i])) continue;
        squares += std::pow(values[i] - sum / count, 2);
      }
      seen += count;
    }
    EXPECT_EQ(record.degrees(), seen - 3);
    EXPECT_NEAR(record.variance(), squares / (seen - 3), 1e-12);
  }
}

TEST(ClassStatistics, ConstantAndTooFew) {
  const Classes classes = classes_of(std::vector<std::string>{"a", "b", "a", "b"}, "data");
  std::vector<double> out(record_size(2));
  summarise(std::vector<double>{0.1, 0.1, 0.1, 0.1}, classes, {}, out);
  EXPECT_TRUE(Record{out}.constant());
  summarise(std::vector<double>{0.1, 0.3, 0.1, 0.3}, classes, {}, out);
  EXPECT_EQ(Record{out}.variance(), 0);
  EXPECT_FALSE(Record{out}.constant());
  summarise(std::vector<double>{1, kMissing, 2, kMissing}, classes, {}, out);
  EXPECT_TRUE(Record{out}.too_few());
  summarise(std::vector<double>{1, 2, kMissing, kMissing}, classes, {}, out);
  EXPECT_TRUE(Record{out}.too_few());
}

TEST(ClassStatistics, OneClassIsRefused) {
  EXPECT_THROW(classes_of(std::vector<std::string>{"a", "a"}, "data"), InputError);
  EXPECT_THROW(classes_of(std::vector<std::string>{"a", ""}, "data"), InputError);
  EXPECT_THROW(classes_of(std::vector<std::string>{}, "data"), InputError);
}

TEST(VariancePrior, RecoversWhatVariancesWereDrawnFrom) {
  // sigma^2 ~ scale * degrees / chi-squared(degrees), s^2 ~ sigma^2 chi-squared(8) / 8.
  Random random(4);
  const auto chi_squared = [&](int degrees) {
    double sum = 0;
    for (int i = 0; i < degrees; ++i) sum += std::pow(random.normal(), 2);
    return sum;
  };
  VarianceMoments forward;
  VarianceMoments backward;
  std::vector<std::vector<double>> records;
  for (int j = 0; j < 20000; ++j) {
    const double sigma = 2.5 * 6 / chi_squared(6);
    records.push_back({5, 5, 0, 0, sigma * chi_squared(8) / 8, 8});
  }
  for (const auto& record : records) forward.add(Record{record});
  for (std::size_t j = records.size(); j-- > 0;) backward.add(Record{records[j]});
  const VariancePrior prior = forward.prior("data");
  EXPECT_NEAR(prior.degrees, 6, 0.6);
  EXPECT_NEAR(prior.variance, 2.5, 0.1);
  EXPECT_EQ(prior.degrees, backward.prior("data").degrees);
  EXPECT_EQ(prior.variance, backward.prior("data").variance);
  EXPECT_THROW(VarianceMoments().prior("data"), InputError);
}

TEST(FdrThreshold, IsTheLargestSetWhoseMeanPasses) {
  Random random(5);
  for (int draw = 0; draw < 200; ++draw) {
    std::vector<double> zeros;
    for (std::uint64_t i = 0; i < 1 + random.below(40); ++i) {
      zeros.push_back(static_cast<double>(random.below(20)) / 19);
    }
    const double rate = random.uniform();
    std::vector<double> sorted = zeros;
    const FdrThreshold found = fdr_threshold(sorted, rate);
    std::int64_t best = 0;
    for (const double threshold : zeros) {
      double sum = 0;
      std::int64_t count = 0;
      for (const double zero : zeros) {
        if (zero > threshold) continue;
        sum += zero;
        ++count;
      }
      if (sum <= rate * static_cast<double>(count)) best = std::max(best, count);
    }
    EXPECT_EQ(found.features, best);
  }
}

}  // namespace
}  // namespace limber::screen
