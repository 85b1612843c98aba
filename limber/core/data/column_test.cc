#include "limber/core/data/column.h"

#include <arrow/api.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace limber {
namespace {

Key number(std::int64_t value) {
  return {true, value, {}};
}
Key text(std::string_view value) {
  return {false, 0, value};
}

std::shared_ptr<arrow::Array> finish(arrow::ArrayBuilder& builder) {
  std::shared_ptr<arrow::Array> array;
  EXPECT_TRUE(builder.Finish(&array).ok());
  return array;
}

template <class Builder, class Values>
std::shared_ptr<arrow::Array> array_of(Builder&& builder, const Values& values) {
  for (const auto& value : values) EXPECT_TRUE(builder.Append(value).ok());
  EXPECT_TRUE(builder.AppendNull().ok());
  return finish(builder);
}

template <class Builder = arrow::StringBuilder>
ColumnView texts(const std::vector<std::string>& values) {
  return ColumnView(array_of(Builder(), values));
}

TEST(KeyOf, OnlyCanonicalIntegersAreNumbers) {
  EXPECT_EQ(key_of("123"), number(123));
  EXPECT_EQ(key_of("-5"), number(-5));
  EXPECT_EQ(key_of("0"), number(0));
  EXPECT_EQ(key_of("3.0"), number(3));
  EXPECT_EQ(key_of("9223372036854775807"), number(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(key_of("-9223372036854775808"), number(std::numeric_limits<std::int64_t>::min()));
  for (const char* word : {"", "-", "007", "+5", "-0", "-0.0", "00", " 1", "1 ", "1.5", "3.00",
                           ".0", "1e3", "0x1", "9223372036854775808", "12a"}) {
    EXPECT_EQ(key_of(word), text(word)) << word;
  }
}

TEST(NumberOf, ReadsFiniteDecimals) {
  EXPECT_EQ(number_of("4"), 4);
  EXPECT_EQ(number_of(" +2.5e-3 "), 0.0025);
  EXPECT_EQ(number_of("-.5"), -0.5);
  EXPECT_EQ(number_of("0.1"), 0.1);
  EXPECT_LT(number_of("1e-320"), 1e-300);
  EXPECT_EQ(number_of("1e-999"), 0);
  for (const char* word : {"", " ", "abc", "1,5", "1.5x", "nan", "inf", "-inf", "1e999", "--1",
                           "+-1", "0x10", "1 2"}) {
    EXPECT_THROW(number_of(word), BadValue) << word;
  }
  try {
    number_of(std::string(57, 'a') + "\xC3\xA9\xC3\xA9\xC3\xA9");
    FAIL();
  } catch (const BadValue& bad) {
    EXPECT_EQ(bad.what(), "'" + std::string(57, 'a') + "\xC3\xA9...' is not a number");
  }
}

TEST(TimeOf, ReadsIso8601) {
  constexpr std::int64_t kDay = 1714521600;  // 2024-05-01
  EXPECT_EQ(time_of("978300760"), 978300760);
  EXPECT_EQ(time_of("2024-05-01"), kDay);
  EXPECT_EQ(time_of("2024-05-01T12:00:00Z"), kDay + 43200);
  EXPECT_EQ(time_of("2024-05-01 12:30"), kDay + 45000);
  EXPECT_EQ(time_of("2024-05-01 12:00:01.999"), kDay + 43201);
  EXPECT_EQ(time_of("2024-05-01T12:00:00+02:00"), kDay + 36000);
  EXPECT_EQ(time_of("2024-05-01T12:00:00-0530"), kDay + 43200 + 19800);
  EXPECT_EQ(time_of("2024-05-01T12:00:00+02"), kDay + 36000);
  EXPECT_EQ(time_of("1969-12-31T23:59:59Z"), -1);
  EXPECT_EQ(time_of("2000-02-29"), 951782400);
  for (const char* word : {"", "01-Jan-1995", "2024-13-01", "2023-02-29", "2024-5-1", "2024-05-01T",
                           "2024-05-01T24:00", "2024-05-01T12:60", "2024-05-01T12:00:00.",
                           "2024-05-01T12:00:00ZZ", "2024-05-01Z", "2024-05-01T12:00:00+2",
                           "2024-05-01T12:00:00+02:", "20240501T12", "yesterday", "1.5"}) {
    EXPECT_THROW(time_of(word), BadValue) << word;
  }
}

TEST(Column, EveryTextTypeReadsAlike) {
  const std::vector<std::string> values{"12", "007", "", " 2.5", "2024-05-01"};
  auto dictionary = arrow::StringDictionaryBuilder();
  const std::shared_ptr<arrow::Array> arrays[] = {
      array_of(arrow::StringBuilder(), values), array_of(arrow::LargeStringBuilder(), values),
      array_of(arrow::StringViewBuilder(), values), array_of(arrow::BinaryBuilder(), values),
      array_of(dictionary, values)};
  for (const auto& array : arrays) {
    SCOPED_TRACE(array->type()->ToString());
    const ColumnView view(array);
    ASSERT_EQ(view.size(), 6);
    EXPECT_EQ(view.key(0), number(12));
    EXPECT_EQ(view.number(0), 12);
    EXPECT_EQ(view.key(1), text("007"));
    EXPECT_EQ(view.number(1), 7);
    EXPECT_EQ(view.number(3), 2.5);
    EXPECT_EQ(view.time(4), 1714521600);
    for (const std::int64_t null : {2, 5}) {
      EXPECT_TRUE(view.is_null(null));
      EXPECT_TRUE(std::isnan(view.number(null)));
      EXPECT_THROW(view.key(null), BadValue);
      EXPECT_THROW(view.time(null), BadValue);
    }
    EXPECT_THROW(view.number(4), BadValue);
    EXPECT_THROW(view.time(1), BadValue);
    const ColumnView slice(array->Slice(1, 3));
    EXPECT_EQ(slice.key(0), text("007"));
    EXPECT_TRUE(slice.is_null(1));
  }
}

template <class Builder>
void expect_integers() {
  using Value = typename Builder::value_type;
  const Value top = std::numeric_limits<Value>::max();
  const ColumnView view(array_of(Builder(), std::vector<Value>{0, 5, top}));
  EXPECT_EQ(view.key(1), number(5));
  EXPECT_EQ(view.number(1), 5);
  EXPECT_EQ(view.time(1), 5);
  EXPECT_EQ(view.number(2), static_cast<double>(top));
  // Whatever the type, the key is that of the number's text.
  const std::string spelled = std::to_string(top);
  EXPECT_EQ(view.key(2), key_of(spelled));
  EXPECT_TRUE(view.is_null(3));
}

TEST(Column, Integers) {
  expect_integers<arrow::Int8Builder>();
  expect_integers<arrow::Int16Builder>();
  expect_integers<arrow::Int32Builder>();
  expect_integers<arrow::Int64Builder>();
  expect_integers<arrow::UInt8Builder>();
  expect_integers<arrow::UInt16Builder>();
  expect_integers<arrow::UInt32Builder>();
  expect_integers<arrow::UInt64Builder>();
}

TEST(Column, Reals) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const ColumnView view(
      array_of(arrow::DoubleBuilder(),
               std::vector<double>{3, -0.0, 2.5, std::nan(""), kInfinity, 1e300, -7.5}));
  EXPECT_EQ(view.key(0), number(3));
  EXPECT_EQ(view.key(1), number(0));
  EXPECT_EQ(view.key(2), text("2.5"));
  EXPECT_TRUE(view.is_null(3));
  EXPECT_THROW(view.number(4), BadValue);
  EXPECT_THROW(view.key(4), BadValue);
  EXPECT_EQ(view.key(5), text("1e+300"));
  EXPECT_THROW(view.time(5), BadValue);
  EXPECT_EQ(view.time(6), -8);
  EXPECT_TRUE(view.is_null(7));

  const ColumnView single(array_of(arrow::FloatBuilder(), std::vector<float>{0.1F, 4}));
  EXPECT_EQ(single.key(0), text("0.1"));
  EXPECT_EQ(single.number(0), static_cast<double>(0.1F));
  EXPECT_EQ(single.key(1), number(4));

  const ColumnView half(array_of(arrow::HalfFloatBuilder(),
                                 std::vector<std::uint16_t>{arrow::util::Float16(1.5F).bits()}));
  EXPECT_EQ(half.number(0), 1.5);
}

TEST(Column, BooleansAndDecimals) {
  const ColumnView view(array_of(arrow::BooleanBuilder(), std::vector<bool>{true, false}));
  EXPECT_EQ(view.number(0), 1);
  EXPECT_EQ(view.number(1), 0);
  EXPECT_EQ(view.key(0), text("true"));
  EXPECT_TRUE(view.is_null(2));
  EXPECT_THROW(view.time(0), BadValue);

  const ColumnView price(
      array_of(arrow::Decimal128Builder(arrow::decimal128(10, 2)),
               std::vector<arrow::Decimal128>{arrow::Decimal128(250), arrow::Decimal128(1200)}));
  EXPECT_EQ(price.number(0), 2.5);
  EXPECT_EQ(price.key(0), text("2.5"));
  EXPECT_EQ(price.key(1), number(12));
  const ColumnView large(
      array_of(arrow::Decimal128Builder(arrow::decimal128(38, 0)),
               std::vector<arrow::Decimal128>{arrow::Decimal128(9007199254740993)}));
  EXPECT_EQ(large.key(0), number(9007199254740993));
}

TEST(Column, TimesInEveryUnit) {
  struct {
    arrow::TimeUnit::type unit;
    std::int64_t per_second;
  } const cases[] = {{arrow::TimeUnit::SECOND, 1},
                     {arrow::TimeUnit::MILLI, 1000},
                     {arrow::TimeUnit::MICRO, 1000000},
                     {arrow::TimeUnit::NANO, 1000000000}};
  for (const auto& [unit, per_second] : cases) {
    arrow::TimestampBuilder builder(arrow::timestamp(unit), arrow::default_memory_pool());
    const ColumnView view(
        array_of(builder, std::vector<std::int64_t>{1714564800 * per_second, -3 * per_second / 2}));
    EXPECT_EQ(view.time(0), 1714564800);
    EXPECT_EQ(view.number(0), 1714564800);
    EXPECT_EQ(view.time(1), per_second == 1 ? -1 : -2);
    EXPECT_EQ(time_of(view.key(0).text), 1714564800) << view.key(0).text;
    EXPECT_THROW(view.time(2), BadValue);
  }
  const ColumnView days(array_of(arrow::Date32Builder(), std::vector<std::int32_t>{19844}));
  EXPECT_EQ(days.time(0), 1714521600);
  EXPECT_EQ(days.key(0), text("2024-05-01"));
  const ColumnView ticks(
      array_of(arrow::Date64Builder(), std::vector<std::int64_t>{1714521600000}));
  EXPECT_EQ(ticks.time(0), 1714521600);
}

TEST(Column, KeysOfSeparatedText) {
  const ColumnView view = texts({"Action| Comedy ||12|", "|", "a::b", "007"});
  std::vector<Key> keys{number(99)};
  view.keys(0, "|", keys);
  EXPECT_EQ(keys, (std::vector<Key>{text("Action"), text("Comedy"), number(12)}));
  view.keys(1, "|", keys);
  EXPECT_TRUE(keys.empty());
  view.keys(2, "::", keys);
  EXPECT_EQ(keys, (std::vector<Key>{text("a"), text("b")}));
  view.keys(2, "", keys);
  EXPECT_EQ(keys, std::vector<Key>{text("a::b")});
  view.keys(4, "|", keys);
  EXPECT_TRUE(keys.empty());
  const ColumnView ids(array_of(arrow::Int32Builder(), std::vector<int>{4}));
  ids.keys(0, "|", keys);
  EXPECT_EQ(keys, std::vector<Key>{number(4)});
}

TEST(Column, KeysOfLists) {
  auto words = std::make_shared<arrow::StringBuilder>();
  arrow::ListBuilder builder(arrow::default_memory_pool(), words);
  ASSERT_TRUE(builder.Append().ok() && words->AppendValues({" a ", "", "7"}).ok() &&
              words->AppendNull().ok() && builder.AppendNull().ok() && builder.Append().ok() &&
              builder.Append().ok() && words->Append("b|c").ok());
  const ColumnView view(finish(builder));
  std::vector<Key> keys;
  view.keys(0, "|", keys);
  EXPECT_EQ(keys, (std::vector<Key>{text("a"), number(7)}));
  view.keys(1, "|", keys);
  EXPECT_TRUE(keys.empty());
  view.keys(2, "|", keys);
  EXPECT_TRUE(keys.empty());
  view.keys(3, "|", keys);
  EXPECT_EQ(keys, std::vector<Key>{text("b|c")});
  EXPECT_THROW(view.key(0), BadValue);
  EXPECT_THROW(view.number(0), BadValue);

  // Texts of many numbers stay good side by side.
  auto reals = std::make_shared<arrow::DoubleBuilder>();
  arrow::FixedSizeListBuilder fixed(arrow::default_memory_pool(), reals, 200);
  for (int row = 0; row < 2; ++row) {
    ASSERT_TRUE(fixed.Append().ok());
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(reals->Append(row + (i + 0.5) / 1024).ok());
  }
  const ColumnView many(finish(fixed));
  many.keys(1, "", keys);
  ASSERT_EQ(keys.size(), 200U);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(number_of(keys[i].text), 1 + (static_cast<double>(i) + 0.5) / 1024);
  }
}

TEST(Column, AllNullsAndTypesWithoutReading) {
  const ColumnView nothing(std::make_shared<arrow::NullArray>(2));
  EXPECT_TRUE(nothing.is_null(1));
  EXPECT_TRUE(std::isnan(nothing.number(0)));
  auto inner = std::make_shared<arrow::Int32Builder>();
  arrow::StructBuilder pair(arrow::struct_({arrow::field("x", arrow::int32())}),
                            arrow::default_memory_pool(), {inner});
  EXPECT_THROW(ColumnView{finish(pair)}, BadValue);
}

}  // namespace
}  // namespace limber
