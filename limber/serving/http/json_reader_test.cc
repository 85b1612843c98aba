#include "limber/serving/http/json_reader.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <thread>

#include "limber/core/base/error.h"
#include "limber/core/base/random.h"
#include "limber/serving/http/json_message_for_test.h"

namespace limber::http {
namespace {

TEST(JsonReader, ReadsScalarsListsAndObjects) {
  std::string member;
  std::vector<std::string> ids;
  std::vector<double> scores;
  std::vector<std::int64_t> counts;
  bool flag = false, null = false;
  std::int64_t big = 0;
  read_json(R"( {"member": "a\u00e9\n\"", "ignored": {"deep": [1, {"x": null}]}, "flag": true,
                 "big": -9223372036854775808, "nothing": null, "counts": [1, 2, 3],
                 "items": [{"id": "x", "score": 1}, {"score": -2.5e-3, "id": 17}]} )",
            [&](JsonValue& root) {
              root.object([&](std::string_view key, JsonValue& value) {
                if (key == "member") member = value.string();
                if (key == "flag") flag = value.boolean();
                if (key == "big") big = value.integer();
                if (key == "nothing") null = value.is_null();
                if (key == "counts") counts = value.integers();
                if (key == "items") {
                  value.array([&](JsonValue& item) {
                    item.object([&](std::string_view name, JsonValue& field) {
                      if (name == "id") ids.push_back(field.id());
                      if (name == "score") scores.push_back(field.number());
                    });
                  });
                }
              });
            });
  EXPECT_EQ(member, "a\u00e9\n\"");
  EXPECT_EQ(ids, (std::vector<std::string>{"x", "17"}));
  EXPECT_EQ(scores, (std::vector<double>{1, -2.5e-3}));
  EXPECT_EQ(counts, (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(big, std::numeric_limits<std::int64_t>::min());
  EXPECT_TRUE(flag);
  EXPECT_TRUE(null);
}

TEST(JsonReader, NumbersOfManyDigitsAreRead) {
  const auto read = [](const std::string& token) {
    double number = 0;
    EXPECT_EQ(
        message_of("[" + token + "]", [&](JsonValue& root) { number = root.numbers().at(0); }), "");
    return number;
  };
  EXPECT_EQ(read("0.12345678901234567890"), 0.12345678901234567890);
  EXPECT_EQ(read("-0.99999999999999999999999"), -1.0);
  EXPECT_EQ(read("0.1000000000000000055511151231257827021181583404541015625"), 0.1);
  Random random(5);
  for (int i = 0; i < 20000; ++i) {
    std::string token = random.below(2) == 0 ? "0." : std::to_string(1 + random.below(99999)) + ".";
    token += std::string(random.below(8), '0');
    for (std::uint64_t digits = 1 + random.below(45); digits > 0; --digits) {
      token += static_cast<char>('0' + random.below(10));
    }
    if (random.below(2) == 0)
      token += "e" + std::to_string(300 - static_cast<int>(random.below(640)));
    const double expected = std::strtod(token.c_str(), nullptr);
    if (!std::isfinite(expected)) continue;
    EXPECT_EQ(read(token), expected) << token;
  }
}

TEST(JsonReader, NamesThePlaceAndWhatWasExpected) {
  const auto scores = [](JsonValue& root) {
    root.object([](std::string_view key, JsonValue& value) {
      if (key != "items") value.fail_unknown({"items", "member"});
      value.array([](JsonValue& item) {
        item.object([](std::string_view, JsonValue& field) { field.number(); });
      });
    });
  };
  EXPECT_EQ(message_of(R"({"items": [{"score": 1}, {"score": "high"}]})", scores),
            "items[1].score: expected a number, found a string");
  EXPECT_EQ(message_of(R"({"items": {}})", scores), "items: expected an array, found an object");
  EXPECT_EQ(message_of(R"([])", scores), "the body: expected an object, found an array");
  EXPECT_EQ(message_of(R"({"itms": []})", scores), "itms: unknown key; did you mean items?");
  EXPECT_EQ(message_of(R"({"items": [{"a": 1e999}]})", scores),
            "items[0].a: expected a number that a double can hold, found 1e999");
  const auto integer = [](JsonValue& root) { root.integers(); };
  EXPECT_EQ(message_of("[1, 2.5]", integer), "[1]: expected a whole number of 64 bits, found 2.5");
  EXPECT_NE(message_of("[9223372036854775808]", integer).find("64 bits"), std::string::npos);
  EXPECT_EQ(message_of(R"({"a": 1, "b": 2, "a": 3})"), "a: the key appears twice");
}

TEST(JsonReader, TellsWholeNumbersFromOthers) {
  struct Case {
    const char* token;
    bool integer;
    const char* digits;
  };
  // Beside a neighbour and blanks, so that a token's end is not the document's.
  for (const Case& one :
       std::initializer_list<Case>{{"0", true, "0"},
                                   {"-7", true, "-7"},
                                   {"9007199254740993", true, "9007199254740993"},
                                   {"9223372036854775807", true, "9223372036854775807"},
                                   {"-9223372036854775808", true, "-9223372036854775808"},
                                   {"9223372036854775808", false, "9223372036854775808"},
                                   {"-9223372036854775809", false, "-9223372036854775809"},
                                   {"18446744073709551617", false, "18446744073709551617"},
                                   {"7.0", false, ""},
                                   {"7e2", false, ""},
                                   {"-0.5", false, ""},
                                   {"\"7\"", false, ""},
                                   {"true", false, ""},
                                   {"null", false, ""},
                                   {"[7]", false, ""}}) {
    for (const char* const after : {"", " \n", ", 5", "\t, {}"}) {
      const std::string text = std::string("[ ") + one.token + after + "]";
      SCOPED_TRACE(text);
      int elements = 0;
      read_json(text, [&](JsonValue& root) {
        root.array([&](JsonValue& value) {
          if (elements++ > 0) return;
          EXPECT_EQ(value.is_integer(), one.integer);
          EXPECT_EQ(value.digits(), one.digits);
          if (one.integer) {
            EXPECT_EQ(std::to_string(value.integer()), one.digits);
          } else if (*one.digits != 0) {
            EXPECT_EQ(value.number(), std::strtod(one.digits, nullptr));
          }
        });
      });
      EXPECT_EQ(elements, std::string_view(after).find(',') == std::string_view::npos ? 1 : 2);
    }
  }
  // What only begins as a number is none, whether or not it is read.
  for (const char* const token : {"007", "1x", "-", "1-2"}) {
    SCOPED_TRACE(token);
    EXPECT_NE(message_of(std::string("[") + token + "]",
                         [](JsonValue& root) {
                           root.array([](JsonValue& value) { EXPECT_FALSE(value.is_integer()); });
                         }),
              "");
  }
}

TEST(JsonReader, FindsAKeyThatAppearsTwiceAmongMany) {
  std::string text = "{";
  for (int i = 0; i < 1000; ++i) text += fmt::format("\"key{}\": {}, ", i, i);
  EXPECT_EQ(message_of(text + "\"other\": 0}"), "");
  EXPECT_EQ(message_of(text + "\"key777\": 0}"), "key777: the key appears twice");
}

TEST(JsonReader, RefusesWhatIsNotJsonEvenWhereNobodyLooks) {
  EXPECT_EQ(message_of(""), "the body is empty; expected JSON");
  EXPECT_EQ(message_of("17"), "the body: expected an object or an array");
  for (const char* text : {"{",
                           "}",
                           "[1, 2",
                           "{\"a\"}",
                           "{\"a\": }",
                           "{\"a\": tru}",
                           "{\"a\": nul}",
                           "{\"a\": 01}",
                           "{\"a\": 1.}",
                           "{\"a\": [}",
                           "{\"a\": [1}}",
                           "{\"a\": {]}",
                           "{\"a\": 1} {\"b\": 2}",
                           "{\"a\": 1}]",
                           "[1] [2]",
                           "{\"a\": \"\\x\"}",
                           "{\"a\": \"\\ud800\"}",
                           "{\"a\": 1,}",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "{'a': 1}",
                           "{\"a\": NaN}",
                           "{\"a\": +1}",
                           "[\"\x01\"]",
                           "[\"\xff\"]",
                           "\xef\xbb\xbf{}",
                           "{a: 1}",
                           "{1: 2}",
                           "[-]",
                           "[1e]",
                           "nul",
                           "\"a\" 1"}) {
    EXPECT_NE(message_of(text), "") << text;
  }
}

TEST(JsonReader, LimitsDepth) {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(message_of(nested(kMostJsonDepth)), "");
  EXPECT_NE(message_of(nested(kMostJsonDepth + 1)).find("nested deeper"), std::string::npos);
  EXPECT_NE(message_of(nested(100'000)), "");
  EXPECT_NE(message_of(std::string(1'000'000, '[')), "");
}

TEST(JsonReader, RefusesToReadAValueTwiceOrADocumentWithinADocument) {
  EXPECT_THROW(read_json("[\"a\"]",
                         [](JsonValue& root) {
                           root.array([](JsonValue& value) {
                             value.string();
                             value.string();
                           });
                         }),
               Error);
  EXPECT_THROW(read_json("[]", [](JsonValue&) { read_json("[]", [](JsonValue&) {}); }), Error);
  // Neither leaves the thread's parser unusable.
  EXPECT_EQ(message_of("[]"), "");
}

TEST(JsonReader, QuotesNoMoreThanAPartOfALongKey) {
  const std::string text = "{\"" + std::string(100'000, 'k') + "\": 1}";
  EXPECT_LT(message_of(text,
                       [](JsonValue& root) {
                         root.object([](std::string_view, JsonValue& value) { value.string(); });
                       })
                .size(),
            200U);
}

TEST(JsonReader, ShowsControlCharactersOfABodyAsBlanks) {
  const auto strings = [](JsonValue& root) {
    root.object([](std::string_view, JsonValue& value) { value.string(); });
  };
  EXPECT_EQ(message_of("{\"a\x7f"
                       "b\\nc\": 1}",
                       strings),
            "a b c: expected a string, found a number");
  EXPECT_EQ(message_of("{\"a\x7f\": {]}", strings).find('\x7f'), std::string::npos);
}

TEST(JsonReader, LetsGoOfALargeDocument) {
  std::string text = "[";
  for (int i = 0; i < 1'000'000; ++i) text += "12345,";
  text += "1]";
  std::size_t count = 0;
  read_json(text, [&](JsonValue& root) { count = root.integers().size(); });
  EXPECT_EQ(count, 1'000'001U);
  EXPECT_EQ(message_of("[1]"), "");
}

TEST(JsonReader, ServesThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> sum = 0;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&sum, thread] {
      for (int i = 0; i < 500; ++i) {
        read_json(fmt::format("[{}, \"{}\"]", thread, i), [&](JsonValue& root) {
          root.array([&](JsonValue& value) {
            if (value.type() == JsonType::kNumber) sum += static_cast<int>(value.integer());
          });
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sum, 500 * (0 + 1 + 2 + 3));
}

}  // namespace
}  // namespace limber::http
