#include "limber/core/config/yaml_reader.h"

#include <gtest/gtest.h>

#include "limber/core/config/test_support.h"

namespace limber {
namespace {

using Kind = ConfigNode::Kind;

std::string refusal(const std::string& yaml) {
  return input_error([&] { read_yaml(yaml, "c.yaml"); });
}

TEST(ReadYaml, KeepsOrderKindsAndLines) {
  const ConfigNode root = read_yaml("b: 1\na:\n  - x\n  - \"2\"\n\nc: {d: ~}\n", "c.yaml");
  ASSERT_EQ(root.kind, Kind::map);
  EXPECT_EQ(root.keys, (std::vector<std::string>{"b", "a", "c"}));
  EXPECT_EQ(root.items[0].kind, Kind::plain);
  EXPECT_EQ(root.items[0].where, "c.yaml:1");
  const ConfigNode& list = root.items[1];
  ASSERT_EQ(list.kind, Kind::list);
  EXPECT_EQ(list.where, "c.yaml:2");
  ASSERT_EQ(list.items.size(), 2U);
  EXPECT_EQ(list.items[0].text, "x");
  EXPECT_EQ(list.items[1].kind, Kind::text);
  EXPECT_EQ(list.items[1].where, "c.yaml:4");
  ASSERT_NE(root.find("c"), nullptr);
  EXPECT_EQ(root.find("c")->where, "c.yaml:6");
  EXPECT_EQ(root.find("c")->find("d")->kind, Kind::nothing);
  EXPECT_EQ(root.find("e"), nullptr);
}

TEST(ReadYaml, TellsQuotedFromPlain) {
  const ConfigNode root =
      read_yaml("[3, \"3\", '3', !!str 3, !!int 3, \"\", ~, null, \"null\"]", "c.yaml");
  const std::vector<Kind> expected = {Kind::plain,   Kind::text,    Kind::text,
                                      Kind::text,    Kind::plain,   Kind::text,
                                      Kind::nothing, Kind::nothing, Kind::text};
  ASSERT_EQ(root.items.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(root.items[i].kind, expected[i]) << i;
}

TEST(ReadYaml, KeepsDuplicateKeysForTheReaderToReport) {
  const ConfigNode root = read_yaml("a: 1\na: 2\n", "c.yaml");
  EXPECT_EQ(root.keys, (std::vector<std::string>{"a", "a"}));
}

TEST(ReadYaml, FollowsAliases) {
  const ConfigNode root = read_yaml("a: &x [1, 2]\nb: *x\nc: [*x, 3]\n", "c.yaml");
  ASSERT_EQ(root.items[1].items.size(), 2U);
  EXPECT_EQ(root.items[1].items[1].text, "2");
  EXPECT_EQ(root.items[1].where, "c.yaml:2");
  EXPECT_EQ(root.items[2].items[0].items.size(), 2U);
}

TEST(ReadYaml, RefusesAliasesThatExplode) {
  std::string yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    yaml += fmt::format("a{}: &a{} [", i, i);
    for (int j = 0; j < 10; ++j) yaml += fmt::format("{}*a{}", j > 0 ? ", " : "", i - 1);
    yaml += "]\n";
  }
  EXPECT_NE(refusal(yaml).find("holds more than 100000 values"), std::string::npos);
  // The same by anchors around anchors, each of which keeps a copy of all that lies in it.
  yaml = "[x";
  for (int i = 0; i < 5000; ++i) yaml += ", x";
  yaml += "]";
  for (int i = 0; i < 100; ++i) yaml = fmt::format("&a{} [{}]", i, yaml);
  EXPECT_NE(refusal(yaml).find("holds more than 100000 values"), std::string::npos);
  EXPECT_EQ(refusal("a: &x [*x]\n"), "c.yaml:1: an alias inside its own anchor");
}

TEST(ReadYaml, EmptyTextIsNothing) {
  EXPECT_EQ(read_yaml("", "c.yaml").kind, Kind::nothing);
  EXPECT_EQ(read_yaml("# only a comment\n", "c.yaml").kind, Kind::nothing);
}

TEST(ReadYaml, NamesTheLineOfASyntaxError) {
  EXPECT_EQ(refusal("a: 1\nb: [1,\n\n").substr(0, 20), "c.yaml:2: not YAML: ");
  EXPECT_EQ(refusal("a: 1\nb: \"x\n").substr(0, 20), "c.yaml:2: not YAML: ");
  EXPECT_EQ(refusal("a: 'x\nb: y\n  \n").substr(0, 20), "c.yaml:2: not YAML: ");
  EXPECT_EQ(refusal("a:\n  b: 1\n c: 2\n").substr(0, 20), "c.yaml:3: not YAML: ");
  EXPECT_NE(refusal("a:\n\tb: 1\n").find("indent with spaces, not tabs"), std::string::npos);
  EXPECT_NE(refusal("a: *.csv\n").find("needs quotes"), std::string::npos);
  EXPECT_NE(refusal("a: b: c\n").find("quote text that holds ': '"), std::string::npos);
}

TEST(ReadYaml, RefusesWhatItWouldMisread) {
  EXPECT_NE(refusal("a: 1\n---\nb: 2\n").find("more than one YAML document"), std::string::npos);
  EXPECT_EQ(refusal("a: !include b\n"), "c.yaml:1: the tag !include is not supported");
  EXPECT_EQ(refusal("a: !include [b]\n"), "c.yaml:1: the tag !include is not supported");
  EXPECT_EQ(refusal("? [a]\n: 1\n"), "c.yaml:1: a key must be text, not a list or a map");
  EXPECT_EQ(refusal("~: 1\n"), "c.yaml:1: a key must be text");
  // yaml-cpp takes this byte for the end of the file.
  EXPECT_EQ(refusal("a: 1\nb: 2\x04\nc: 3\n"), "c.yaml:2: holds the control character 0x04");
  EXPECT_EQ(refusal("a: 1\nb: \xff\n"), "c.yaml:2: is not UTF-8 text");
  EXPECT_EQ(refusal(std::string("a: \0", 4)), "c.yaml:1: holds the control character 0x00");
}

TEST(ReadYaml, RefusesDeepNesting) {
  EXPECT_NE(refusal(std::string(100000, '[')), "");
  EXPECT_NE(refusal(std::string(100000, '[') + std::string(100000, ']')), "");
}

TEST(ReadYaml, UnnumberedNodesStandAtTheirOrigin) {
  EXPECT_EQ(read_yaml("[1]", "--set a=[1]", Lines::unnumbered).items[0].where, "--set a=[1]");
}

}  // namespace
}  // namespace limber
