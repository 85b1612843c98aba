#include "limber/serving/ranker/ranker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>
#include <thread>

#include "limber/core/base/error.h"
#include "limber/core/base/files.h"
#include "limber/serving/ranker/tiny_model_for_test.h"

namespace limber {
namespace {

using Taste = std::array<double, 2>;

/// An interaction, and what the model makes of it.
struct Seen {
  std::size_t film;
  int rating;
};

double sigmoid(double logit) {
  return 1 / (1 + std::exp(-logit));
}

Taste taste_of(std::size_t film) {
  return TinyModel::kTastes.at(film);
}

/// First taste of the known ones among the two films before `place`, averaged.
double past_of(const std::vector<Seen>& seen, std::size_t place) {
  double sum = 0;
  int known = 0;
  for (std::size_t i = place < 2 ? 0 : place - 2; i < place; ++i) {
    if (seen[i].film > 4) continue;
    sum += taste_of(seen[i].film)[0];
    ++known;
  }
  return known == 0 ? 0 : sum / known;
}

double logit_of(const Taste& e, std::size_t film, double past, double age) {
  const Taste f = taste_of(film);
  return e[0] * f[0] + e[1] * f[1] + 0.5 * past + TinyModel::kMinutes.at(film) / 100 + age / 50;
}

/// The inner loop, written out.
Taste adapted(const std::vector<Seen>& seen, double age) {
  Taste e = {0, 0};
  const std::size_t first = seen.size() < 3 ? 0 : seen.size() - 3;
  for (int step = 0; step < TinyModel::kSteps; ++step) {
    Taste gradient = {0, 0};
    for (std::size_t i = first; i < seen.size(); ++i) {
      const double error =
          sigmoid(logit_of(e, seen[i].film, past_of(seen, i), age)) - (seen[i].rating >= 4 ? 1 : 0);
      for (int c = 0; c < 2; ++c) gradient[c] += error * taste_of(seen[i].film)[c];
    }
    const double share =
        TinyModel::kRate / (static_cast<double>(seen.size() - first) + TinyModel::kShrinkage);
    for (int c = 0; c < 2; ++c) e[c] -= share * gradient[c];
  }
  return e;
}

std::vector<Fields> fields_of(const std::vector<Seen>& seen) {
  std::vector<Fields> interactions;
  interactions.reserve(seen.size());
  for (const Seen& one : seen) {
    interactions.push_back({{"movie_id", one.film}, {"rating", one.rating}});
  }
  return interactions;
}

template <class Function>
std::string complaint(Function function) {
  try {
    function();
  } catch (const InputError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

class RankerTest : public testing::Test {
 protected:
  RankerTest() {
    version_ = TinyModel::publish(folder_.path());
    ranker_.emplace(open());
  }
  Ranker open() const {
    return Ranker::open(folder_.path() / "models/tiny", {.base = folder_.path()});
  }
  const Ranker& ranker() const { return *ranker_; }

  /// Every film's score for a member, with the ranking's own order checked on the way.
  void expect_scores(const Value& name, const std::vector<Seen>& seen, double age) const {
    const AdaptedMember member = ranker().adapt(name, fields_of(seen));
    const Taste e = adapted(seen, age);
    ASSERT_EQ(member.vector.known.size(), 2U);
    for (std::size_t c = 0; c < 2; ++c) EXPECT_NEAR(member.vector.known[c], e[c], 1e-5);
    const auto ranking = ranker().rank_items(member, {1, 2, 3, 4, 5});
    ASSERT_EQ(ranking.size(), 5U);
    double last = 2;
    for (const RankedCandidate& candidate : ranking) {
      const double logit = logit_of(e, candidate.index + 1, past_of(seen, seen.size()), age);
      EXPECT_NEAR(candidate.score, sigmoid(logit), 1e-5) << "film " << candidate.index + 1;
      ASSERT_EQ(candidate.scores.size(), 1U);
      EXPECT_EQ(candidate.scores[0], candidate.score);
      EXPECT_LE(candidate.score, last);
      last = candidate.score;
    }
  }

  TemporaryFolder folder_;
  std::filesystem::path version_;
  std::optional<Ranker> ranker_;
};

TEST_F(RankerTest, AdaptsAndRanksAsTheFormulasSay) {
  const std::vector<Seen> all = {{1, 5}, {2, 2}, {4, 4}, {3, 1}, {5, 5}, {1, 1}, {2, 4}};
  for (std::size_t count = 0; count <= all.size(); ++count) {
    SCOPED_TRACE(count);
    const std::vector<Seen> seen(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
    expect_scores(7, seen, TinyModel::kAge);
    expect_scores(8, seen, 0);                // whose age is missing
    expect_scores("somebody else", seen, 0);  // whom the table lacks
  }
}

TEST_F(RankerTest, SaysHowFarItLookedBack) {
  EXPECT_EQ(ranker().wanted(), TinyModel::kSupport + TinyModel::kPast);
  EXPECT_EQ(ranker().adapt(7).interactions, 0);
  EXPECT_EQ(ranker().adapt(7, fields_of({{1, 5}, {2, 5}})).interactions, 2);
  const std::vector<Seen> many(50, Seen{1, 5});
  EXPECT_EQ(ranker().adapt(7, fields_of(many)).interactions, TinyModel::kSupport);
}

TEST_F(RankerTest, KeysAreTheSameHoweverTheyAreWritten) {
  const AdaptedMember member = ranker().adapt("7", {{{"movie_id", "1"}, {"rating", "4.5"}}});
  EXPECT_EQ(member.name, "7");
  const AdaptedMember again = ranker().adapt(7.0, {{{"rating", 5U}, {"movie_id", 1.0}}});
  EXPECT_EQ(member.vector.known, again.vector.known);
  EXPECT_GT(member.vector.known[0], 0);
  const auto by_text = ranker().rank_items(member, {"4", "3"});
  const auto by_number = ranker().rank_items(member, {4, std::uint8_t{3}});
  ASSERT_EQ(by_text.size(), 2U);
  EXPECT_EQ(by_text[0].score, by_number[0].score);
  EXPECT_EQ(by_text[1].score, by_number[1].score);
}

TEST_F(RankerTest, ACandidateThatNoTableHasIsKnownByItsFields) {
  const AdaptedMember member = ranker().adapt(7);
  const auto ranking = ranker().rank(member, {{{"movie_id", "new"}, {"minutes", 50}},
                                              {{"movie_id", "new"}, {"minutes", 300}},
                                              {{"movie_id", 1}, {"minutes", 300}}});
  ASSERT_EQ(ranking.size(), 3U);
  EXPECT_EQ(ranking[0].index, 1U);
  EXPECT_NEAR(ranking[0].score, sigmoid(3 + TinyModel::kAge / 50), 1e-5);
  // What the table knows of film 1 counts, not what was given.
  EXPECT_EQ(ranking[1].index, 2U);
  EXPECT_NEAR(ranking[1].score, sigmoid(0.9 + TinyModel::kAge / 50), 1e-5);
  EXPECT_NEAR(ranking[2].score, sigmoid(0.5 + TinyModel::kAge / 50), 1e-5);
}

TEST_F(RankerTest, ContextFillsInWhatACandidateLacks) {
  const AdaptedMember member = ranker().adapt(7);
  const RankOptions options{.context = {{"minutes", 200}, {"user_id", 8}}};
  const auto ranking =
      ranker().rank(member, {{{"movie_id", 99}}, {{"movie_id", 99}, {"minutes", 10}}}, options);
  // Whose the candidates are is never the context's to say.
  EXPECT_NEAR(ranking[0].score, sigmoid(2 + TinyModel::kAge / 50), 1e-5);
  EXPECT_EQ(ranking[0].index, 0U);
  EXPECT_NEAR(ranking[1].score, sigmoid(0.1 + TinyModel::kAge / 50), 1e-5);
}

TEST_F(RankerTest, ALimitKeepsTheBestAndEqualsKeepTheirOrder) {
  const AdaptedMember member = ranker().adapt(8);
  const auto best = ranker().rank_items(member, {5, 2, 1, 2, 4}, {.limit = 3});
  ASSERT_EQ(best.size(), 3U);
  EXPECT_EQ(best[0].index, 1U);
  EXPECT_EQ(best[1].index, 3U);
  EXPECT_EQ(best[2].index, 2U);
  EXPECT_EQ(ranker().rank_items(member, {5, 2}, {.limit = 9}).size(), 2U);
  EXPECT_TRUE(ranker().rank_items(member, {}).empty());
  EXPECT_EQ(ranker().rank_items(member, {1, 2}, {.label = "like"})[0].index, 1U);
}

TEST_F(RankerTest, ErrorsNameTheRowAndTheColumn) {
  const AdaptedMember member = ranker().adapt(7);
  EXPECT_EQ(complaint([&] {
              ranker().adapt(7, {{{"movie_id", 1}, {"rating", 3}}, {{"movie_id", 1}}});
            }),
            "interactions[1]: no label can be told; give the field 'rating'");
  EXPECT_EQ(complaint([&] {
              ranker().adapt(7, {{{"movie_id", 1}, {"rating", "good"}}});
            }),
            "interactions[0].rating: 'good' is not a number");
  EXPECT_NE(complaint([&] {
              ranker().rank(member, {{{"movie_id", 1}}, {{"minutes", "long"}}});
            }).find("candidates[1].minutes: 'long' is not a number"),
            std::string::npos);
  EXPECT_NE(complaint([&] {
              ranker().rank_items(member, {1}, {.label = "likes"});
            }).find("no label 'likes'; did you mean like?"),
            std::string::npos);
  EXPECT_EQ(complaint([&] { ranker().adapt(Value()); }), "member: the value is missing");
  // A list is no key. (In braces it would be a list of keys.)
  std::vector<Value> keys;
  keys.emplace_back(Value::List{1, 2});
  EXPECT_EQ(complaint([&] { ranker().rank_items(member, keys); }),
            "candidates[0].movie_id: a list is no single value");
  // After a bad row the same workbench serves the next call as if nothing had been.
  expect_scores(7, {{1, 5}, {2, 1}}, TinyModel::kAge);
}

TEST_F(RankerTest, AMemberGoesWithTheVersionThatAdaptedIt) {
  const AdaptedMember member = ranker().adapt(7, fields_of({{1, 5}}));
  EXPECT_EQ(member.model, "tiny");
  EXPECT_EQ(member.version, "000001");
  TinyModel::publish(folder_.path());
  const Ranker newer = open();
  EXPECT_EQ(newer.version(), "000002");
  EXPECT_NE(
      complaint([&] { newer.rank_items(member, {1}); }).find("adapted by tiny version 000001"),
      std::string::npos);
  // The old one still serves, copies of it too.
  const Ranker copy = ranker();
  EXPECT_EQ(copy.rank_items(member, {1, 2}).size(), 2U);
}

TEST_F(RankerTest, AMissingTableIsNamedWithTheRemedy) {
  std::filesystem::remove(folder_.path() / "movies.csv");
  const std::string text = complaint([&] { open(); });
  EXPECT_NE(text.find("movies.csv"), std::string::npos) << text;
  EXPECT_NE(text.find("RankerOptions::tables movie=PATH"), std::string::npos) << text;
  std::ofstream(folder_.path() / "other.csv") << "movie_id,minutes\n1,250\n";
  const Ranker other = Ranker::open(
      version_,
      {.tables = {{"movie", (folder_.path() / "other.csv").string()}}, .base = folder_.path()});
  EXPECT_NEAR(other.rank_items(other.adapt(8), {1})[0].score, sigmoid(2.5), 1e-5);
}

TEST_F(RankerTest, SaysWhatTheModelReads) {
  EXPECT_EQ(ranker().name(), "tiny");
  EXPECT_EQ(ranker().labels(), std::vector<std::string>{"like"});
  for (const char* const column : {"user_id", "movie_id", "minutes", "age", "rating"}) {
    EXPECT_NE(std::ranges::find(ranker().columns(), column), ranker().columns().end()) << column;
  }
}

TEST_F(RankerTest, ManyThreadsGetWhatOneGets) {
  std::vector<std::vector<Seen>> histories;
  std::vector<AdaptedMember> members;
  std::vector<std::vector<float>> scores;
  const auto scores_of = [&](const AdaptedMember& member) {
    std::vector<float> all;
    for (const auto& one : ranker().rank_items(member, {1, 2, 3, 4, 5})) all.push_back(one.score);
    return all;
  };
  for (std::size_t h = 0; h < 12; ++h) {
    std::vector<Seen> seen;
    for (std::size_t i = 0; i < h; ++i)
      seen.push_back({1 + (h + i) % 5, static_cast<int>((h * i) % 6)});
    histories.push_back(seen);
    members.push_back(ranker().adapt(h, fields_of(seen)));
    scores.push_back(scores_of(members.back()));
  }
  std::atomic<int> different = 0;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t round = 0; round < 50; ++round) {
        const std::size_t h = (t * 5 + round) % histories.size();
        const AdaptedMember member = ranker().adapt(h, fields_of(histories[h]));
        different += member.vector.known != members[h].vector.known ? 1 : 0;
        different += scores_of(member) != scores[h] ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(different, 0);
}

}  // namespace
}  // namespace limber
