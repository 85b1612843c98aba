#include "limber/serving/service/ranking_service.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <map>
#include <thread>

#include "limber/core/base/error.h"
#include "limber/serving/rows/rank_rows.h"
#include "limber/serving/service/service_for_test.h"

namespace limber {
namespace {

FieldValue text(std::string_view value) {
  return FieldValue::of(value);
}
FieldValue whole(std::int64_t value) {
  return FieldValue::of(value);
}

void add_candidates(const ServedModel& model, Workbench& bench) {
  bench.candidates.restart();
  for (std::int64_t item = 1; item <= 5; ++item) {
    FieldRow row(model.schema());
    row[static_cast<std::size_t>(model.schema().find("item"))] = FieldValue::of(item);
    bench.candidates.add(row);
  }
}

TEST(RankingService, RefusesWhatNothingCanBeLearnedFrom) {
  ServiceForTest test;
  const auto model = test.host->current();
  const auto refusal = [&](SentInteraction sent) -> std::string {
    const SentInteraction good{"", 1, {{"item", whole(1)}, {"click", whole(1)}}, {}};
    try {
      test.service->prepare(*model, "ann", {good, std::move(sent)});
    } catch (const InputError& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  EXPECT_EQ(refusal({"", 1, {{"item", whole(1)}}, {}}),
            "interactions[1]: no label can be told; give the field 'click', or labels: "
            "{\"click\": 0 or 1}");
  EXPECT_EQ(refusal({"", 1, {{"click", text("")}}, {}}), refusal({"", 1, {}, {}}));
  EXPECT_EQ(refusal({"", 1, {}, {{"clik", 1}}}),
            "interactions[1].labels: the model has no label 'clik'; did you mean click?");
  EXPECT_EQ(refusal({"", 1, {}, {{"click", 0.5}}}),
            "interactions[1].labels.click: 0.5 is not 0 or 1");
  for (const SentInteraction& sent :
       {SentInteraction{"", 1, {{"rating", text("good")}}, {}},
        SentInteraction{"", 1, {{"price", text("dear")}}, {{"click", 1}}},
        SentInteraction{"", 1, {{"item", FieldValue::of(HUGE_VAL)}}, {{"click", 1}}}}) {
    const std::string message = refusal(sent);
    EXPECT_TRUE(message.starts_with("interactions[1]." + sent.fields[0].first + ": ")) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
}

TEST(RankingService, PreparesWhatTheStoreKeeps) {
  ServiceForTest test;
  const auto prepared = test.service->prepare(
      *test.host->current(), "ann",
      {{"e1", 17, {{"item", whole(1)}, {"unknown", text("kept")}}, {{"click", 1}}}});
  ASSERT_EQ(prepared.size(), 1U);
  EXPECT_EQ(prepared[0].member, "ann");
  EXPECT_EQ(prepared[0].interaction.event_id, "e1");
  EXPECT_EQ(prepared[0].interaction.time_ms, 17);
  EXPECT_EQ(prepared[0].interaction.body, R"({"item":1,"unknown":"kept","labels":{"click":1}})");
}

TEST(RankingService, FeedbackMovesTheMemberOnceForAnEvent) {
  ServiceForTest test;
  const auto model = test.host->current();
  const auto before = test.service->member(*model, "ann");
  const auto sent = test.service->prepare(
      *model, "ann", {{"e1", 1, {{"item", whole(1)}, {"click", whole(1)}}, {}}});
  const FeedbackResult result = test.service->feedback(*model, "ann", sent);
  EXPECT_TRUE(result.results[0].stored());
  EXPECT_EQ(result.member->sequence, 1);
  EXPECT_NE(result.member->vector.known, before->vector.known);
  EXPECT_EQ(test.service->member(*model, "ann"), result.member);
  const FeedbackResult again = test.service->feedback(*model, "ann", sent);
  EXPECT_EQ(again.results[0].outcome, AppendOutcome::kDuplicate);
  EXPECT_EQ(again.member->vector.known, result.member->vector.known);
}

// Two versions take turns under ranking and feedback. Models come and go, so that addresses are
// given away again: no version may ever answer with a vector that another one made.
TEST(RankingService, RanksByTheModelsScoreOrByALabel) {
  const TemporaryFolder folder;
  const auto model = ServedModel::load(
      publish_test_model(folder.path(), 1,
                         std::string(kTestModelConfig) + "  score: {click: 1, like: -2}\n"),
      {});
  const auto bench = model->borrow();
  const auto ranking = [&](std::string_view label) {
    add_candidates(*model, *bench);
    MemberRows member(*model, *bench, "ann");
    MemberVector vector;
    member.adapt(vector);
    return rank_rows(*model, *bench, vector, {}, rank_by(model->runtime(), label), 0);
  };
  const auto expect_order = [](const std::vector<RankedCandidate>& order, const auto& merit) {
    ASSERT_EQ(order.size(), 5U);
    for (std::size_t i = 0; i < order.size(); ++i) {
      EXPECT_NEAR(order[i].score, merit(order[i]), 1e-6);
      EXPECT_GE(order[i == 0 ? 0 : i - 1].score, order[i].score);
    }
  };
  expect_order(ranking(""),
               [](const RankedCandidate& one) { return one.scores[0] - 2 * one.scores[1]; });
  expect_order(ranking("like"), [](const RankedCandidate& one) { return one.scores[1]; });
  EXPECT_NE(ranking("")[0].index, ranking("like")[0].index);
}

TEST(RankingService, ExploresWhereTheModelKnowsHowUncertainItIs) {
  ServiceForTest test;
  const auto scores = [&](RankingService& service, bool explore) {
    const auto model = test.host->current();
    const auto bench = model->borrow();
    add_candidates(*model, *bench);
    const Ranking ranking = service.rank(*model, *bench, "ann", "", 0, explore);
    std::vector<float> by_candidate(5);
    for (const RankedCandidate& one : ranking.order) by_candidate[one.index] = one.score;
    return std::pair(ranking.explored, by_candidate);
  };
  // A model without a posterior ranks as it did.
  EXPECT_EQ(scores(*test.service, true), scores(*test.service, false));
  EXPECT_FALSE(scores(*test.service, true).first);

  publish_test_model(test.folder.path(), 1,
                     std::string(kTestModelConfig) + "explore: {enabled: true, scale: 0.5}\n");
  test.host->reload();
  const auto trained = scores(*test.service, false);
  EXPECT_FALSE(trained.first);
  EXPECT_EQ(trained, scores(*test.service, false));
  std::vector<double> sums(5), squares(5);
  constexpr int kDraws = 2000;
  bool other = false;
  for (int draw = 0; draw < kDraws; ++draw) {
    const auto [explored, drawn] = scores(*test.service, true);
    ASSERT_TRUE(explored);
    for (std::size_t i = 0; i < 5; ++i) {
      const double moved = std::log(drawn[i] / (1 - drawn[i])) -
                           std::log(trained.second[i] / (1 - trained.second[i]));
      sums[i] += moved;
      squares[i] += moved * moved;
      other = other || (drawn[i] > drawn[0]) != (trained.second[i] > trained.second[0]);
    }
  }
  EXPECT_TRUE(other) << "no draw changed an order";
  // w~.z deviates from w.z by 0.5 / 4 |[z; 1]|, which is 0.125 at the least.
  for (std::size_t i = 0; i < 5; ++i) {
    const double deviation = std::sqrt(squares[i] / kDraws);
    EXPECT_GT(deviation, 0.115);
    EXPECT_LT(std::abs(sums[i] / kDraws), 4 * deviation / std::sqrt(kDraws));
  }
  // What the server was started with overrides the model.
  RankingService never(*test.host, test.personaliser, 0.0);
  EXPECT_EQ(scores(never, true), trained);
}

TEST(RankingService, ManyThreadsRankLearnAndExchangeTheModel) {
  ServiceForTest test;

  const auto older = publish_test_model(test.folder.path(), 2);
  const auto newer = publish_test_model(test.folder.path(), 3);
  const auto aside = test.folder.path() / newer.filename();
  const std::vector<std::string> members = {"ann", "bob", "eve"};

  // What each version says of a member nobody has seen.
  std::map<std::string, std::vector<float>> unseen;
  for (const auto& folder : {older, newer}) {
    const auto model = ServedModel::load(folder, {});
    const auto bench = model->borrow();
    Personaliser alone(*test.store, 0);
    unseen[model->runtime().version()] = alone.entry(*model, *bench, "nobody")->vector.known;
  }
  ASSERT_EQ(unseen.size(), 2U);
  ASSERT_NE(unseen.begin()->second, unseen.rbegin()->second);
  test.host->reload();

  constexpr int kRounds = 60;
  std::atomic<bool> done = false;
  std::atomic<int> exchanges = 0, mistaken = 0, ranked = 0, stored = 0;
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    for (int round = 0; round < kRounds; ++round) {
      // Published versions lie below the model's folder; the newest of them is served.
      if (round % 2 == 0) {
        std::filesystem::rename(newer, aside);
      } else {
        std::filesystem::rename(aside, newer);
      }
      exchanges += test.host->reload() ? 1 : 0;
      std::this_thread::yield();
    }
    done = true;
  });
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; !done || i < 20; ++i) {
        const auto model = test.host->current();
        const auto bench = model->borrow();
        add_candidates(*model, *bench);
        const bool known = (i + t) % 2 == 0;
        const Ranking ranking =
            test.service->rank(*model, *bench, known ? members[0] : "nobody", "", 0, true);
        const bool right =
            ranking.order.size() == 5 && ranking.member->model == model->id() &&
            (known || ranking.member->vector.known == unseen.at(model->runtime().version()));
        mistaken += right ? 0 : 1;
        ++ranked;
      }
    });
  }
  threads.emplace_back([&] {
    for (int i = 0; !done || i < 20; ++i) {
      const auto model = test.host->current();
      const std::string& member = members[static_cast<std::size_t>(i) % members.size()];
      const auto prepared = test.service->prepare(
          *model, member, {{"", 1, {{"item", whole(i)}, {"click", whole(i % 2)}}, {}}});
      const FeedbackResult result = test.service->feedback(*model, member, prepared);
      const bool right = result.results[0].stored() && result.member->model == model->id() &&
                         result.member->sequence == result.results[0].sequence;
      mistaken += right ? 0 : 1;
      ++stored;
    }
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(mistaken, 0);
  EXPECT_EQ(exchanges, kRounds);
  EXPECT_GE(ranked, 40);
  EXPECT_GE(stored, 20);

  // What the service now says of each member is what its interactions say.
  const auto model = test.host->current();
  const auto bench = model->borrow();
  std::int64_t total = 0;
  for (const std::string& member : members) {
    Personaliser alone(*test.store, 0);
    const auto fresh = alone.refresh(*model, *bench, member);
    EXPECT_EQ(test.service->member(*model, member)->model, model->id());
    total += fresh->sequence;
  }
  EXPECT_EQ(total, stored);
}

}  // namespace
}  // namespace limber
