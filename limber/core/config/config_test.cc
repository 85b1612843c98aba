#include "limber/core/config/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

#include "limber/core/base/files.h"
#include "limber/core/base/random.h"
#include "limber/core/config/constraint_text.h"
#include "limber/core/config/option_reader.h"
#include "limber/core/config/option_writer.h"
#include "limber/core/config/test_support.h"
#include "limber/core/config/yaml_reader.h"
#include "limber/core/config/yaml_writer.h"

namespace limber {
namespace {

/// Gives every option a random value that its constraint allows.
class RandomFiller {
 public:
  explicit RandomFiller(Random& random) : random_(random) {}

  template <class T>
  void operator()(const char*, T& value, const Constraint& constraint, const char*) {
    fill(value, constraint);
  }

 private:
  void fill(std::string& value, const Constraint& constraint) {
    if (!constraint.choices.empty()) {
      value = constraint.choices[random_.below(constraint.choices.size())];
      return;
    }
    value = constraint.required ? "x" : "";
    const std::string letters = "ab ~|:#'\"\\-=>{[*&%@\n\t3.";
    for (std::uint64_t i = random_.below(8); i > 0; --i) {
      value += letters[random_.below(letters.size())];
    }
  }
  void fill(bool& value, const Constraint&) { value = random_.below(2) == 1; }
  void fill(double& value, const Constraint& constraint) {
    do {
      value = random_.normal() * std::pow(10.0, static_cast<double>(random_.below(9)) - 6);
    } while (!in_range(constraint, value));
  }
  void fill(std::int64_t& value, const Constraint& constraint) {
    const double minimum = std::max(constraint.minimum, -1e6);
    const double maximum = std::min(constraint.maximum, 1e6);
    value = static_cast<std::int64_t>(minimum) +
            static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(maximum - minimum)));
  }
  void fill(std::uint64_t& value, const Constraint&) { value = random_.next(); }

  template <class T>
  void fill(std::vector<T>& values, const Constraint& constraint) {
    values.resize(random_.below(3) + (constraint.required ? 1 : 0));
    for (T& value : values) fill(value, constraint);
  }
  template <class T>
  void fill(std::map<std::string, T>& values, const Constraint& constraint) {
    for (std::uint64_t i = random_.below(3) + 1; i > 0; --i) {
      std::string name;
      fill(name, required());
      fill(values[name], constraint);
    }
  }
  template <Section T>
  void fill(T& section, const Constraint&) {
    section.describe(*this);
  }

  Random& random_;
};

TEST(Config, RandomConfigsSurviveYamlAndJson) {
  Random random(11);
  for (int i = 0; i < 200; ++i) {
    Config config;
    RandomFiller filler(random);
    config.describe(filler);
    const nlohmann::json json = config_to_json(config);
    const std::string yaml = config_to_yaml(config);
    // check_config would refuse most random configs, so its callers are left out.
    ASSERT_EQ(config_to_json(read_options(read_yaml(yaml, "written"))), json) << yaml;
  }
}

TEST(Config, RoundTripsThroughYaml) {
  const Config config = parse_config(kMoviesYaml, "c.yaml");
  const std::string yaml = config_to_yaml(config);
  const Config again = parse_config(yaml, "again.yaml");
  EXPECT_EQ(config_to_json(again), config_to_json(config));
  EXPECT_EQ(config_to_yaml(again), yaml);
  EXPECT_EQ(yaml.find("name: movies\ndata:\n  interactions: [logs/*.parquet]\n"), 0U);
}

TEST(Config, RoundTripsThroughJson) {
  const std::vector<std::string> settings = {"train.seed=18446744073709551615",
                                             "train.learning_rate=0.1"};
  const Config config = parse_config(kMoviesYaml, "c.yaml", settings);
  const std::string text = config_to_json(config).dump();
  const Config again = config_from_json(nlohmann::json::parse(text), "manifest.json");
  EXPECT_EQ(config_to_json(again).dump(), text);
  EXPECT_EQ(again.train.seed, 18446744073709551615U);
  EXPECT_EQ(again.train.learning_rate, 0.1);
  EXPECT_EQ(config_to_json(config)["model"]["meta_block"]["hidden"], nlohmann::json({32}));
  EXPECT_TRUE(config_to_json(config)["train"]["tensorboard"].is_boolean());
}

TEST(Config, JsonIsReadAsStrictlyAsYaml) {
  const nlohmann::json good = config_to_json(parse_config(kMoviesYaml, "c.yaml"));
  const auto refusal = [&](const char* pointer, const nlohmann::json& value) {
    nlohmann::json bad = good;
    bad[nlohmann::json::json_pointer(pointer)] = value;
    return input_error([&] { config_from_json(bad, "manifest.json"); });
  };
  EXPECT_EQ(refusal("/train/sede", 1),
            "manifest.json: train.sede: unknown option; did you mean train.seed?");
  EXPECT_EQ(refusal("/train/warm_up", 3), "manifest.json: train.warm_up: 3 is not between 0 and 1");
  EXPECT_EQ(refusal("/train/batch", "64"),
            "manifest.json: train.batch: expected a whole number, found \"64\"");
  EXPECT_NE(refusal("/train/batch", 1.5), "");
  EXPECT_NE(refusal("/train", nlohmann::json::array()), "");
  EXPECT_NE(refusal("/model/meta_block/inputs", {"nobody"}), "");
  EXPECT_NE(input_error([] { config_from_json(nullptr, "manifest.json"); }), "");
  // An older artifact lacks newer options.
  nlohmann::json older = good;
  older.erase("meta");
  EXPECT_EQ(config_to_json(config_from_json(older, "manifest.json"))["meta"], good["meta"]);
}

TEST(Config, RelativePathsAreRelativeToTheConfig) {
  const std::string yaml =
      replaced(kMoviesYaml, "interactions: logs/*.parquet",
               "interactions: [logs/*.csv, /var/log/x.csv, \"../up.csv\"]\n  cache: cache");
  const Config config = parse_config(yaml, "c.yaml", {}, "/home/limber/movies");
  EXPECT_EQ(config.data.interactions,
            (Words{"/home/limber/movies/logs/*.csv", "/var/log/x.csv", "/home/limber/up.csv"}));
  EXPECT_EQ(config.data.tables.at("item").path, "/home/limber/movies/items.parquet");
  EXPECT_EQ(config.data.cache, "/home/limber/movies/cache");
  // An empty path stays empty: it means that there is no cache folder of its own.
  EXPECT_EQ(parse_config(kMoviesYaml, "c.yaml", {}, "/home/limber").data.cache, "");
  EXPECT_EQ(parse_config(kMoviesYaml, "c.yaml").data.interactions, Words{"logs/*.parquet"});
  // What is no path is refused as if nothing had been put before it.
  EXPECT_EQ(input_error([] {
              parse_config(replaced(kMoviesYaml, "logs/*.parquet", "{a: b}"), "c.yaml", {},
                           "/home");
            }),
            "c.yaml:3: data.interactions: expected a list, found a map");
  EXPECT_NE(input_error([] { parse_config("data: 3", "c.yaml", {}, "/home"); }), "");
}

TEST(Config, SettingsPathsAreRelativeToTheCurrentFolder) {
  const auto with = [](const std::vector<std::string>& settings) {
    return parse_config(kMoviesYaml, "c.yaml", settings, "/home/limber/movies").data;
  };
  EXPECT_EQ(with({"data.interactions=new/*.csv"}).interactions, Words{"new/*.csv"});
  EXPECT_EQ(with({"data.interactions=[a.csv, /b.csv]"}).interactions, (Words{"a.csv", "/b.csv"}));
  EXPECT_EQ(with({"data.cache=cache"}).cache, "cache");
  EXPECT_EQ(with({"data.tables.item.path=new.csv"}).tables.at("item").path, "new.csv");
  EXPECT_EQ(with({"data.tables.user={path: users.csv, key: user_id}"}).tables.at("user").path,
            "users.csv");
  // The config's own paths stay where they are beside them.
  EXPECT_EQ(with({"data.tables.item.key=movie_id"}).tables.at("item").path,
            "/home/limber/movies/items.parquet");
  EXPECT_EQ(with({"data.tables.item.path=new.csv"}).interactions,
            Words{"/home/limber/movies/logs/*.parquet"});
}

TEST(Config, LoadsAFile) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "movies.yaml";
  std::ofstream(path) << kMoviesYaml;
  const std::vector<std::string> settings = {"train.seed=4"};
  const Config config = load_config(path, settings);
  EXPECT_EQ(config.train.seed, 4U);
  EXPECT_EQ(config.data.interactions, Words{(folder.path() / "logs/*.parquet").string()});
  std::ofstream(path) << replaced(kMoviesYaml, "warm_up: 0.2", "warm_up: 3");
  EXPECT_EQ(input_error([&] { load_config(path); }),
            path.string() + ":18: train.warm_up: 3 is not between 0 and 1");
  const auto missing = folder.path() / "missing.yaml";
  EXPECT_EQ(input_error([&] { load_config(missing); }).find(missing.string() + ": "), 0U);
}

std::string mutated(std::string text, Random& random) {
  for (std::uint64_t i = random.below(4) + 1; i > 0 && !text.empty(); --i) {
    const std::size_t place = random.below(text.size());
    const std::size_t length = std::min<std::size_t>(random.below(12), text.size() - place);
    switch (random.below(5)) {
      case 0:
        text[place] = static_cast<char>(random.below(256));
        break;
      case 1:
        text.erase(place, length + 1);
        break;
      case 2:
        text.insert(place, text.substr(random.below(text.size()), length));
        break;
      case 3: {
        const std::string signs = "{}[]:,-#&*!|>'\"%@`?~ \n\t0";
        text.insert(place, 1, signs[random.below(signs.size())]);
        break;
      }
      default:
        text.resize(place);
    }
  }
  return text;
}

TEST(Config, DamagedYamlIsReadOrRefusedInOneLine) {
  Random random(3);
  int read = 0, refused = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::string yaml = mutated(kMoviesYaml, random);
    try {
      const Config config = parse_config(yaml, "c.yaml");
      static_cast<void>(config_to_json(config).dump());
      ASSERT_NO_THROW(parse_config(config_to_yaml(config), "again.yaml")) << yaml;
      ++read;
    } catch (const InputError& error) {
      const std::string message = error.what();
      ASSERT_EQ(message.find("c.yaml"), 0U) << message;
      ASSERT_EQ(message.find('\n'), std::string::npos) << message;
      ++refused;
    }
  }
  EXPECT_GT(read, 100);
  EXPECT_GT(refused, 1000);
}

TEST(Config, DamagedSettingsAreReadOrRefused) {
  Random random(4);
  const std::vector<std::string> settings = {
      "train.seed=3", "model.global_block.hidden=[64, 32]", "features.age.dim=8",
      "data.tables.user={path: users.csv, key: user_id}", "data.labels.like=\"rating >= 4\""};
  for (int i = 0; i < 4000; ++i) {
    const std::vector<std::string> damaged = {
        mutated(settings[random.below(settings.size())], random)};
    try {
      static_cast<void>(config_to_json(parse_config(kMoviesYaml, "c.yaml", damaged)).dump());
    } catch (const InputError& error) {
      ASSERT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace limber
