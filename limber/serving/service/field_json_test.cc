#include "limber/serving/service/field_json.h"

#include <gtest/gtest.h>

#include "limber/core/base/files.h"
#include "limber/serving/http/response.h"
#include "limber/serving/rows/served_model.h"
#include "limber/serving/service/row_json.h"
#include "limber/serving/service/test_model_for_test.h"

namespace limber {
namespace {

class FieldJsonTest : public testing::Test {
 protected:
  FieldJsonTest() {
    publish_test_model(folder_.path());
    model_ = ServedModel::load(folder_.path() / "films", {});
  }

  /// A value as a model sees it: the keys that it holds, or its number where it is one.
  static std::string seen(const FieldValue& value) {
    if (value.missing()) return "missing";
    std::string text = value.kind == FieldValue::Kind::kList ? "list:" : "";
    for_each_key(value, "", [&](const Key& key) { text += member_name(key) + ";"; });
    return text;
  }
  std::vector<std::string> seen(const FieldRow& row) const {
    std::vector<std::string> all;
    for (const FieldValue& value : row.values) all.push_back(seen(value));
    return all;
  }
  std::string stored(const std::string& json,
                     const std::vector<std::pair<std::string, double>>& labels = {}) const {
    std::string text;
    http::read_json(json,
                    [&](http::JsonValue& root) { text = to_json(read_all_fields(root), labels); });
    return text;
  }
  std::vector<std::string> row_of(const std::string& json) const {
    std::vector<std::string> all;
    http::read_json(json, [&](http::JsonValue& root) {
      FieldRow row(model_->schema());
      read_fields(root, model_->schema(), row);
      all = seen(row);
    });
    return all;
  }

  TemporaryFolder folder_;
  std::shared_ptr<const ServedModel> model_;
};

TEST_F(FieldJsonTest, WhatIsStoredReadsAsTheRowThatWasSent) {
  for (const char* const json :
       {R"({"item": 7, "price": 2.5, "words": ["a", 3, null, true], "click": 1})",
        R"({"item": "007", "price": null, "words": "a|b", "rating": 4.5, "click": false})",
        R"({"item": 7.0, "price": -0.0, "words": [], "rating": 1e17})",
        R"({"item": "\"\\\u00e9\n", "price": 0.1, "words": ["", " x "]})",
        R"({"item": 9007199254740993, "words": [-9223372036854775808, 18446744073709551615]})",
        R"({})"}) {
    SCOPED_TRACE(json);
    EXPECT_EQ(row_of(stored(json)), row_of(json));
    EXPECT_EQ(stored(stored(json)), stored(json));
  }
}

TEST_F(FieldJsonTest, IdsStayExact) {
  const auto item = static_cast<std::size_t>(model_->schema().find("item"));
  for (const std::string id : {"9007199254740992", "9007199254740993", "-9007199254740993",
                               "9223372036854775807", "-9223372036854775808", "9223372036854775808",
                               "18446744073709551615", "123456789012345678901234567890"}) {
    for (const std::string& json : {"{\"item\":" + id + "}", "{\"item\":\"" + id + "\"}"}) {
      EXPECT_EQ(row_of(json)[item], id + ";") << json;
      EXPECT_EQ(row_of(stored(json))[item], id + ";") << json;
    }
  }
}

TEST_F(FieldJsonTest, KeepsColumnsThatTheModelDoesNotKnowAndLabels) {
  const std::string json =
      stored(R"({"unknown": [1, "x"], "item": 7, "other": null})", {{"click", 1}, {"like", 0}});
  EXPECT_EQ(json, R"({"unknown":[1,"x"],"item":7,"other":null,"labels":{"click":1,"like":0}})");
}

TEST_F(FieldJsonTest, NamesThePlaceOfWhatIsNoValue) {
  const auto message = [&](const std::string& json) -> std::string {
    try {
      stored(json);
    } catch (const http::HttpError& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  EXPECT_EQ(message(R"({"item": {"a": 1}})"),
            "item: expected a number, a text, true, false or null");
  EXPECT_EQ(message(R"({"words": ["a", ["b"]]})"),
            "words[1]: expected a number, a text, true, false or null");
}

}  // namespace
}  // namespace limber
