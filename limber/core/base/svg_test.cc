#include "limber/core/base/svg.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace limber {
namespace {

TEST(Svg, EscapesAllThatMarkupMeansSomethingBy) {
  EXPECT_EQ(escape_markup("a<b> & \"c\" 'd'"), "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
  EXPECT_EQ(escape_markup("&amp;"), "&amp;amp;");
  EXPECT_EQ(escape_markup("Größe"), "Größe");
  EXPECT_EQ(escape_markup(""), "");
}

TEST(Svg, MarksAreRoundAndInside) {
  EXPECT_EQ(round_marks(-4.5, 4.5, 8), (std::vector<double>{-4, -2, 0, 2, 4}));
  EXPECT_EQ(round_marks(0, 10, 5), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(round_marks(101, 149, 5), (std::vector<double>{110, 120, 130, 140}));
  for (const double scale : {1e-12, 0.037, 1.0, 4e9}) {
    for (const double shift : {-3.3, 0.0, 7.1}) {
      const auto marks = round_marks(scale * shift, scale * (shift + 2.7), 8);
      ASSERT_GE(marks.size(), 3U) << scale << " " << shift;
      EXPECT_LE(marks.size(), 10U);
      EXPECT_GE(marks.front(), scale * shift);
      EXPECT_LE(marks.back(), scale * (shift + 2.7));
    }
  }
  for (const double mark : round_marks(-0.3, 0.3, 6)) {
    EXPECT_TRUE(mark == 0 || std::abs(mark) > 0.01);
  }
}

TEST(Svg, NoMarksWithoutARange) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(round_marks(1, 1, 5).empty());
  EXPECT_TRUE(round_marks(2, 1, 5).empty());
  EXPECT_TRUE(round_marks(0, kInfinite, 5).empty());
  EXPECT_TRUE(round_marks(std::nan(""), 1, 5).empty());
}

/// Where the step hardly changes the value, a sum of steps would never end.
TEST(Svg, EndsWhereDigitsEnd) {
  EXPECT_LE(round_marks(1e16, 1e16 + 4, 8).size(), 10U);
}

}  // namespace
}  // namespace limber
