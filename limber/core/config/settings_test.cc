#include "limber/core/config/settings.h"

#include <gtest/gtest.h>

#include "limber/core/config/test_support.h"
#include "limber/core/config/yaml_reader.h"
#include "limber/core/config/yaml_writer.h"

namespace limber {
namespace {

std::string after(const std::string& yaml, const std::string& setting) {
  ConfigNode root = read_yaml(yaml, "c.yaml");
  apply_setting(root, setting);
  return write_flow_yaml(root);
}

std::string refusal(const std::string& yaml, const std::string& setting) {
  return input_error([&] { after(yaml, setting); });
}

TEST(ApplySetting, ReplacesAndCreates) {
  EXPECT_EQ(after("a: {b: 1, c: 2}", "a.b=3"), "{a: {b: 3, c: 2}}");
  EXPECT_EQ(after("a: {b: 1}", "a.c=3"), "{a: {b: 1, c: 3}}");
  EXPECT_EQ(after("a: 1", "b.c.d=3"), "{a: 1, b: {c: {d: 3}}}");
  EXPECT_EQ(after("", "a.b=3"), "{a: {b: 3}}");
  EXPECT_EQ(after("a:\n", "a.b=3"), "{a: {b: 3}}");
  EXPECT_EQ(after("a: {b: 1}", "a=3"), "{a: 3}");
  EXPECT_EQ(after("a: 1", " b = 3 "), "{a: 1, b: 3}");
}

TEST(ApplySetting, FlowYamlAndPlainValues) {
  EXPECT_EQ(after("", "a=[64,32]"), "{a: [64, 32]}");
  EXPECT_EQ(after("", "a={b: x, c: [1]}"), "{a: {b: x, c: [1]}}");
  EXPECT_EQ(after("", "a.b=rating >= 4"), "{a: {b: rating >= 4}}");
  for (const std::string value : {"*.csv", "|", "#", "x: y", "a=b", "~", "&x", "%", "- 1"}) {
    ConfigNode root = read_yaml("", "c.yaml");
    apply_setting(root, "a=" + value);
    EXPECT_EQ(root.find("a")->text, value);
    EXPECT_EQ(root.find("a")->kind, ConfigNode::Kind::plain);
  }
}

TEST(ApplySetting, EmptyAndQuotedValuesAreText) {
  for (const std::string setting : {"a=", "a=\"\"", "a=''"}) {
    ConfigNode root = read_yaml("a: 1", "c.yaml");
    apply_setting(root, setting);
    EXPECT_EQ(root.find("a")->kind, ConfigNode::Kind::text);
    EXPECT_EQ(root.find("a")->text, "");
  }
}

TEST(ApplySetting, FindsListItemsByName) {
  const std::string yaml =
      "f: [{name: age, dim: 1}, {name: item.id, dim: 2}, {name: item, dim: 3}]";
  EXPECT_EQ(after(yaml, "f.item.dim=8"),
            "{f: [{name: age, dim: 1}, {name: item.id, dim: 2}, {name: item, dim: 8}]}");
  // The longest name wins: a feature's name may hold dots.
  EXPECT_EQ(after(yaml, "f.item.id.dim=8"),
            "{f: [{name: age, dim: 1}, {name: item.id, dim: 8}, {name: item, dim: 3}]}");
  EXPECT_EQ(after("l: {a.b: x}", "l.a.b=y"), "{l: {a.b: y}}");
}

TEST(ApplySetting, NewNodesStandAtTheSetting) {
  ConfigNode root = read_yaml("a: {b: 1}", "c.yaml");
  apply_setting(root, "a.c.d=3");
  EXPECT_EQ(root.find("a")->where, "c.yaml:1");
  EXPECT_EQ(root.find("a")->find("c")->where, "--set a.c.d=3");
  EXPECT_EQ(root.find("a")->find("c")->find("d")->where, "--set a.c.d=3");
}

TEST(ApplySetting, SaysWhatIsWrong) {
  for (const std::string setting :
       {"", "train.seed", "=3", " =3", ".=3", ".a=3", "a..b=3", "a.=3"}) {
    EXPECT_EQ(refusal("a: {b: 1}", setting),
              "--set " + setting + ": expected KEY=VALUE, such as train.seed=3");
  }
  EXPECT_EQ(refusal("f: [{name: age}]", "f.aeg.dim=3"),
            "--set f.aeg.dim=3: f: none is named aeg; did you mean age?");
  EXPECT_EQ(refusal("a: 7", "a.b=3"),
            "--set a.b=3: a: is the single value 7 at c.yaml:1, and has no b");
  EXPECT_NE(refusal("", "a=[1"), "");
  EXPECT_NE(refusal("", "a='x"), "");
  EXPECT_EQ(refusal("", "a=\xff"), "--set a=\xEF\xBF\xBD: is not UTF-8 text");
}

TEST(ApplySetting, AKeyCannotAskForABottomlessTree) {
  std::string key = "a";
  for (int i = 1; i < 32; ++i) key += ".a";
  EXPECT_EQ(refusal("", key + "=1"), "");
  for (int i = 32; i < 50000; ++i) key += ".a";
  EXPECT_NE(refusal("", key + "=1").find("no option lies 32 sections deep"), std::string::npos);
}

TEST(ApplySetting, ValuesDoNotEachRememberALongSetting) {
  std::string setting = "a=[0";
  for (int i = 1; i < 20000; ++i) setting += ",0";
  ConfigNode root = read_yaml("", "c.yaml");
  apply_setting(root, setting + "]");
  const ConfigNode& list = *root.find("a");
  ASSERT_EQ(list.items.size(), 20000u);
  std::size_t bytes = 0;
  for (const ConfigNode& item : list.items) bytes += item.where.size();
  EXPECT_LT(bytes, 100 * list.items.size());
  EXPECT_EQ(list.where.rfind("--set a=[0,0", 0), 0u) << list.where;
}

}  // namespace
}  // namespace limber
