#include "limber/core/config/constraint_text.h"

#include <gtest/gtest.h>

namespace limber {
namespace {

TEST(ConstraintText, SaysWhatIsAllowed) {
  Constraint at_most;
  at_most.maximum = 4;
  Constraint half_open = positive();
  half_open.maximum = 1;
  EXPECT_EQ(constraint_text(any()), "");
  EXPECT_EQ(constraint_text(required()), "");
  EXPECT_EQ(constraint_text(at_least(1)), "at least 1");
  EXPECT_EQ(constraint_text(positive()), "greater than 0");
  EXPECT_EQ(constraint_text(between(0.001, 0.5)), "between 0.001 and 0.5");
  EXPECT_EQ(constraint_text(at_most), "at most 4");
  EXPECT_EQ(constraint_text(half_open), "greater than 0 and at most 1");
  EXPECT_EQ(constraint_text(between(2, 2147483647)), "between 2 and 2147483647");
  EXPECT_EQ(constraint_text(one_of({"adam", "sgd"})), "one of adam, sgd");
}

TEST(InRange, IncludesTheEndsUnlessOpen) {
  EXPECT_TRUE(in_range(any(), -1e300));
  EXPECT_TRUE(in_range(between(0, 1), 0));
  EXPECT_TRUE(in_range(between(0, 1), 1));
  EXPECT_FALSE(in_range(between(0, 1), 1.0001));
  EXPECT_FALSE(in_range(between(0, 1), -0.0001));
  EXPECT_FALSE(in_range(positive(), 0));
  EXPECT_TRUE(in_range(positive(), 1e-300));
}

}  // namespace
}  // namespace limber
