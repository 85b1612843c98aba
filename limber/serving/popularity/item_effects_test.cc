#include "limber/serving/popularity/item_effects.h"

#include <gtest/gtest.h>

#include <cmath>

#include "limber/core/base/random.h"

namespace limber {
namespace {

double sigmoid(double logit) {
  return 1 / (1 + std::exp(-logit));
}

/// What the effect of the only item minimises, by its definition.
double objective(const std::vector<EffectRow>& rows, double deviation, double b) {
  double sum = b * b / (2 * deviation * deviation);
  for (const EffectRow& row : rows) {
    const double p = sigmoid(row.logit + b);
    sum -= row.weight * std::log(row.label > 0.5F ? p : 1 - p);
  }
  return sum;
}

/// The minimum of a convex function, by thirds.
template <class Function>
double minimum(Function f, double low, double high) {
  while (high - low > 1e-9) {
    const double left = low + (high - low) / 3, right = high - (high - low) / 3;
    (f(left) < f(right) ? high : low) = f(left) < f(right) ? right : left;
  }
  return 0.5 * (low + high);
}

std::vector<EffectRow> draw_rows(Random& random, std::int32_t item, int count, double effect) {
  std::vector<EffectRow> rows;
  for (int i = 0; i < count; ++i) {
    const double logit = 1.5 * random.normal() - 0.5;
    const double label = random.uniform() < sigmoid(logit + effect) ? 1 : 0;
    rows.push_back({item, static_cast<float>(logit), static_cast<float>(label), 1});
  }
  return rows;
}

TEST(ItemEffects, AreAsASearchInOneDimensionFindsThem) {
  Random random(3);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<EffectRow> rows =
        draw_rows(random, 0, 1 + static_cast<int>(random.below(30)), 2 * random.normal());
    for (EffectRow& row : rows) row.weight = static_cast<float>(2 * random.uniform());
    const double deviation = std::exp(random.normal() - 0.5);
    const double b = ItemEffects(1, rows).fit(deviation)[0];
    const double expected =
        minimum([&](double x) { return objective(rows, deviation, x); }, -25, 25);
    EXPECT_NEAR(b, expected, 1e-5) << "rows " << rows.size() << ", deviation " << deviation;
  }
}

TEST(ItemEffects, HoldForRowsThatAreAllAlikeAndFarOff) {
  // All ones, confidently predicted as zeros, under a wide prior: Newton alone would leap away.
  const std::vector<EffectRow> rows(50, EffectRow{0, -40, 1, 1});
  for (const double deviation : {0.01, 1.0, 10.0, 100.0}) {
    const double b = ItemEffects(1, rows).fit(deviation)[0];
    EXPECT_NEAR(b / (deviation * deviation), 50 * (1 - sigmoid(-40 + b)), 1e-6) << deviation;
  }
}

TEST(ItemEffects, OfItemsAreApart) {
  Random random(4);
  std::vector<EffectRow> rows, third;
  for (const std::int32_t item : {3, 1, 4, 1, 3}) {
    for (const EffectRow& row : draw_rows(random, item, 9, item == 3 ? 1 : -1)) {
      rows.push_back(row);
      if (item == 3) third.push_back({0, row.logit, row.label, row.weight});
    }
  }
  random.shuffle(std::span(rows));
  const std::vector<double> effects = ItemEffects(6, rows).fit(0.7);
  ASSERT_EQ(effects.size(), 6U);
  for (const std::size_t unseen : {0U, 2U, 5U}) EXPECT_EQ(effects[unseen], 0);
  EXPECT_NEAR(effects[3], ItemEffects(1, third).fit(0.7)[0], 1e-12);
  EXPECT_GT(effects[3], 0);
  EXPECT_LT(effects[1], 0);
}

TEST(ItemEffects, AWeightIsARepetition) {
  Random random(5);
  std::vector<EffectRow> rows = draw_rows(random, 0, 20, 1), copies;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].weight = static_cast<float>(i % 3);
    for (std::size_t k = 0; k < i % 3; ++k) {
      copies.push_back({0, rows[i].logit, rows[i].label, 1});
    }
  }
  EXPECT_NEAR(ItemEffects(1, rows).fit(0.5)[0], ItemEffects(1, copies).fit(0.5)[0], 1e-10);
}

TEST(ItemEffects, TheEvidenceIsTheIntegralOverTheEffects) {
  Random random(6);
  std::vector<EffectRow> rows;
  for (std::int32_t item = 0; item < 40; ++item) {
    for (const EffectRow& row :
         draw_rows(random, item, 1 + static_cast<int>(random.below(40)), 0.5 * random.normal())) {
      rows.push_back(row);
    }
  }
  for (const double deviation : {0.1, 0.5, 1.0}) {
    double expected = 0;
    for (std::int32_t item = 0; item < 40; ++item) {
      double integral = 0;
      constexpr int kCells = 4000;
      const double width = 16 * deviation / kCells;
      for (int c = 0; c < kCells; ++c) {
        const double b = -8 * deviation + (c + 0.5) * width;
        double logarithm = -b * b / (2 * deviation * deviation) -
                           std::log(deviation * std::sqrt(2 * std::acos(-1.0)));
        for (const EffectRow& row : rows) {
          if (row.item != item) continue;
          const double with = sigmoid(row.logit + b), without = sigmoid(row.logit);
          logarithm +=
              row.label > 0.5F ? std::log(with / without) : std::log((1 - with) / (1 - without));
        }
        integral += std::exp(logarithm) * width;
      }
      expected += std::log(integral);
    }
    // Laplace's approximation is off by a hundredth or less an item.
    EXPECT_NEAR(ItemEffects(40, rows).log_evidence(deviation), expected, 0.3) << deviation;
  }
}

TEST(ItemEffects, TheLikeliestDeviationIsTheTrueOne) {
  for (const double deviation : {0.2, 0.6, 1.5}) {
    Random random(7);
    std::vector<EffectRow> rows;
    constexpr std::int32_t kItems = 1500;
    for (std::int32_t item = 0; item < kItems; ++item) {
      for (const EffectRow& row : draw_rows(random, item, 40, deviation * random.normal())) {
        rows.push_back(row);
      }
    }
    EXPECT_NEAR(ItemEffects(kItems, rows).likeliest_deviation(), deviation, 0.03 + 0.1 * deviation);
  }
}

TEST(ItemEffects, WithoutAnythingToAddTheDeviationIsAllButZero) {
  Random random(8);
  std::vector<EffectRow> rows;
  for (std::int32_t item = 0; item < 300; ++item) {
    for (const EffectRow& row : draw_rows(random, item, 50, 0)) rows.push_back(row);
  }
  EXPECT_LT(ItemEffects(300, rows).likeliest_deviation(), 0.2);
}

}  // namespace
}  // namespace limber
