#include "limber/core/config/scalar_reader.h"

#include <gtest/gtest.h>

#include <limits>

#include "limber/core/config/test_support.h"

namespace limber {
namespace {

using Kind = ConfigNode::Kind;

ConfigNode plain(const std::string& text) {
  return ConfigNode::make(Kind::plain, text, "c:1");
}

template <class T>
T read(const std::string& text, const Constraint& constraint = any()) {
  T value{};
  read_scalar(plain(text), "train.x", constraint, value);
  return value;
}

template <class T>
std::string refusal(const ConfigNode& node, const Constraint& constraint = any()) {
  return input_error([&] {
    T value{};
    read_scalar(node, "train.x", constraint, value);
  });
}

TEST(ReadScalar, Numbers) {
  EXPECT_EQ(read<double>("1e-3"), 1e-3);
  EXPECT_EQ(read<double>("-2"), -2.0);
  EXPECT_EQ(read<double>("+.5"), 0.5);
  EXPECT_EQ(read<double>("0.1"), 0.1);
  EXPECT_EQ(read<std::int64_t>("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(read<std::int64_t>("010"), 10);
  EXPECT_EQ(read<std::uint64_t>("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
}

TEST(ReadScalar, RefusesWhatIsNoNumber) {
  for (const char* text : {"", "+", "-", "+-1", "--1", "1x", "1 2", "0x10", "1_000", "one", "nan",
                           "inf", "-inf", ".inf", "true", "1,5"}) {
    EXPECT_NE(refusal<double>(plain(text)), "") << text;
    EXPECT_NE(refusal<std::int64_t>(plain(text)), "") << text;
    EXPECT_NE(refusal<std::uint64_t>(plain(text)), "") << text;
  }
  for (const char* text : {"1.5", "1e3", "1."}) {
    EXPECT_EQ(refusal<std::int64_t>(plain(text)),
              std::string("c:1: train.x: expected a whole number, found ") + text);
  }
  EXPECT_EQ(refusal<double>(ConfigNode::make(Kind::text, "3", "c:1")),
            "c:1: train.x: expected a number, found \"3\"");
  EXPECT_EQ(refusal<double>(ConfigNode::make(Kind::nothing, "", "c:1")),
            "c:1: train.x: expected a number, found nothing");
  EXPECT_EQ(refusal<std::uint64_t>(plain("-1")),
            "c:1: train.x: expected a whole number of at least 0, found -1");
}

TEST(ReadScalar, RefusesNumbersThatDoNotFit) {
  for (const char* text : {"9223372036854775808", "-9223372036854775809"}) {
    EXPECT_EQ(refusal<std::int64_t>(plain(text)),
              std::string("c:1: train.x: ") + text + " is out of the range of numbers");
  }
  EXPECT_NE(refusal<std::uint64_t>(plain("18446744073709551616")), "");
  EXPECT_NE(refusal<double>(plain("1e999")), "");
}

TEST(ReadScalar, KeepsNumbersInTheirRange) {
  EXPECT_EQ(read<double>("1", between(0, 1)), 1.0);
  EXPECT_EQ(refusal<double>(plain("3"), between(0, 1)), "c:1: train.x: 3 is not between 0 and 1");
  EXPECT_EQ(refusal<double>(plain("0"), positive()), "c:1: train.x: 0 is not greater than 0");
  EXPECT_EQ(refusal<std::int64_t>(plain("-7"), at_least(1)), "c:1: train.x: -7 is not at least 1");
}

TEST(ReadScalar, TruthValues) {
  for (const char* text : {"true", "True", "TRUE"}) EXPECT_TRUE(read<bool>(text));
  for (const char* text : {"false", "False", "FALSE"}) EXPECT_FALSE(read<bool>(text));
  for (const char* text : {"yes", "no", "on", "1", "0", "tRUE", ""}) {
    EXPECT_EQ(refusal<bool>(plain(text)),
              std::string("c:1: train.x: expected true or false, found ") + text);
  }
  EXPECT_NE(refusal<bool>(ConfigNode::make(Kind::text, "true", "c:1")), "");
}

TEST(ReadScalar, Text) {
  EXPECT_EQ(read<std::string>("rating >= 4"), "rating >= 4");
  EXPECT_EQ(read<std::string>("3"), "3");
  EXPECT_EQ(read<std::string>("sgd", one_of({"adam", "sgd"})), "sgd");
  EXPECT_EQ(refusal<std::string>(plain("adm"), one_of({"adam", "sgd"})),
            "c:1: train.x: adm is not one of adam, sgd; did you mean adam?");
  EXPECT_EQ(refusal<std::string>(plain(""), required()), "c:1: train.x: must not be empty");
  EXPECT_EQ(refusal<std::string>(ConfigNode::make(Kind::list, "", "c:1")),
            "c:1: train.x: expected one text, found a list");
  EXPECT_EQ(refusal<std::string>(ConfigNode::make(Kind::nothing, "", "c:1")),
            "c:1: train.x: has no value; write \"\" for empty text, or leave the line out");
}

TEST(ReadScalar, MessagesStayOneShortLine) {
  const std::string message =
      refusal<std::string>(plain("a\nb\x01" + std::string(5000, 'c')), one_of({"adam"}));
  EXPECT_LT(message.size(), 200U);
  EXPECT_EQ(message.find_first_of("\n\x01"), std::string::npos);
}

}  // namespace
}  // namespace limber
