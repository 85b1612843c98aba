#include "limber/core/artifact/strict_json.h"

#include <gtest/gtest.h>

#include "limber/core/base/error.h"

namespace limber {
namespace {

TEST(StrictJson, ReadsWhatIsValid) {
  const auto json = parse_strict_json(R"({"a": {"x": 1}, "b": {"x": [1, {"x": 2}]}})", "f");
  EXPECT_EQ(json["b"]["x"][1]["x"], 2);
}

TEST(StrictJson, RefusesARepeatedKeyAtAnyDepth) {
  for (const char* text : {R"({"a": 1, "a": 1})", R"({"a": [{"b": {}, "c": 1, "b": 2}]})"}) {
    EXPECT_THROW(parse_strict_json(text, "f"), InputError) << text;
  }
}

TEST(StrictJson, ARepeatedKeyIsShownOnOneLine) {
  try {
    parse_strict_json("{\"a\x7f\": 1, \"a\x7f\": 1}", "f");
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "f: the key \"a \" occurs twice in one object");
  }
}

TEST(StrictJson, RefusesWhatIsBrokenAndNamesTheFile) {
  for (const std::string text :
       {"", "{", "{}x", "{\"a\": 1e999}", "{\"a\": nan}", "{\"\xff\": 1}", "{\"a\": 1,}"}) {
    try {
      parse_strict_json(text, "some/file.json");
      ADD_FAILURE() << "accepted: " << text;
    } catch (const InputError& error) {
      EXPECT_EQ(std::string(error.what()).rfind("some/file.json: ", 0), 0u) << error.what();
    }
  }
}

TEST(StrictJson, RefusesWhatTheParserWouldNotSee) {
  using namespace std::string_literals;
  for (const std::string& text :
       {"{}\0"s, "{}\0 and more"s, "\0"s, "{\"a\": \"x\0\"}"s, "[1,\0 2]"s, "\xEF\xBB\xBF{}"s}) {
    EXPECT_THROW(parse_strict_json(text, "f"), InputError) << text;
  }
  EXPECT_EQ(parse_strict_json(R"(["\u0000"])", "f")[0], "\0"s);
}

TEST(StrictJson, RefusesBottomlessNesting) {
  EXPECT_NO_THROW(parse_strict_json(std::string(60, '[') + std::string(60, ']'), "f"));
  EXPECT_THROW(parse_strict_json(std::string(1000000, '['), "f"), InputError);
  EXPECT_THROW(parse_strict_json(std::string(100, '[') + std::string(100, ']'), "f"), InputError);
}

}  // namespace
}  // namespace limber
