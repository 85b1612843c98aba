#include "limber/serving/service/personaliser.h"

#include <gtest/gtest.h>

#include "limber/serving/service/service_for_test.h"

namespace limber {
namespace {

const std::vector<std::string> kBodies = {
    R"({"item":1,"price":0.5,"words":"a|b","click":1,"rating":5})",
    R"({"item":2,"words":["c"],"click":0,"rating":2})",
    R"({"item":"x","price":-1,"labels":{"click":1}})"};

TEST(Personaliser, AnEntryFromTheStoreEqualsAFreshAdaptation) {
  const ServiceForTest test;
  test.append("ann", kBodies);
  const auto model = test.host->current();
  const auto bench = model->borrow();
  Personaliser first(*test.store, 10), second(*test.store, 10);
  const auto fresh = first.entry(*model, *bench, "ann");
  ASSERT_TRUE(test.store->get_state("ann", "films", model->runtime().version()));
  const auto kept = second.entry(*model, *bench, "ann");
  EXPECT_NE(kept, fresh);
  EXPECT_EQ(kept->vector.known, fresh->vector.known);
  EXPECT_EQ(kept->vector.slots, fresh->vector.slots);
  EXPECT_EQ(kept->sequence, 3);
  EXPECT_EQ(kept->interactions, fresh->interactions);
  EXPECT_EQ(kept->model, fresh->model);
  EXPECT_EQ(first.entry(*model, *bench, "ann"), fresh);  // from memory

  // A member nobody has seen is another, and is not stored.
  const auto nobody = first.entry(*model, *bench, "nobody");
  EXPECT_EQ(nobody->sequence, 0);
  EXPECT_NE(nobody->vector.known, fresh->vector.known);
  EXPECT_FALSE(test.store->get_state("nobody", "films", model->runtime().version()));
}

TEST(Personaliser, RefreshingManyEqualsRefreshingEach) {
  const ServiceForTest one, many;
  const std::vector<std::string> members = {"ann", "bob", "eve", "nobody"};
  for (const ServiceForTest* test : {&one, &many}) {
    test->append("ann", kBodies);
    test->append("bob", {kBodies[1]});
    test->append("eve", {kBodies[2], kBodies[0]});
  }
  const auto model = one.host->current();
  const auto bench = model->borrow();
  Personaliser each(*one.store, 10), all(*many.store, 10);
  for (const std::string& member : members) each.refresh(*model, *bench, member);
  all.refresh_many(*model, *bench, members);
  const std::string& version = model->runtime().version();
  for (const std::string& member : members) {
    SCOPED_TRACE(member);
    const auto left = one.store->get_state(member, "films", version);
    const auto right = many.store->get_state(member, "films", version);
    ASSERT_EQ(left.has_value(), member != "nobody");
    ASSERT_EQ(right.has_value(), left.has_value());
    if (!left) continue;
    EXPECT_EQ(left->values, right->values);
    EXPECT_EQ(left->sequence, right->sequence);
  }
}

TEST(Personaliser, ABadStoredInteractionIsLeftOutWithTheRestUsed) {
  const ServiceForTest test;
  test.append("ann", kBodies);
  test.append("bob", {R"({"item":1,"price":"dear","click":1})", kBodies[0], "no JSON", kBodies[1],
                      R"({"item":[1],"click":1})", R"({"item":1,"click":"maybe"})", kBodies[2],
                      R"({"item":3,"click":1)"});
  const auto model = test.host->current();
  const auto bench = model->borrow();
  Personaliser personaliser(*test.store, 10);
  const auto good = personaliser.entry(*model, *bench, "ann");
  const auto mixed = personaliser.entry(*model, *bench, "bob");
  EXPECT_EQ(mixed->vector.known, good->vector.known);
  EXPECT_EQ(mixed->interactions, 3);
  EXPECT_EQ(mixed->sequence, 8);  // else it would be adapted again and again
}

TEST(Personaliser, ForgetsHereAndInTheStore) {
  ServiceForTest test;
  test.append("ann", kBodies);
  const auto model = test.host->current();
  const auto bench = model->borrow();
  const auto before = test.personaliser.entry(*model, *bench, "ann");
  test.personaliser.forget("ann");
  EXPECT_EQ(test.personaliser.cached(), 0U);
  EXPECT_TRUE(test.store->recent("ann", 10).empty());
  const auto after = test.personaliser.entry(*model, *bench, "ann");
  EXPECT_EQ(after->sequence, 0);
  EXPECT_NE(after->vector.known, before->vector.known);
}

}  // namespace
}  // namespace limber
