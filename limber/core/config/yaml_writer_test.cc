#include "limber/core/config/yaml_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "limber/core/base/error.h"
#include "limber/core/base/random.h"
#include "limber/core/config/json_nodes.h"
#include "limber/core/config/yaml_reader.h"

namespace limber {
namespace {

using Kind = ConfigNode::Kind;

/// Text made of what YAML gives a meaning to.
std::string nasty_text(Random& random) {
  constexpr std::array<std::string_view, 30> kPieces = {
      "a",  "b", "~", "null", "true", "3",  "-",  "- ", ": ", ":",
      " #", "#", "|", ">",    "'",    "\"", "\\", "*",  "&",  "!",
      "%",  "@", "`", "{",    "]",    ",",  "\n", "\t", " ",  "\u00e9\U0001F600"};
  std::string text;
  for (std::uint64_t i = random.below(5); i > 0; --i) text += kPieces[random.below(kPieces.size())];
  return text;
}

ConfigNode random_node(Random& random, int depth) {
  const std::uint64_t kind = random.below(depth > 0 ? 4 : 2);
  if (kind == 0) {
    return ConfigNode::make(Kind::plain, std::to_string(static_cast<int>(random.below(100)) - 50));
  }
  if (kind == 1) return ConfigNode::make(Kind::text, nasty_text(random));
  ConfigNode node = ConfigNode::make(kind == 2 ? Kind::list : Kind::map);
  for (std::uint64_t i = random.below(4); i > 0; --i) {
    ConfigNode item = random_node(random, depth - 1);
    if (kind == 2) {
      node.items.push_back(std::move(item));
    } else {
      std::string key = nasty_text(random);
      if (!key.empty() && node.find(key) == nullptr) node.add(std::move(key), std::move(item));
    }
  }
  return node;
}

/// Equal but for quotes, which a plain-looking text need not keep.
void expect_same(const ConfigNode& wrote, const ConfigNode& read, const std::string& yaml) {
  ASSERT_EQ(wrote.is_scalar(), read.is_scalar()) << yaml;
  ASSERT_EQ(wrote.text, read.text) << yaml;
  ASSERT_EQ(wrote.keys, read.keys) << yaml;
  ASSERT_EQ(wrote.items.size(), read.items.size()) << yaml;
  // A number must not become text, for text is not read as a number.
  if (wrote.kind == Kind::plain) {
    ASSERT_EQ(read.kind, Kind::plain) << yaml;
  }
  for (std::size_t i = 0; i < wrote.items.size(); ++i) {
    expect_same(wrote.items[i], read.items[i], yaml);
  }
}

TEST(WriteYaml, IsReadBackAsTheSameTree) {
  Random random(7);
  for (int i = 0; i < 3000; ++i) {
    const ConfigNode node = random_node(random, 3);
    for (const std::string& yaml : {write_yaml(node), write_flow_yaml(node)}) {
      ASSERT_NO_FATAL_FAILURE(expect_same(node, read_yaml(yaml, "written"), yaml)) << yaml;
    }
  }
}

TEST(WriteYaml, PutsListsOfScalarsOnOneLine) {
  const ConfigNode node = read_yaml("a: [1, 2]\nb:\n  - {c: x}\n", "c.yaml");
  EXPECT_EQ(write_yaml(node), "a: [1, 2]\nb:\n  - c: x\n");
  EXPECT_EQ(write_flow_yaml(node), "{a: [1, 2], b: [{c: x}]}");
}

TEST(JsonNodes, RoundTrip) {
  const auto json = nlohmann::json::parse(
      R"({"a": [1, -2.5, true, null, "3", ""], "b": {"c": {}}, "d": [], "e": 18446744073709551615,
          "f": 0.1, "g": 1e-300})");
  EXPECT_EQ(node_to_json(node_from_json(json, "manifest.json")), json);
}

TEST(JsonNodes, RefuseDeepNesting) {
  nlohmann::json json = 1;
  for (int i = 0; i < 1000; ++i) json = nlohmann::json::array({std::move(json)});
  EXPECT_THROW(node_from_json(json, "manifest.json"), InputError);
}

}  // namespace
}  // namespace limber
