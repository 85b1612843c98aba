#include "limber/core/data/label_expression.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <vector>

#include "limber/core/base/error.h"

namespace limber {
namespace {

template <class Builder, class Value>
ColumnView column_of(const std::vector<Value>& values) {
  Builder builder;
  for (const Value& value : values) EXPECT_TRUE(builder.Append(value).ok());
  EXPECT_TRUE(builder.AppendNull().ok());
  std::shared_ptr<arrow::Array> array;
  EXPECT_TRUE(builder.Finish(&array).ok());
  return ColumnView(array);
}

ColumnView texts(const std::vector<std::string>& values) {
  return column_of<arrow::StringBuilder>(values);
}

std::vector<float> evaluate(const char* expression, const ColumnView& column) {
  const LabelExpression label("like", expression);
  std::vector<float> values;
  for (std::int64_t i = 0; i + 1 < column.size(); ++i) values.push_back(label.evaluate(column, i));
  EXPECT_THROW(label.evaluate(column, column.size() - 1), BadValue);
  return values;
}

using Floats = std::vector<float>;

TEST(LabelExpression, ComparesNumbersOfEveryType) {
  const auto integers = column_of<arrow::Int32Builder>(std::vector<int>{3, 4, 5});
  const auto reals = column_of<arrow::DoubleBuilder>(std::vector<double>{3, 4, 5});
  const auto words = texts({"3", "4.0", "5"});
  for (const ColumnView* column : {&integers, &reals, &words}) {
    EXPECT_EQ(evaluate("rating >= 4", *column), (Floats{0, 1, 1}));
    EXPECT_EQ(evaluate("rating>4", *column), (Floats{0, 0, 1}));
    EXPECT_EQ(evaluate("rating <= 4.0", *column), (Floats{1, 1, 0}));
    EXPECT_EQ(evaluate(" rating<4 ", *column), (Floats{1, 0, 0}));
    EXPECT_EQ(evaluate("rating == 4", *column), (Floats{0, 1, 0}));
    EXPECT_EQ(evaluate("rating != 4", *column), (Floats{1, 0, 1}));
    EXPECT_EQ(evaluate("rating > -1e3", *column), (Floats{1, 1, 1}));
  }
}

TEST(LabelExpression, PlainColumnsHoldTruthValues) {
  EXPECT_EQ(evaluate("clicked", texts({"0", "1", "true", "False", "1.0"})),
            (Floats{0, 1, 1, 0, 1}));
  EXPECT_EQ(evaluate("clicked", column_of<arrow::BooleanBuilder>(std::vector<bool>{true, false})),
            (Floats{1, 0}));
  EXPECT_EQ(evaluate("clicked", column_of<arrow::FloatBuilder>(std::vector<float>{1, 0})),
            (Floats{1, 0}));
  const LabelExpression label("like", "clicked");
  for (const char* wrong : {"2", "yes", "0.5", "-1"}) {
    EXPECT_THROW(label.evaluate(texts({wrong}), 0), BadValue) << wrong;
  }
}

TEST(LabelExpression, ComparesWordsAndTruthValues) {
  EXPECT_EQ(evaluate("clicked == yes", texts({"yes", "no", "Yes"})), (Floats{1, 0, 0}));
  EXPECT_EQ(evaluate("status != 'not ok'", texts({"not ok", "ok"})), (Floats{0, 1}));
  EXPECT_EQ(evaluate("status == \"a >= b\"", texts({"a >= b", "a"})), (Floats{1, 0}));
  EXPECT_EQ(evaluate("code == '404'", texts({"404", "timeout"})), (Floats{1, 0}));
  EXPECT_EQ(evaluate("code == '404'", column_of<arrow::Int64Builder>(std::vector<int>{404, 200})),
            (Floats{1, 0}));
  EXPECT_EQ(evaluate("clicked == true", texts({"True", "0", "1"})), (Floats{1, 0, 1}));
  EXPECT_EQ(
      evaluate("clicked != true", column_of<arrow::BooleanBuilder>(std::vector<bool>{true, false})),
      (Floats{0, 1}));
  EXPECT_THROW(LabelExpression("like", "clicked == true").evaluate(texts({"yes"}), 0), BadValue);
}

TEST(LabelExpression, NumbersMustBeNumbers) {
  EXPECT_THROW(LabelExpression("like", "rating >= 4").evaluate(texts({"four"}), 0), BadValue);
  EXPECT_THROW(LabelExpression("like", "rating == 4").evaluate(texts({"four"}), 0), BadValue);
}

TEST(LabelExpression, KnowsItsColumn) {
  EXPECT_EQ(LabelExpression("l", "rating >= 4").column(), "rating");
  EXPECT_EQ(LabelExpression("l", "watch time > 3").column(), "watch time");
  EXPECT_EQ(LabelExpression("l", "'a > b' > 3").column(), "a > b");
  EXPECT_EQ(LabelExpression("l", "clicked").column(), "clicked");
}

TEST(LabelExpression, ComparesWithAPercentile) {
  const LabelExpression plain("long", "dwell_seconds > p90");
  EXPECT_TRUE(plain.has_percentile());
  EXPECT_TRUE(plain.wants_number());
  EXPECT_EQ(plain.column(), "dwell_seconds");
  EXPECT_EQ(plain.percentile(), 900000);
  EXPECT_TRUE(plain.clusters().empty());
  EXPECT_EQ(plain.compare(3, 3), 0);
  EXPECT_EQ(plain.compare(3.5, 3), 1);

  const LabelExpression clustered("long", " dwell>=p99.5  by surface ,content type, 'a, by > b' ");
  EXPECT_EQ(clustered.percentile(), 995000);
  EXPECT_EQ(clustered.clusters(),
            (std::vector<std::string>{"surface", "content type", "a, by > b"}));
  EXPECT_EQ(clustered.compare(3, 3), 1);
  EXPECT_EQ(LabelExpression("short", "dwell < p2.0625 by by").percentile(), 20625);
  EXPECT_EQ(LabelExpression("short", "dwell < p2.0625 by by").clusters().front(), "by");
  EXPECT_EQ(LabelExpression("short", "dwell <= p07").percentile(), 70000);

  // The value must be a number all the same.
  EXPECT_THROW(plain.evaluate(texts({"long"}), 0), BadValue);
  EXPECT_THROW(plain.evaluate(texts({"1"}), 1), BadValue);
}

TEST(LabelExpression, AWordThatLooksLikeAPercentile) {
  EXPECT_EQ(evaluate("gate == p90", texts({"p90", "p9"})), (Floats{1, 0}));
  EXPECT_EQ(evaluate("gate != 'p90'", texts({"p90", "p9"})), (Floats{0, 1}));
  EXPECT_FALSE(LabelExpression("l", "gate == p90").has_percentile());
  EXPECT_FALSE(LabelExpression("l", "p90 > 4").has_percentile());
  EXPECT_THROW(LabelExpression("l", "gate > 'p90'"), InputError);
}

TEST(LabelExpression, SyntaxErrorsNameLabelAndExpression) {
  for (const char* wrong : {"",
                            "  ",
                            ">= 4",
                            "rating >=",
                            "rating = 4",
                            "rating => 4",
                            "rating === 4",
                            "rating >= high",
                            "rating >= '4'",
                            "1 < rating < 5",
                            "'rating >= 4",
                            "rating == 'x",
                            "rating == 'x' y",
                            "'rating' 4",
                            "rating ! 4",
                            "dwell > p0",
                            "dwell > p100",
                            "dwell > p100.5",
                            "dwell > p",
                            "dwell > p9x",
                            "dwell > p90.",
                            "dwell > p.5",
                            "dwell > p90.00001",
                            "dwell > p1e1",
                            "dwell > p-5",
                            "dwell > p90 surface",
                            "dwell > p90 bysurface",
                            "dwell > p90 by",
                            "dwell > p90 by ,",
                            "dwell > p90 by a,",
                            "dwell > p90 by a,,b",
                            "dwell > p90 by a, a",
                            "dwell > p90 by 'a",
                            "dwell > p90 by 'a' b",
                            "dwell > p90by a",
                            "> p90"}) {
    try {
      const LabelExpression label("like", wrong);
      ADD_FAILURE() << wrong;
    } catch (const InputError& error) {
      const std::string message = error.what();
      EXPECT_TRUE(message.starts_with("label 'like': \"" + std::string(wrong) + "\": ")) << message;
    }
  }
}

}  // namespace
}  // namespace limber
