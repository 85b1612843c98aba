#include "limber/core/data/starter_config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/core/config/config.h"
#include "limber/core/data/column_words.h"
#include "limber/core/data/generator.h"
#include "limber/core/data/starter_guess.h"
#include "limber/core/data/starter_tables.h"

namespace limber {
namespace {
namespace fs = std::filesystem;

class Starter : public testing::Test {
 protected:
  fs::path write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.path() / name, std::ios::binary) << text;
    return folder_.path() / name;
  }
  std::string text_of(const std::vector<std::string>& paths) {
    return starter_config(paths, folder_.path());
  }
  Config config_of(const std::vector<std::string>& paths) {
    return parse_config(text_of(paths), "starter");
  }
  static const FeatureOptions* find(const Config& config, const std::string& name) {
    for (const FeatureOptions& feature : config.features) {
      if (feature.name == name) return &feature;
    }
    return nullptr;
  }
  static std::string kind(const Config& config, const std::string& name) {
    const FeatureOptions* feature = find(config, name);
    return feature == nullptr ? "" : feature->kind;
  }

  TemporaryFolder folder_;
};

TEST_F(Starter, SyntheticDataInBothFormats) {
  for (const char* format : {"parquet", "csv"}) {
    SCOPED_TRACE(format);
    const fs::path folder = folder_.path() / format;
    Generator({.rows = 5000, .members = 100, .items = 80, .format = format}).write(folder);
    const Config config = config_of({folder.string()});
    EXPECT_EQ(config.data.interactions,
              Words{(folder / (std::string("interactions.") + format)).string()});
    ASSERT_EQ(config.data.tables.size(), 2U);
    EXPECT_EQ(config.data.tables.at("items").key, "item_id");
    EXPECT_EQ(config.data.tables.at("members").key, "member_id");
    EXPECT_EQ(config.data.task, "member_id");
    EXPECT_EQ(config.data.time, "timestamp");
    EXPECT_EQ(config.data.labels, (std::map<std::string, std::string>{{"clicked", "clicked"}}));
    EXPECT_EQ(config.features.size(), 7U);
    EXPECT_EQ(kind(config, "item_id"), "id");
    EXPECT_EQ(kind(config, "device"), "id");
    EXPECT_EQ(kind(config, "price"), "number");
    EXPECT_EQ(kind(config, "category"), "id");
    EXPECT_EQ(kind(config, "tags"), "ids");
    EXPECT_EQ(kind(config, "age"), "number");
    EXPECT_EQ(kind(config, "country"), "id");
  }
}

/// Ratings with films that have one-hot genres, in files whose order says nothing.
TEST_F(Starter, RatingsWithSideTables) {
  std::string ratings = "user_id,movie_id,rating\n";
  for (int i = 0; i < 2000; ++i) {
    ratings += fmt::format("{},{},{}\n", i % 50, i * 7 % 200, i % 10 < 4 ? 3 : 4 + i % 2);
  }
  write("b_ratings.csv", ratings);
  std::string films = "movie_id,title,year,genres,Sci-Fi,Children's,zip,empty\n";
  for (int i = 0; i < 200; ++i) {
    films += fmt::format("{},Film {},{},{},{},{},0{},\n", i, i, 1960 + i % 40,
                         i % 2 == 0 ? "Action|Drama" : "Drama", i % 2, i % 3 == 0 ? 1 : 0, i % 30);
  }
  write("a_films.csv", films);
  const Config config = config_of({folder_.path().string()});
  EXPECT_EQ(config.data.interactions, Words{(folder_.path() / "b_ratings.csv").string()});
  ASSERT_EQ(config.data.tables.count("a_films"), 1U);
  EXPECT_EQ(config.data.tables.at("a_films").path, (folder_.path() / "a_films.csv").string());
  EXPECT_EQ(config.data.task, "user_id");
  EXPECT_EQ(config.data.time, "");
  EXPECT_EQ(config.data.labels.at("like"), "rating >= 4");
  EXPECT_EQ(kind(config, "movie_id"), "id");
  EXPECT_EQ(kind(config, "title"), "");
  EXPECT_EQ(kind(config, "year"), "number");
  EXPECT_EQ(kind(config, "genres"), "ids");
  EXPECT_EQ(find(config, "genres")->separator, "|");
  EXPECT_EQ(find(config, "Sci-Fi")->transform, "none");
  EXPECT_EQ(find(config, "Children's")->transform, "none");
  EXPECT_EQ(kind(config, "zip"), "id");
  EXPECT_EQ(kind(config, "empty"), "");
  EXPECT_EQ(kind(config, "user_id"), "");
  EXPECT_EQ(kind(config, "rating"), "");
}

TEST_F(Starter, OutcomesBesideTheLabelAreNoFeatures) {
  std::string log = "impression_id,user,ad_id,shown at,is_premium,clicked,converted,rating\n";
  for (int i = 0; i < 300; ++i) {
    log += fmt::format("{},u{},{},2024-05-01 12:00:{:02},{},{},{},{}\n", i, i % 20, i % 30, i % 60,
                       i % 2, i % 3 == 0 ? 1 : 0, i % 30 == 0 ? 1 : 0, i % 5);
  }
  const fs::path file = write("log.csv", log);
  const Config config = config_of({file.string()});
  EXPECT_EQ(config.data.task, "user");
  EXPECT_EQ(config.data.time, "shown at");
  EXPECT_EQ(config.data.labels.size(), 1U);
  EXPECT_EQ(config.data.labels.at("clicked"), "clicked");
  EXPECT_EQ(config.features.size(), 2U);
  EXPECT_EQ(kind(config, "ad_id"), "id");
  EXPECT_EQ(kind(config, "is_premium"), "number");
}

TEST_F(Starter, GapsAndBadRowsAreSaid) {
  std::string log = "user_id,item_id,clicked\n";
  for (int i = 0; i < 100; ++i) {
    log += fmt::format("{},{},{}\n", i % 10, i % 7, i % 3 == 0 ? "" : i % 3 == 1 ? "1" : "0");
  }
  const fs::path gaps = write("gaps.csv", log);
  EXPECT_EQ(config_of({gaps.string()}).data.on_bad_row, "skip");
  EXPECT_NE(text_of({gaps.string()}).find("missing in 34 rows"), std::string::npos);
  const fs::path bad = write("bad.csv", "user_id,item_id,clicked\n1,2,0\n1,2\n1,3,1\n");
  EXPECT_EQ(config_of({bad.string()}).data.on_bad_row, "skip");
}

TEST_F(Starter, WhatIsNotFoundIsLeftToTheReader) {
  const fs::path file = write("x.csv", "colour,size\nred,3\nblue,4\nred,4.5\n");
  const Config config = config_of({file.string()});
  EXPECT_EQ(config.data.task, "CHANGE_ME");
  EXPECT_EQ(config.data.labels.at("label"), "CHANGE_ME");
  EXPECT_EQ(kind(config, "colour"), "id");
  EXPECT_EQ(kind(config, "size"), "number");
  EXPECT_THROW(text_of({write("y.csv", "a,b\n").string()}), InputError);
  EXPECT_THROW(text_of({(folder_.path() / "none.csv").string()}), InputError);
}

TEST_F(Starter, RelativePathsAreRelativeToTheConfig) {
  fs::create_directory(folder_.path() / "logs");
  const fs::path file = write("logs/a.csv", "user_id,item_id,clicked\n1,2,0\n1,3,1\n");
  const std::string from_here = fs::proximate(file).string();
  ASSERT_TRUE(fs::path(from_here).is_relative());
  EXPECT_EQ(config_of({from_here}).data.interactions, Words{"logs/a.csv"});
  const std::string yaml = starter_config(std::vector<std::string>{from_here});
  EXPECT_EQ(parse_config(yaml, "starter").data.interactions, Words{from_here});
}

TEST_F(Starter, PartsOfOneTableAreOneTable) {
  const std::string text = "user_id,item_id,clicked\n1,2,0\n2,2,1\n1,3,1\n";
  fs::create_directory(folder_.path() / "logs");
  for (const char* day : {"1", "2", "3"}) write(std::string("logs/day_") + day + ".csv", text);
  write("items.csv", "item_id,price\n2,1.5\n3,2.5\n");
  const Config config =
      config_of({(folder_.path() / "logs").string(), (folder_.path() / "items.csv").string()});
  EXPECT_EQ(config.data.interactions, Words{(folder_.path() / "logs/day_*.csv").string()});
  EXPECT_EQ(config.data.tables.size(), 1U);
  write("logs/day_0.csv", "other\n1\n");
  const std::vector<fs::path> three{folder_.path() / "logs/day_1.csv",
                                    folder_.path() / "logs/day_2.csv",
                                    folder_.path() / "logs/day_3.csv"};
  EXPECT_EQ(patterns_for(three).size(), 3U);
}

TEST(StarterGuess, NamesReadAsWords) {
  EXPECT_TRUE(is_id_name("movieId") && is_id_name("ITEM_ID") && is_id_name("userid"));
  EXPECT_FALSE(is_id_name("android") || is_id_name("paid") || is_id_name("width"));
  EXPECT_GT(person_score("user_id"), person_score("user_age"));
  EXPECT_GT(person_score("memberId"), 0);
  EXPECT_EQ(person_score("movie_id"), 0);
  EXPECT_GT(time_score("created_at"), 0);
  EXPECT_EQ(time_score("runtime"), 0);
}

TEST(StarterGuess, ScalarsAreQuotedWhereYamlNeedsIt) {
  EXPECT_EQ(yaml_scalar("movie_id"), "movie_id");
  EXPECT_EQ(yaml_scalar("logs/day-1.csv.gz"), "logs/day-1.csv.gz");
  for (const char* text :
       {"Children's", "no", "Y", "12", "a: b", "", "# x", "*", "a b", "\"", "~"}) {
    const Config config =
        parse_config(fmt::format("name: {}\ndata: {{interactions: x, task: t, labels: {{a: b}}}}\n"
                                 "features: [{{name: x, kind: id}}]\n",
                                 yaml_scalar(std::string("x") + text)),
                     "test");
    EXPECT_EQ(config.name, std::string("x") + text);
    EXPECT_TRUE(yaml_scalar(text).starts_with('"')) << text;
  }
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(12345678), "12,345,678");
}

}  // namespace
}  // namespace limber
