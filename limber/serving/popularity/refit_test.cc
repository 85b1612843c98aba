#include "limber/serving/popularity/refit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "limber/core/base/error.h"
#include "limber/core/data/dataset_builder.h"
#include "limber/core/data/popularity.h"
#include "limber/serving/popularity/item_effects.h"
#include "limber/serving/popularity/row_logits.h"
#include "limber/serving/ranker/tiny_model_for_test.h"
#include "limber/serving/runtime/adapter.h"
#include "limber/serving/runtime/dataset_rows.h"
#include "limber/serving/runtime/scorer.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kDay = 86400;

struct Rating {
  int user, film, rating, day;
};

class RefitTest : public testing::Test {
 protected:
  void SetUp() override {
    version_ = TinyModel::publish(folder_.path());
    model_ = RuntimeModel::load(Artifact::open(version_), {});
    write({{7, 1, 5, 0},
           {7, 2, 2, 1},
           {7, 1, 4, 2},
           {7, 5, 5, 2},
           {7, 9, 1, 3},
           {7, 1, 3, 4},
           {7, 3, 5, 5},
           {8, 1, 5, 3},
           {8, 3, 4, 4},
           {8, 2, 1, 5},
           {9, 2, 5, 6}});
  }

  void write(const std::vector<Rating>& ratings) {
    std::string log = "user_id,movie_id,rating,timestamp\n";
    for (const Rating& one : ratings) {
      log += fmt::format("{},{},{},{}\n", one.user, one.film, one.rating, one.day * kDay);
    }
    std::ofstream(folder_.path() / "ratings.csv") << log;
    Config config = model_->config;
    config.data.interactions = {(folder_.path() / "ratings.csv").string()};
    for (auto& [name, table] : config.data.tables)
      table.path = (folder_.path() / table.path).string();
    const fs::path data = folder_.path() / ("data" + std::to_string(builds_++));
    fs::create_directories(data);
    dataset_ = build_dataset(config, data, &model_->encoders);
  }

  PopularityFit fit(PopularityOptions options) {
    options.by = "movie_id";
    options.threads = 2;
    return fit_popularity(model_, dataset_, options);
  }

  /// Of every row by hand: adapted to the three rows before it, then scored alone.
  std::vector<float> logits_by_hand() {
    Adapter adapter(model_);
    Scorer scorer(model_);
    DatasetRows support_rows(dataset_), candidate_rows(dataset_);
    std::vector<float> logits;
    for (const TaskRows& task : dataset_.tasks) {
      for (std::int64_t row = task.begin; row < task.end; ++row) {
        std::vector<std::int64_t> before;
        for (std::int64_t r = std::max(task.begin, row - 3); r < row; ++r) before.push_back(r);
        SupportRows support;
        support.rows = &support_rows.gather(before);
        support.labels = support_rows.labels();
        MemberVector member;
        adapter.adapt(support, TinyModel::kSteps, member);
        const std::vector<std::int64_t> alone = {row};
        scorer.score_main(member, candidate_rows.gather(alone),
                          std::span(&logits.emplace_back(), 1));
      }
    }
    return logits;
  }

  std::vector<EffectRow> effect_rows() {
    const std::vector<float> logits = logits_by_hand();
    std::vector<EffectRow> rows;
    for (std::int64_t row = 0; row < dataset_.rows; ++row) {
      const std::int32_t item = id_index(dataset_, 0, row);
      if (item == Vocabulary::unknown) continue;
      rows.push_back({item, logits[static_cast<std::size_t>(row)], dataset_.label(row, 0), 1});
    }
    return rows;
  }

  std::string complaint(const PopularityOptions& options) {
    try {
      fit_popularity(model_, dataset_, options);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  TemporaryFolder folder_;
  fs::path version_;
  std::shared_ptr<const RuntimeModel> model_;
  Dataset dataset_;
  int builds_ = 0;
};

TEST_F(RefitTest, RowsAreScoredAfterTheRowsBeforeThem) {
  const std::vector<float> expected = logits_by_hand();
  for (const std::size_t threads : {1U, 3U}) {
    EXPECT_EQ(row_logits(model_, dataset_, 0, threads), expected);
  }
  const std::vector<float> later = row_logits(model_, dataset_, 4 * kDay, 1);
  const auto times = dataset_.times.as<std::int64_t>();
  for (std::size_t i = 0; i < later.size(); ++i) {
    if (times[i] < 4 * kDay) {
      EXPECT_TRUE(std::isnan(later[i]));
    } else {
      EXPECT_EQ(later[i], expected[i]);
    }
  }
}

TEST_F(RefitTest, EffectsAreThoseOfTheRows) {
  const PopularityFit found = fit({.prior_deviation = 0.8});
  const std::vector<double> expected = ItemEffects(5, effect_rows()).fit(0.8);
  ASSERT_EQ(found.values.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(found.values[i], static_cast<float>(expected[i])) << i;
  }
  // Films that the vocabulary lacks, and one that nobody saw.
  EXPECT_EQ(found.values[0], 0);
  EXPECT_EQ(found.values[4], 0);
  EXPECT_NE(found.values[1], 0);
  EXPECT_EQ(found.rows, 11);
  ASSERT_EQ(found.labels.size(), 1U);
  EXPECT_EQ(found.labels[0].rows, 9);
  EXPECT_EQ(found.labels[0].items, 3);
  EXPECT_LT(found.labels[0].after, found.labels[0].before);
  EXPECT_EQ(found.first_time, 0);
  EXPECT_EQ(found.last_time, 6 * kDay);
  // Estimated where it was not given.
  const PopularityFit estimated = fit({});
  EXPECT_EQ(estimated.labels[0].deviation, ItemEffects(5, effect_rows()).likeliest_deviation());
}

TEST_F(RefitTest, OldRowsCountLess) {
  const PopularityFit found = fit({.prior_deviation = 0.8, .half_life_days = 2});
  std::vector<EffectRow> rows = effect_rows();
  const auto times = dataset_.times.as<std::int64_t>();
  std::size_t next = 0;
  for (std::int64_t row = 0; row < dataset_.rows; ++row) {
    if (id_index(dataset_, 0, row) == Vocabulary::unknown) continue;
    const double age = static_cast<double>(6 * kDay - times[static_cast<std::size_t>(row)]) / kDay;
    rows[next++].weight = static_cast<float>(std::pow(0.5, age / 2));
  }
  const std::vector<double> expected = ItemEffects(5, rows).fit(0.8);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(found.values[i], expected[i], 1e-6) << i;
  EXPECT_NE(found.values[1], fit({.prior_deviation = 0.8}).values[1]);
}

TEST_F(RefitTest, RowsOfTheLastDaysAlone) {
  const PopularityFit found = fit({.prior_deviation = 0.8, .days = 2});
  EXPECT_EQ(found.rows, 5);
  EXPECT_EQ(found.first_time, 4 * kDay);
  std::vector<EffectRow> rows;
  const std::vector<float> logits = logits_by_hand();
  const auto times = dataset_.times.as<std::int64_t>();
  for (std::size_t row = 0; row < logits.size(); ++row) {
    if (times[row] < 4 * kDay) continue;
    const auto at = static_cast<std::int64_t>(row);
    rows.push_back({id_index(dataset_, 0, at), logits[row], dataset_.label(at, 0), 1});
  }
  const std::vector<double> expected = ItemEffects(5, rows).fit(0.8);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_EQ(found.values[i], static_cast<float>(expected[i]));
}

TEST_F(RefitTest, PublishesTheModelOnceMore) {
  const PopularityFit found = fit({.prior_deviation = 0.8});
  const Artifact before = Artifact::open(version_);
  EXPECT_FALSE(model_->popularity);
  const fs::path published = publish_popularity(before, found);
  EXPECT_EQ(published.filename(), "000002");
  const auto after = RuntimeModel::load(Artifact::open(published), {});
  EXPECT_EQ(after->artifact.contents().format, Popularity::kFormat);
  for (const FileEntry& file : before.contents().files) {
    EXPECT_EQ(after->artifact.read(file.path), before.read(file.path)) << file.path;
  }
  EXPECT_EQ(after->artifact.contents().files.size(), before.contents().files.size() + 1);
  EXPECT_EQ(after->artifact.contents().fields.config, before.contents().fields.config);
  ASSERT_TRUE(after->popularity);
  EXPECT_EQ(std::vector<float>(after->popularity->values.begin(), after->popularity->values.end()),
            found.values);

  // Fitted anew it starts from the main model, not from what was added before.
  model_ = after;
  const PopularityFit again = fit({.prior_deviation = 0.8});
  EXPECT_EQ(again.values, found.values);
  const fs::path third = publish_popularity(after->artifact, again);
  EXPECT_EQ(third.filename(), "000003");
  EXPECT_EQ(Artifact::open(third).contents().files.size(), before.contents().files.size() + 1);

  fs::create_directories(folder_.path() / "elsewhere");
  fs::copy(version_, folder_.path() / "elsewhere/000001", fs::copy_options::recursive);
  const Artifact copy = Artifact::open(folder_.path() / "elsewhere/000001");
  EXPECT_THROW(publish_popularity(copy, found), InputError);
}

TEST_F(RefitTest, LogitsAreThoseBeforeAndTheEffect) {
  const PopularityFit found = fit({.prior_deviation = 0.8});
  const auto after =
      RuntimeModel::load(Artifact::open(publish_popularity(Artifact::open(version_), found)), {});
  Scorer plain(model_), added(after);
  Adapter adapter(after);
  DatasetRows rows(dataset_);
  std::vector<std::int64_t> all;
  for (std::int64_t row = 0; row < dataset_.rows; ++row) all.push_back(row);
  const RowSet& set = rows.gather(all);
  SupportRows nobody;
  DatasetRows none(dataset_);
  nobody.rows = &none.gather({});
  MemberVector member;
  adapter.adapt(nobody, TinyModel::kSteps, member);
  std::vector<float> before(all.size()), main(all.size()), with(all.size());
  plain.score(member, set, before);
  added.score_main(member, set, main);
  added.score(member, set, with);
  EXPECT_EQ(main, before);
  bool moved = false;
  for (const std::int64_t row : all) {
    const auto at = static_cast<std::size_t>(row);
    const float effect = found.values[static_cast<std::size_t>(id_index(dataset_, 0, row))];
    EXPECT_EQ(with[at], before[at] + effect);
    moved = moved || with[at] != before[at];
  }
  EXPECT_TRUE(moved);
}

TEST_F(RefitTest, Complaints) {
  EXPECT_NE(complaint({.by = "movie"}).find("--by: the model has no feature 'movie'"),
            std::string::npos);
  EXPECT_NE(complaint({.by = "minutes"}).find("minutes is not a feature of kind id"),
            std::string::npos);
  write({{7, 9, 5, 0}, {7, 9, 2, 1}});
  EXPECT_NE(complaint({.by = "movie_id"}).find("no row has the label like"), std::string::npos);
  dataset_.times = {};
  EXPECT_NE(complaint({.by = "movie_id", .days = 3}).find("--days"), std::string::npos);
  EXPECT_NE(complaint({.by = "movie_id", .half_life_days = 3}).find("--half-life-days"),
            std::string::npos);
}

TEST_F(RefitTest, ADamagedManifestIsRefused) {
  const PopularityFit found = fit({.prior_deviation = 0.8});
  const auto refuse = [&](const nlohmann::json& says, std::vector<std::int64_t> shape) {
    const Artifact base = Artifact::open(version_);
    ArtifactWriter writer(folder_.path() / "models", "tiny");
    for (const FileEntry& file : base.contents().files) writer.add_copy(base, file.path);
    const std::vector<float> values(64);
    const auto count = static_cast<std::size_t>(*count_elements(shape));
    writer.add_tensors(Popularity::kFile,
                       std::vector{make_tensor<float>(Popularity::kTensor, std::move(shape),
                                                      std::span(values).first(count))});
    ManifestFields fields = base.contents().fields;
    if (!says.is_null()) fields.encoders["popularity"] = says;
    const fs::path published = writer.publish(fields);
    EXPECT_THROW(RuntimeModel::load(Artifact::open(published), {}), InputError) << says.dump();
  };
  refuse({{"feature", "movie_id"}}, {4, 1});
  refuse({{"feature", "movie_id"}}, {5, 2});
  refuse({{"feature", "movie_id"}}, {5});
  refuse({{"feature", "age"}}, {5, 1});
  refuse({{"feature", 3}}, {5, 1});
  refuse(nullptr, {5, 1});
}

}  // namespace
}  // namespace limber
