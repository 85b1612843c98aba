#include "limber/serving/rows/field_value.h"

#include <arrow/api.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

namespace limber {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string spelled(const Key& key) {
  return key.is_number ? fmt::format("number {}", key.number) : fmt::format("text '{}'", key.text);
}

/// What a reading comes to, or that it was refused.
std::string outcome(const std::function<std::string()>& reading) {
  try {
    return reading();
  } catch (const BadValue&) {
    return "refused";
  }
}

/// All readings of one value of a log.
std::string readings(const ColumnView& view, std::string_view separator) {
  return fmt::format("missing: {}, number: {}, key: {}, keys: {}", view.is_null(0), outcome([&] {
                       return fmt::format("{:a}", view.is_null(0) ? NAN : view.number(0));
                     }),
                     outcome([&] {
                       if (view.is_null(0)) throw BadValue("missing");
                       return spelled(view.key(0));
                     }),
                     outcome([&] {
                       std::vector<Key> keys;
                       if (!view.is_null(0)) view.keys(0, separator, keys);
                       std::string text;
                       for (const Key& key : keys) text += spelled(key) + "; ";
                       return text;
                     }));
}

std::string readings(const FieldValue& value, std::string_view separator) {
  std::string room;
  return fmt::format("missing: {}, number: {}, key: {}, keys: {}", value.missing(),
                     outcome([&] { return fmt::format("{:a}", number_of(value)); }),
                     outcome([&] { return spelled(key_of(value, room)); }), outcome([&] {
                       std::string text;
                       for_each_key(value, separator,
                                    [&](const Key& key) { text += spelled(key) + "; "; });
                       return text;
                     }));
}

template <class Builder, class Value>
ColumnView column_of(const Value& value) {
  Builder builder;
  EXPECT_TRUE(builder.Append(value).ok());
  return ColumnView(builder.Finish().ValueOrDie());
}

template <class Builder, class Value>
ColumnView list_of(const std::vector<std::optional<Value>>& values) {
  const auto elements = std::make_shared<Builder>();
  arrow::ListBuilder builder(arrow::default_memory_pool(), elements);
  EXPECT_TRUE(builder.Append().ok());
  for (const auto& value : values) {
    EXPECT_TRUE((value ? elements->Append(*value) : elements->AppendNull()).ok());
  }
  return ColumnView(builder.Finish().ValueOrDie());
}

template <class Value>
FieldValue field_list(const std::vector<std::optional<Value>>& values) {
  FieldValue list;
  list.kind = FieldValue::Kind::kList;
  for (const auto& value : values) {
    list.list.push_back(value ? FieldValue::of(*value) : FieldValue());
  }
  return list;
}

TEST(FieldValue, ReadsIntegersAsAColumnDoes) {
  using Limits = std::numeric_limits<std::int64_t>;
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{-5}, std::int64_t{123},
                                   std::int64_t{9007199254740993}, Limits::max(), Limits::min()}) {
    EXPECT_EQ(readings(FieldValue::of(value), "|"),
              readings(column_of<arrow::Int64Builder>(value), "|"));
  }
}

TEST(FieldValue, ReadsRealsAsAColumnDoes) {
  for (const double value :
       {0.0, -0.0, 1.0, -3.0, 2.5, 0.1, 1e-320, 1e15, 9007199254740992.0, 9007199254740994.0, 1e17,
        -1e18, 9223372036854774784.0, 9223372036854775808.0, -9223372036854775808.0, 1e300,
        std::nan(""), kInfinity, -kInfinity}) {
    SCOPED_TRACE(value);
    EXPECT_EQ(readings(FieldValue::of(value), "|"),
              readings(column_of<arrow::DoubleBuilder>(value), "|"));
  }
}

TEST(FieldValue, ReadsTextsAsAColumnDoes) {
  for (const std::string_view value :
       {"", " ", "12", "12.0", "007", "-0", "2.5", " 2.5 ", "1e3", "nan", "inf", "abc", "a|b",
        " a | |12| b|", "|", "9223372036854775807", "18446744073709551615", "true", "\xC3\xA9|z"}) {
    for (const std::string_view separator : {"|", "", ", "}) {
      SCOPED_TRACE(fmt::format("'{}' by '{}'", value, separator));
      EXPECT_EQ(readings(FieldValue::of(value), separator),
                readings(column_of<arrow::StringBuilder>(value), separator));
    }
  }
}

TEST(FieldValue, ReadsTruthsAndMissingOnesAsAColumnDoes) {
  for (const bool value : {false, true}) {
    EXPECT_EQ(readings(FieldValue::of(value), "|"),
              readings(column_of<arrow::BooleanBuilder>(value), "|"));
  }
  arrow::StringBuilder nothing;
  ASSERT_TRUE(nothing.AppendNull().ok());
  const ColumnView view(nothing.Finish().ValueOrDie());
  EXPECT_EQ(readings(FieldValue(), "|"), readings(view, "|"));
}

TEST(FieldValue, ReadsListsAsAColumnDoes) {
  using Texts = std::vector<std::optional<std::string_view>>;
  for (const Texts& values : {Texts{}, Texts{"a"}, Texts{"12", "007", "12.0"},
                              Texts{" a ", "", "  ", std::nullopt, " 12", "b|c"}}) {
    EXPECT_EQ(readings(field_list(values), "|"),
              readings(list_of<arrow::StringBuilder>(values), "|"));
  }
  const std::vector<std::optional<std::int64_t>> integers = {1, std::nullopt, -9007199254740993};
  EXPECT_EQ(readings(field_list(integers), "|"),
            readings(list_of<arrow::Int64Builder>(integers), "|"));
  using Reals = std::vector<std::optional<double>>;
  for (const Reals& values :
       {Reals{1.0, 2.5, std::nan(""), std::nullopt, 1e17}, Reals{1.0, kInfinity}}) {
    EXPECT_EQ(readings(field_list(values), "|"),
              readings(list_of<arrow::DoubleBuilder>(values), "|"));
  }
  const std::vector<std::optional<bool>> truths = {true, std::nullopt, false};
  EXPECT_EQ(readings(field_list(truths), "|"),
            readings(list_of<arrow::BooleanBuilder>(truths), "|"));
}

TEST(FieldValue, NamesAMemberTheSameHoweverItsKeyIsWritten) {
  std::string room;
  const auto name = [&](const FieldValue& value) { return member_name(key_of(value, room)); };
  EXPECT_EQ(name(FieldValue::of(std::int64_t{7})), "7");
  EXPECT_EQ(name(FieldValue::of(7.0)), "7");
  EXPECT_EQ(name(FieldValue::of(std::string_view("7.0"))), "7");
  EXPECT_EQ(name(FieldValue::of(std::string_view("007"))), "007");
  EXPECT_EQ(name(FieldValue::of(2.5)), "2.5");
}

}  // namespace
}  // namespace limber
