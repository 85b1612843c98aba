#include "limber/core/config/option_reader.h"

#include <gtest/gtest.h>

#include <set>

#include "limber/core/config/option_list.h"
#include "limber/core/config/settings.h"
#include "limber/core/config/test_support.h"
#include "limber/core/config/yaml_reader.h"
#include "limber/core/config/yaml_writer.h"

// These tests run over whatever options.h declares, so that a new option is tested at once.
namespace limber {
namespace {

Config read(const std::string& yaml, const std::vector<std::string>& settings = {}) {
  ConfigNode root = read_yaml(yaml, "c.yaml");
  for (const std::string& setting : settings) apply_setting(root, setting);
  root.where = "c.yaml";
  return read_options(root);
}

std::string refusal(const std::string& yaml, const std::vector<std::string>& settings = {}) {
  return input_error([&] { read(yaml, settings); });
}

/// The --set key of an option of the movies config, where item is a table and age a feature.
std::string key_of(const OptionSection& section, const std::string& option) {
  std::string path = section.path;
  if (path.ends_with("NAME")) {
    path = path.starts_with("data") ? "data.tables.item" : "features.age";
  }
  return join_path(path, option);
}

template <class Check>
void for_each_option(Check check) {
  for (const OptionSection& section : list_options()) {
    for (const Option& option : section.options) check(section, option);
  }
}

TEST(Options, AreDeclaredOnceWithASentence) {
  std::set<std::string> paths;
  for_each_option([&](const OptionSection& section, const Option& option) {
    EXPECT_TRUE(paths.insert(join_path(section.path, option.name)).second) << option.name;
    EXPECT_TRUE(option.sentence.ends_with('.')) << option.name;
    EXPECT_EQ(option.sentence.find('\n'), std::string::npos) << option.name;
  });
  EXPECT_GT(paths.size(), 50U);
}

TEST(Options, DefaultsAreAllowed) {
  for_each_option([](const OptionSection& section, const Option& option) {
    // A required option has no default, and the feature that stands for NAME must keep its name.
    if (option.required || option.name == "name") return;
    const std::string value = write_flow_yaml(option.default_value);
    EXPECT_EQ(refusal(kMoviesYaml, {key_of(section, option.name) + "=" + value}), "") << value;
  });
}

/// Numbers by name: what holds for the option holds for each of them.
bool by_name(const Option& option) {
  return option.type == "numbers by name";
}

TEST(Options, RefuseValuesOutsideTheirRange) {
  int checked = 0;
  for_each_option([&](const OptionSection& section, const Option& option) {
    const std::string key = key_of(section, option.name);
    std::vector<std::string> outside;
    const Constraint& constraint = option.constraint;
    if (constraint.minimum > -1e18)
      outside.push_back(fmt::format("{:.0f}", constraint.minimum - 1));
    if (constraint.maximum < 1e18) outside.push_back(fmt::format("{:.0f}", constraint.maximum + 1));
    if (constraint.minimum_is_open) outside.push_back(fmt::format("{}", constraint.minimum));
    if (!constraint.choices.empty()) outside.push_back("none_of_these");
    for (const std::string& value : outside) {
      const std::string setting = key + (by_name(option) ? ".like=" : "=") + value;
      const std::string message = refusal(kMoviesYaml, {setting});
      EXPECT_EQ(message.find("--set " + setting + ": " + key), 0U) << setting << ": " << message;
      ++checked;
    }
  });
  EXPECT_GT(checked, 50);
}

TEST(Options, AcceptTheEndsOfTheirRange) {
  for_each_option([](const OptionSection& section, const Option& option) {
    const std::string key = key_of(section, option.name);
    const Constraint& constraint = option.constraint;
    std::vector<std::string> inside = constraint.choices;
    if (constraint.minimum > -1e18 && !constraint.minimum_is_open) {
      inside.push_back(fmt::format("{}", constraint.minimum));
    }
    if (constraint.maximum < 1e18) inside.push_back(fmt::format("{:.17g}", constraint.maximum));
    for (const std::string& value : inside) {
      const std::string setting = key + (by_name(option) ? ".like=" : "=") + value;
      EXPECT_EQ(refusal(kMoviesYaml, {setting}), "") << setting;
    }
  });
}

TEST(Options, RefuseOtherTypes) {
  for_each_option([](const OptionSection& section, const Option& option) {
    const std::string key = key_of(section, option.name);
    for (const std::string value : {"[[x]]", "[{a: [b]}]", "{a: [b]}"}) {
      if (option.type == "lists of texts by name" && value == "{a: [b]}") continue;
      EXPECT_NE(refusal(kMoviesYaml, {key + "=" + value}), "") << key << "=" << value;
    }
    const bool is_text = option.type.find("text") != std::string::npos;
    if (!is_text) {
      EXPECT_NE(refusal(kMoviesYaml, {key + "=word"}), "") << key;
    }
  });
}

TEST(Options, OfferTheNearestNameForATypo) {
  for_each_option([](const OptionSection& section, const Option& option) {
    if (option.name.size() < 4) return;
    std::string typo = option.name;
    std::swap(typo[1], typo[2]);
    if (typo == option.name) return;
    const std::string key = key_of(section, option.name), wrong = key_of(section, typo);
    EXPECT_EQ(refusal(kMoviesYaml, {wrong + "=1"}),
              fmt::format("--set {}=1: {}: unknown option; did you mean {}?", wrong, wrong, key));
  });
}

TEST(Options, AreRequiredWhereTheyHaveNoDefault) {
  int checked = 0;
  for_each_option([&](const OptionSection& section, const Option& option) {
    if (!option.required) return;
    ConfigNode root = read_yaml(kMoviesYaml, "c.yaml");
    const auto remove = [&](ConfigNode& node, const auto& again) -> void {
      for (std::size_t i = node.items.size(); i-- > 0;) {
        if (node.kind == ConfigNode::Kind::map && node.keys[i] == option.name) {
          node.keys.erase(node.keys.begin() + static_cast<std::ptrdiff_t>(i));
          node.items.erase(node.items.begin() + static_cast<std::ptrdiff_t>(i));
        } else {
          again(node.items[i], again);
        }
      }
    };
    remove(root, remove);
    root.where = "c.yaml";
    const std::string message = input_error([&] { read_options(root); });
    EXPECT_NE(message.find(option.name + ": is required: "), std::string::npos)
        << section.path << " " << option.name << ": " << message;
    ++checked;
  });
  EXPECT_GE(checked, 7);
}

TEST(ReadOptions, ReadsEveryKindOfMember) {
  const Config config = read(kMoviesYaml, {"train.tensorboard=false", "train.seed=5"});
  EXPECT_EQ(config.name, "movies");
  EXPECT_EQ(config.data.interactions, (Words{"logs/*.parquet"}));
  EXPECT_EQ(config.data.tables.at("item").key, "item_id");
  EXPECT_EQ(config.data.labels.at("like"), "rating >= 4");
  ASSERT_EQ(config.features.size(), 4U);
  EXPECT_EQ(config.features[0].dim, 8);
  EXPECT_EQ(config.features[1].separator, "|");
  EXPECT_EQ(config.features[3].of, "item_id");
  EXPECT_EQ(config.model.meta_block.hidden, (Sizes{32}));
  EXPECT_EQ(config.train.learning_rate, 1e-2);
  EXPECT_EQ(config.train.seed, 5U);
  EXPECT_FALSE(config.train.tensorboard);
  // What the file leaves out keeps its default.
  EXPECT_EQ(config.model.global_block.hidden, GlobalBlockOptions().hidden);
  EXPECT_EQ(config.features[0].length, FeatureOptions().length);
}

TEST(ReadOptions, NamesFileLineAndKey) {
  EXPECT_EQ(refusal(replaced(kMoviesYaml, "learning_rate", "learnig_rate")),
            "c.yaml:17: train.learnig_rate: unknown option; did you mean train.learning_rate?");
  EXPECT_EQ(refusal(replaced(kMoviesYaml, "warm_up: 0.2", "warm_up: 3")),
            "c.yaml:18: train.warm_up: 3 is not between 0 and 1");
  EXPECT_EQ(refusal(replaced(kMoviesYaml, "dim: 8", "dim: x")),
            "c.yaml:10: features.item_id.dim: expected a whole number, found x");
  EXPECT_EQ(refusal(replaced(kMoviesYaml, "  task: user_id\n", "")).substr(0, 35),
            "c.yaml:2: data.task: is required: C");
  EXPECT_EQ(refusal("train: {seed: 1}\n").substr(0, 39), "c.yaml: data.interactions: is required:");
  EXPECT_EQ(refusal("").substr(0, 39), "c.yaml: data.interactions: is required:");
  EXPECT_EQ(refusal("text"), "c.yaml: expected a map of options, found text");
}

TEST(ReadOptions, OffersAnOptionOfAnotherSection) {
  EXPECT_EQ(refusal(kMoviesYaml, {"train.support=5"}),
            "--set train.support=5: train.support: unknown option; did you mean meta.support?");
  EXPECT_EQ(refusal(kMoviesYaml, {"meta_block.enabled=false"}),
            "--set meta_block.enabled=false: meta_block: unknown option; did you mean "
            "model.meta_block?");
  EXPECT_EQ(refusal(kMoviesYaml, {"data.tables.item.colour=red"}),
            "--set data.tables.item.colour=red: data.tables.item.colour: unknown option; "
            "data.tables.item has path, key");
}

TEST(ReadOptions, RefusesAKeyGivenTwice) {
  EXPECT_EQ(refusal(kMoviesYaml + "  warm_up: 0.3\n"),
            "c.yaml:19: train.warm_up: given twice, first at c.yaml:18");
  EXPECT_EQ(refusal(kMoviesYaml + "train: {}\n"),
            "c.yaml:19: train: given twice, first at c.yaml:16");
  EXPECT_EQ(refusal(replaced(kMoviesYaml, "{like:", "{like: click, like:")),
            "c.yaml:8: data.labels.like: given twice, first at c.yaml:8");
}

TEST(ReadOptions, TakesAScalarForAListOfOne) {
  EXPECT_EQ(read(kMoviesYaml, {"model.global_block.hidden=7"}).model.global_block.hidden, Sizes{7});
  EXPECT_EQ(
      refusal(kMoviesYaml, {"model.global_block.hidden=[7, x]"}),
      "--set model.global_block.hidden=[7, x]: model.global_block.hidden[1]: expected a whole "
      "number, found x");
  EXPECT_NE(refusal(kMoviesYaml, {"features=age"}), "");
}

TEST(ReadOptions, SettingsOverrideTheFileAndEachOther) {
  const Config config =
      read(kMoviesYaml, {"train.seed=1", "train.seed=9", "data.labels.long=x > 1",
                         "features.genres.dim=3", "model.global_block.hidden=[]"});
  EXPECT_EQ(config.train.seed, 9U);
  EXPECT_EQ(config.data.labels.size(), 2U);
  EXPECT_EQ(config.features[1].dim, 3);
  EXPECT_TRUE(config.model.global_block.hidden.empty());
}

TEST(ReadOptions, EmptySectionsKeepTheirDefaultsButEmptyValuesAreErrors) {
  EXPECT_EQ(refusal(kMoviesYaml + "meta:\n"), "");
  EXPECT_EQ(refusal(replaced(kMoviesYaml, "warm_up: 0.2", "warm_up:")),
            "c.yaml:18: train.warm_up: expected a number, found nothing");
  EXPECT_NE(refusal(replaced(kMoviesYaml, "time: timestamp", "time:")), "");
  EXPECT_EQ(refusal(replaced(kMoviesYaml, "inputs: [item_id, age]", "inputs: ")),
            "c.yaml:15: model.meta_block.inputs: has no value; write [] for an empty list, or "
            "leave the line out");
  for (const std::string part : {"labels: {like: \"rating >= 4\"}", "task: user_id"}) {
    const std::string key = part.substr(0, part.find(':'));
    EXPECT_NE(refusal(replaced(kMoviesYaml, part, key + ":")), "");
  }
  EXPECT_EQ(refusal(replaced(kMoviesYaml, "{like: \"rating >= 4\"}", "{}")),
            "c.yaml:8: data.labels: must not be empty");
  EXPECT_EQ(refusal(kMoviesYaml, {"data.interactions=[a.csv, \"\"]"}),
            "--set data.interactions=[a.csv, \"\"]: data.interactions[1]: must not be empty");
}

}  // namespace
}  // namespace limber
