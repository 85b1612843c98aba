#include "limber/companions/crossbar/weight.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "limber/companions/crossbar/weights_for_test.h"
#include "limber/core/base/error.h"

namespace limber::crossbar {
namespace {

TEST(CrossbarWeight, DigitsAddUpToTheCode) {
  for (std::int64_t bits = 1; bits <= 12; ++bits) {
    for (std::int64_t cell_bits = 1; cell_bits <= 8; ++cell_bits) {
      const std::int64_t slices = slices_of(bits, cell_bits);
      for (std::int32_t code = -highest_code(bits); code <= highest_code(bits); ++code) {
        std::int64_t sum = 0;
        for (std::int64_t slice = 0; slice < slices; ++slice) {
          const std::int32_t digit = digit_of(code, slice, cell_bits);
          EXPECT_LT(std::abs(digit), 1 << cell_bits);
          EXPECT_TRUE(digit == 0 || (digit < 0) == (code < 0));
          sum += digit * (std::int64_t{1} << (slice * cell_bits));
        }
        ASSERT_EQ(sum, code) << bits << " bits in cells of " << cell_bits;
      }
    }
  }
  EXPECT_EQ(slices_of(8, 4), 2);
  EXPECT_EQ(slices_of(5, 4), 1);
  EXPECT_EQ(slices_of(8, 1), 7);
  EXPECT_EQ(slices_of(1, 4), 1);
}

TEST(CrossbarWeight, CodesAreTheNearestOfAll) {
  Random random(1);
  for (std::int64_t bits = 1; bits <= 8; ++bits) {
    std::vector<float> values;
    for (int i = 0; i < 60; ++i) values.push_back(static_cast<float>(random.normal()));
    const CrossbarWeight weight = quantised_weight("w", 6, 10, values, bits);
    const std::vector<float> rounded = values_of(weight);
    float largest = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      largest = std::max(largest, std::abs(values[i]));
      for (std::int32_t code = -highest_code(bits); code <= highest_code(bits); ++code) {
        const float level = static_cast<float>(code) * weight.scale;
        EXPECT_LE(std::abs(rounded[i] - values[i]), std::abs(level - values[i]) + 1e-6F);
      }
    }
    EXPECT_FLOAT_EQ(weight.scale * static_cast<float>(highest_code(bits)), largest);
  }
}

TEST(CrossbarWeight, ValuesOnGivenLevelsComeBackAndOthersAreClamped) {
  Random random(2);
  CrossbarWeight made = random_weight(random, 7, 9, 5);
  const std::vector<float> values = values_of(made);
  const CrossbarWeight again = quantised_weight("w", 7, 9, values, 5, 3, made.scale);
  EXPECT_EQ(again.codes, made.codes);
  EXPECT_EQ(values_of(again), values);
  EXPECT_EQ(again.uses, 3);
  const std::vector<float> wide = {100, -100, 0.26F};
  EXPECT_EQ(quantised_weight("w", 1, 3, wide, 4, 1, 0.5F).codes,
            (std::vector<std::int32_t>{7, -7, 1}));
}

TEST(CrossbarWeight, NothingButZerosIsZero) {
  const std::vector<float> zeros(6, 0.0F);
  EXPECT_EQ(quantised_weight("w", 2, 3, zeros, 8).codes, std::vector<std::int32_t>(6, 0));
  EXPECT_EQ(values_of(quantised_weight("w", 2, 3, zeros, 8, 1, 0.0F)), zeros);
  EXPECT_TRUE(quantised_weight("w", 0, 3, {}, 8).codes.empty());
}

TEST(CrossbarWeight, SaysWhichValueIsNoNumber) {
  std::vector<float> values(6, 1.0F);
  values[4] = std::numeric_limits<float>::infinity();
  try {
    quantised_weight("hidden.1", 2, 3, values, 8);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("hidden.1: the weight of input 1 and output 1"),
              std::string::npos)
        << error.what();
  }
}

TEST(CrossbarWeight, RefusesWhatDoesNotFit) {
  const std::vector<float> values(6, 1.0F);
  EXPECT_THROW(quantised_weight("w", 2, 2, values, 8), Error);
  EXPECT_THROW(quantised_weight("w", 2, 3, values, 0), Error);
  EXPECT_THROW(quantised_weight("w", 2, 3, values, 17), Error);
  EXPECT_THROW(quantised_weight("w", 2, 3, values, 8, 1, 0.0F), Error);
  CrossbarWeight weight{"w", 1, 2, 4, 1, {7, -8}, 1};
  EXPECT_THROW(check_weight(weight), Error);
  weight.codes = {7, -7};
  EXPECT_NO_THROW(check_weight(weight));
  weight.codes.push_back(0);
  EXPECT_THROW(check_weight(weight), Error);
}

}  // namespace
}  // namespace limber::crossbar
