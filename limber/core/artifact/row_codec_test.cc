#include "limber/core/artifact/row_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "limber/core/artifact/artifact_writer.h"
#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/base/random.h"

namespace limber {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

float decoded(const Int8Rows& rows, std::int64_t row, std::int64_t dim, std::int64_t column) {
  const auto r = static_cast<std::size_t>(row);
  return rows.middles[r] +
         rows.scales[r] *
             static_cast<float>(rows.codes[static_cast<std::size_t>(row * dim + column)]);
}

/// The number that a half of these bits stands for, by the standard's formula.
double by_formula(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double sign = bits >> 15 != 0 ? -1 : 1;
  return sign *
         (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

TEST(Halves, AllAreTheFloatsThatTheFormulaSaysAndComeBack) {
  for (std::uint32_t i = 0; i < 65536; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const float value = float_of({bits});
    ASSERT_EQ(half_of(value).bits, bits) << i;
    if ((bits & 0x7C00) == 0x7C00) {
      ASSERT_EQ(std::isnan(value), (bits & 0x3FF) != 0);
      ASSERT_EQ(std::isinf(value), (bits & 0x3FF) == 0);
    } else {
      ASSERT_EQ(double{value}, by_formula(bits)) << i;
    }
    ASSERT_EQ(std::signbit(value), bits >> 15 != 0);
  }
}

/// Between any two neighbours: what lies below their middle goes down, above it up, and the middle
/// itself to the even one.
TEST(Halves, AreTheNearestAndTheEvenOneOfTwo) {
  for (std::uint16_t bits = 0; bits < 0x7BFF; ++bits) {
    const auto next = static_cast<std::uint16_t>(bits + 1);
    const float low = float_of({bits}), high = float_of({next});
    const float middle = low + (high - low) / 2;  // exact: a float has 13 bits more
    const std::uint16_t even = bits % 2 == 0 ? bits : next;
    ASSERT_EQ(half_of(middle).bits, even) << bits;
    ASSERT_EQ(half_of(std::nextafter(middle, 0.0F)).bits, bits) << bits;
    ASSERT_EQ(half_of(std::nextafter(middle, kInfinity)).bits, next) << bits;
    ASSERT_EQ(half_of(-middle).bits, 0x8000 | even) << bits;
  }
}

TEST(Halves, BeyondTheRangeAreTheLargestFiniteOnes) {
  for (const float value : {65504.0F, 65519.0F, 65520.0F, 1e9F, 3e38F}) {
    EXPECT_EQ(float_of(half_of(value)), kLargestHalf);
    EXPECT_EQ(float_of(half_of(-value)), -kLargestHalf);
  }
  EXPECT_EQ(float_of(half_of(kInfinity)), kInfinity);
  EXPECT_TRUE(std::isnan(float_of(half_of(std::bit_cast<float>(0x7F800001U)))));
  EXPECT_EQ(half_of(1e-9F).bits, 0);
}

TEST(Int8Rows, KeepEndPointsAndMoveNothingByMoreThanHalfAStep) {
  Random random(4);
  for (int trial = 0; trial < 500; ++trial) {
    const std::int64_t rows = 3, dim = 1 + static_cast<std::int64_t>(random.below(40));
    std::vector<float> values;
    for (std::int64_t r = 0; r < rows; ++r) {
      // From 1e-30 to 1e30, around a centre of up to a thousand deviations.
      const double size = std::pow(10.0, 60 * random.uniform() - 30);
      const double centre = size * std::pow(10.0, 6 * random.uniform() - 3);
      for (std::int64_t c = 0; c < dim; ++c) {
        values.push_back(static_cast<float>(centre + size * random.normal()));
      }
    }
    const Int8Rows coded = quantize_table(values, rows, dim);
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* row = values.data() + r * dim;
      const auto low = std::min_element(row, row + dim) - row;
      const auto high = std::max_element(row, row + dim) - row;
      const float scale = coded.scales[static_cast<std::size_t>(r)];
      if (dim > 1) {
        EXPECT_EQ(coded.codes[static_cast<std::size_t>(r * dim + low)], -128);
        EXPECT_EQ(coded.codes[static_cast<std::size_t>(r * dim + high)], 127);
      }
      const double largest = std::max(std::abs(row[low]), std::abs(row[high]));
      for (std::int64_t c = 0; c < dim; ++c) {
        ASSERT_NEAR(decoded(coded, r, dim, c), row[c], 0.5 * scale + 4e-7 * largest);
      }
    }
  }
}

TEST(Int8Rows, AreTheClosedFormOfASmallRow) {
  const std::vector<float> values = {-1, 0, 1.55F, 0.004F};
  const Int8Rows coded = quantize_table(values, 1, 4);
  EXPECT_FLOAT_EQ(coded.scales[0], 0.01F);
  EXPECT_FLOAT_EQ(coded.middles[0], 0.28F);
  EXPECT_EQ(coded.codes, (std::vector<std::int8_t>{-128, -28, 127, -28}));
}

TEST(Int8Rows, OfOneNumberComeBackExactly) {
  const std::vector<float> numbers = {0, -0.3F, 1e-45F, 3.4e38F, -3.4e38F, 1.0F / 3};
  std::vector<float> values;
  for (const float number : numbers) values.insert(values.end(), 5, number);
  const auto rows = static_cast<std::int64_t>(numbers.size());
  const Int8Rows coded = quantize_table(values, rows, 5);
  for (std::int64_t r = 0; r < rows; ++r) {
    EXPECT_EQ(coded.scales[static_cast<std::size_t>(r)], 0);
    EXPECT_EQ(coded.codes[static_cast<std::size_t>(r * 5)], 0);
    EXPECT_EQ(decoded(coded, r, 5, 4), numbers[static_cast<std::size_t>(r)]);
  }
}

TEST(Int8Rows, SurviveTheLargestAndTheSmallestSpread) {
  const float most = std::numeric_limits<float>::max();
  EXPECT_THROW(quantize_table(std::vector<float>{most, -most}, 1, 2), Error);
  const Int8Rows wide = quantize_table(std::vector<float>{0.9F * most, -0.9F * most, 0}, 1, 3);
  EXPECT_EQ(wide.codes[0], 127);
  EXPECT_EQ(wide.codes[1], -128);
  for (std::int64_t c = 0; c < 3; ++c) EXPECT_TRUE(std::isfinite(decoded(wide, 0, 3, c)));
  // Two neighbouring floats: the step is below their distance to the middle that floats allow.
  const float next = std::nextafter(1000.0F, 2000.0F);
  const Int8Rows narrow = quantize_table(std::vector<float>{1000, next}, 1, 2);
  EXPECT_NEAR(decoded(narrow, 0, 2, 0), 1000, 1e-4);
  EXPECT_NEAR(decoded(narrow, 0, 2, 1), 1000, 1e-4);
  const Int8Rows tiny = quantize_table(std::vector<float>{1e-45F, 3e-45F}, 1, 2);
  EXPECT_NEAR(decoded(tiny, 0, 2, 0), 0, 1e-44);
}

TEST(Tables, RefuseWhatIsNotFinite) {
  for (const float bad : {kInfinity, -kInfinity, std::nanf("")}) {
    const std::vector<float> values = {0, 1, 2, bad, 4, 5};
    EXPECT_THROW(quantize_table(values, 3, 2), Error);
    for (const RowType type : {RowType::kFloat32, RowType::kFloat16, RowType::kInt8}) {
      try {
        encode_table("tables.item", values, 3, 2, type);
        ADD_FAILURE() << "stored";
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("tables.item: row 1"), std::string::npos)
            << error.what();
      }
    }
  }
}

TEST(Tables, TakeTheBytesThatTheySayAndAreReadBack) {
  constexpr std::int64_t rows = 50, dim = 12;
  Random random(8);
  std::vector<float> values(rows * dim);
  for (float& value : values) value = static_cast<float>(random.normal());
  const TemporaryFolder folder;
  ArtifactWriter writer(folder.path(), "tables");
  for (const char* word : {"float32", "fp16", "int8"}) {
    const std::string name = std::string("tables.") + word;
    const RowType type = row_type_of(word);
    const OwnedTensors tensors = encode_table(name, values, rows, dim, type);
    EXPECT_EQ(tensors.bytes(), static_cast<std::size_t>(rows * bytes_per_row(type, dim)));
    writer.add_tensors(std::string("tables/") + word + ".safetensors", tensors.tensors());
  }
  const std::vector<std::int64_t> whole = {1, 2};
  writer.add_tensors("other.safetensors",
                     std::vector{make_tensor<std::int64_t>("tables.whole", {1, 2}, whole)});
  const Artifact artifact = Artifact::open(writer.publish({}));

  EXPECT_EQ(read_rows(artifact, "tables.float32", rows, dim), values);
  const std::vector<float> halves = read_rows(artifact, "tables.fp16", rows, dim);
  const std::vector<float> integers = read_rows(artifact, "tables.int8", rows, dim);
  const Int8Rows coded = quantize_table(values, rows, dim);
  for (std::int64_t i = 0; i < rows * dim; ++i) {
    const auto at = static_cast<std::size_t>(i);
    ASSERT_EQ(halves[at], float_of(half_of(values[at])));
    ASSERT_FLOAT_EQ(integers[at], decoded(coded, i / dim, dim, i % dim));
  }
  EXPECT_THROW(read_rows(artifact, "tables.int8", rows + 1, dim), InputError);
  EXPECT_THROW(read_rows(artifact, "tables.none", rows, dim), InputError);
  EXPECT_THROW(read_rows(artifact, "tables.whole", 1, 2), InputError);
  EXPECT_THROW(row_type_of("int4"), InputError);
}

TEST(Tables, OfIntegersNeedScalesAndMiddles) {
  const TemporaryFolder folder;
  const std::vector<std::int8_t> codes(6);
  const std::vector<float> three(3);
  const std::vector<double> wide(3);
  ArtifactWriter writer(folder.path(), "tables");
  writer.add_tensors("t.safetensors", std::vector{make_tensor<std::int8_t>("bare", {3, 2}, codes),
                                                  make_tensor<std::int8_t>("wide", {3, 2}, codes),
                                                  make_tensor<double>("wide.scale", {3}, wide),
                                                  make_tensor<float>("wide.middle", {3}, three)});
  const Artifact artifact = Artifact::open(writer.publish({}));
  EXPECT_THROW(read_rows(artifact, "bare", 3, 2), InputError);
  EXPECT_THROW(read_rows(artifact, "wide", 3, 2), InputError);
}

}  // namespace
}  // namespace limber
