// The reader beside another parser of JSON, on documents that are damaged at random.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "limber/core/base/random.h"
#include "limber/serving/http/json_message_for_test.h"
#include "limber/serving/http/json_reader.h"

namespace limber::http {
namespace {

/// Reads anything there is, as nlohmann's parser would have it.
nlohmann::json copy_of(JsonValue& value) {
  switch (value.type()) {
    case JsonType::kObject: {
      nlohmann::json object = nlohmann::json::object();
      value.object([&](std::string_view key, JsonValue& child) {
        object[std::string(key)] = copy_of(child);
      });
      return object;
    }
    case JsonType::kArray: {
      nlohmann::json array = nlohmann::json::array();
      value.array([&](JsonValue& child) { array.push_back(copy_of(child)); });
      return array;
    }
    case JsonType::kString:
      return std::string(value.string());
    case JsonType::kNumber:
      return value.number();
    case JsonType::kBoolean:
      return value.boolean();
    case JsonType::kNull:
      break;
  }
  return nullptr;
}

/// A document of every kind of value, some of them awkward.
std::string random_document(Random& random, int depth = 0) {
  switch (random.below(depth < 5 ? 8 : 6)) {
    case 0:
      return "true";
    case 1:
      return "null";
    case 2:
      return std::to_string(static_cast<std::int64_t>(random.below(1U << 31)) - (1 << 30));
    case 3:
      return fmt::format("{:.17g}", random.normal());
    case 4:
      return R"("\u00e9\\\/\n\ud83d\ude00 plain")";
    case 5:
      return "\"\"";
    case 6: {
      std::string array = "[";
      const std::uint64_t size = random.below(5);
      for (std::uint64_t i = 0; i < size; ++i) {
        array += (i ? ", " : "") + random_document(random, depth + 1);
      }
      return array + "]";
    }
    default: {
      std::string object = "{";
      const std::uint64_t size = random.below(5);
      for (std::uint64_t i = 0; i < size; ++i) {
        object +=
            fmt::format("{}\"key{}\": {}", i ? ", " : "", i, random_document(random, depth + 1));
      }
      return object + "}";
    }
  }
}

/// Whether nlohmann's parser takes it, and what it then says.
std::optional<nlohmann::json> judged(const std::string& text) {
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

TEST(JsonReader, AgreesWithAnotherParserOnMutatedDocuments) {
  Random random(7);
  std::size_t accepted = 0, refused = 0;
  for (int round = 0; round < 30'000; ++round) {
    std::string text = "[" + random_document(random) + "]";
    const std::uint64_t mutations = random.below(4);
    for (std::uint64_t i = 0; i < mutations; ++i) {
      const std::size_t place = random.below(text.size());
      const std::string_view kinds = "{}[]\",:\\0-9.eE tfn\x80\x01";
      switch (random.below(4)) {
        case 0:
          text[place] = static_cast<char>(random.below(256));
          break;
        case 1:
          text[place] = kinds[random.below(kinds.size())];
          break;
        case 2:
          text.insert(place, 1, kinds[random.below(kinds.size())]);
          break;
        default:
          text.erase(place, 1 + random.below(3));
          if (text.empty()) text = "x";
      }
    }
    nlohmann::json copy;
    const std::string message = message_of(text, [&](JsonValue& root) { copy = copy_of(root); });
    const auto judge = judged(text);
    if (message.empty()) {
      ++accepted;
      ASSERT_TRUE(judge.has_value()) << text;
      ASSERT_EQ(copy, *judge) << text;
    } else {
      ++refused;
      // What we refuse of JSON: a root that is a scalar, a key that appears twice, great depth,
      // numbers beyond a double.
      if (judge.has_value() && (judge->is_array() || judge->is_object())) {
        EXPECT_TRUE(message.find("twice") != std::string::npos ||
                    message.find("double") != std::string::npos)
            << text << "\n"
            << message;
      }
    }
  }
  EXPECT_GT(accepted, 5000U);
  EXPECT_GT(refused, 5000U);
}

}  // namespace
}  // namespace limber::http
